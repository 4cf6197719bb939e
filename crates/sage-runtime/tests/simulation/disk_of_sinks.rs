//! What sinks have written: it outlives the process, and what no epoch knows of is cut off when the next one begins.

use std::sync::{Arc, Mutex};

use crate::support::Record;

/// One file of a sink, and how much of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinkFile {
    pub file: u64,
    pub records: u64,
}

/// All files of all sinks; clones are handles of the same.
#[derive(Debug, Clone, Default)]
pub struct DiskOfSinks(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<Vec<(u64, Record)>>,
    written: u64,
}

impl DiskOfSinks {
    pub fn create(&self) -> SinkFile {
        let mut state = self.0.lock().unwrap();
        state.files.push(Vec::new());
        SinkFile {
            file: state.files.len() as u64 - 1,
            records: 0,
        }
    }

    pub fn append(&self, file: &mut SinkFile, records: &[Record]) {
        let mut state = self.0.lock().unwrap();
        for record in records {
            state.written += 1;
            let place = state.written;
            state.files[usize::try_from(file.file).unwrap()].push((place, *record));
        }
        file.records += records.len() as u64;
    }

    /// Cuts off what was written after the epoch.
    pub fn truncate(&self, file: SinkFile) -> Result<(), String> {
        let mut state = self.0.lock().unwrap();
        let records = &mut state.files[usize::try_from(file.file).unwrap()];
        let length = usize::try_from(file.records).unwrap();
        if records.len() < length {
            return Err(format!(
                "an epoch knows {length} records of a file with {}",
                records.len()
            ));
        }
        records.truncate(length);
        Ok(())
    }

    /// Removes what a file has.
    pub fn remove(&self, file: SinkFile) {
        self.0.lock().unwrap().files[usize::try_from(file.file).unwrap()].clear();
    }

    /// The records of some files in the order in which they were written.
    pub fn read(&self, files: &[SinkFile]) -> Vec<Record> {
        let state = self.0.lock().unwrap();
        let mut records: Vec<(u64, Record)> = files
            .iter()
            .flat_map(|file| {
                let records = &state.files[usize::try_from(file.file).unwrap()];
                records[..usize::try_from(file.records).unwrap()].to_vec()
            })
            .collect();
        records.sort_by_key(|&(place, _)| place);
        records.into_iter().map(|(_, record)| record).collect()
    }
}
