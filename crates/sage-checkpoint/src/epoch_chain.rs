//! An epoch with the epochs that it holds changes of.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use sage_types::{ErrorCode, PlantedBug, Result};

use crate::checkpoint_error::{damaged, damaged_part};
use crate::disk_files::parent_of;
use crate::epoch_file::{EpochFile, Visit};
use crate::epoch_format::PartPlace;
use crate::epoch_names::epoch_path;
use crate::{Entry, EntryReader, Files};

/// Open files, the newest first; the last one stands alone.
#[derive(Debug)]
pub(crate) struct EpochChain {
    files: Vec<EpochFile>,
}

/// A part in one of the files of a chain.
#[derive(Debug, Clone, Copy)]
struct Layer<'a> {
    file: &'a EpochFile,
    part: &'a PartPlace,
}

impl EpochChain {
    /// Opens a file and those that it needs, which lie beside it.
    pub(crate) fn open(files: &dyn Files, path: &Path) -> Result<Self> {
        let directory = parent_of(path);
        let newest = EpochFile::open(files, path)?;
        let mut base = newest.index().base;
        let mut chain = vec![newest];
        // Ends, as each base is smaller than the epoch on top of it.
        while base > 0 {
            let base_path = epoch_path(directory, base);
            let file = EpochFile::open(files, &base_path).map_err(|error| {
                if error.code == ErrorCode::IoNotFound {
                    damaged(
                        path,
                        format_args!(
                            "it holds changes on top of epoch {base}, and {} does not exist",
                            base_path.display()
                        ),
                    )
                } else {
                    error
                }
            })?;
            if file.index().epoch != base {
                return Err(damaged(
                    &base_path,
                    format_args!("it holds epoch {}", file.index().epoch),
                ));
            }
            base = file.index().base;
            chain.push(file);
        }
        Ok(Self { files: chain })
    }

    /// The newest file, which says which parts there are.
    pub(crate) fn newest(&self) -> &EpochFile {
        // Never empty: it is made with the newest one.
        &self.files[0]
    }

    pub(crate) fn files(&self) -> &[EpochFile] {
        &self.files
    }

    /// Compares all checksums, and finds out whether all layers of each part are there.
    pub(crate) fn verify(&self) -> Result<()> {
        self.files.iter().try_for_each(EpochFile::verify)?;
        for part in &self.newest().index().parts {
            self.layers(part)?;
        }
        Ok(())
    }

    /// A part with what it is on top of, down to the one that stands alone.
    fn layers<'a>(&'a self, part: &'a PartPlace) -> Result<Vec<Layer<'a>>> {
        let mut layers = vec![Layer {
            file: self.newest(),
            part,
        }];
        let mut is_full = part.is_full;
        for file in &self.files[1..] {
            if is_full {
                break;
            }
            match file.find(&part.key) {
                Some(below) if below.kind == part.kind => {
                    layers.push(Layer { file, part: below });
                    is_full = below.is_full;
                }
                _ => break,
            }
        }
        if is_full {
            Ok(layers)
        } else {
            Err(damaged_part(
                self.newest().path(),
                &part.key,
                "what its changes are on top of is missing",
            ))
        }
    }

    /// Gives out what is left of a keyed part in these key groups when all changes are on top of each other: first what is in the
    /// part that stands alone and was not changed, then the changes from old to new. Only the changes are in memory.
    pub(crate) fn visit_keyed(
        &self,
        part: &PartPlace,
        key_groups: &Range<u32>,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        let mut layers = self.layers(part)?;
        layers.reverse();
        let (standing, changes) = match layers.split_first() {
            Some((standing, changes)) => (*standing, changes),
            // Never: the part itself is a layer.
            None => return Ok(()),
        };
        let mut payloads = Vec::with_capacity(changes.len());
        for layer in changes {
            payloads.push(layer.file.read_part(layer.part)?);
        }
        // Of each changed key the layer and the place there that decide.
        let mut newest: HashMap<(u16, &[u8]), (usize, usize)> = HashMap::new();
        for (number, payload) in payloads.iter().enumerate() {
            visit_payload(payload, changes[number], key_groups, &mut |offset, entry| {
                if entry.value.is_some() || !PlantedBug::RemovedKeyComesBack.is_planted() {
                    newest.insert((entry.key_group, entry.key), (number, offset));
                }
                Ok(())
            })?;
        }
        standing.file.visit_entries(standing.part, &mut |entry| {
            let is_wanted = key_groups.contains(&u32::from(entry.key_group)) && entry.value.is_some();
            if is_wanted && !newest.contains_key(&(entry.key_group, entry.key)) {
                visit(entry)?;
            }
            Ok(())
        })?;
        for (number, payload) in payloads.iter().enumerate() {
            visit_payload(payload, changes[number], key_groups, &mut |offset, entry| {
                let decides = newest.get(&(entry.key_group, entry.key)) == Some(&(number, offset));
                if decides && entry.value.is_some() {
                    visit(entry)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The parts of the newest file, which are those of the epoch.
    pub(crate) fn parts(&self) -> &[PartPlace] {
        &self.newest().index().parts
    }
}

/// Visits the entries of loaded changes with the places where they begin.
fn visit_payload<'a>(
    payload: &'a [u8],
    layer: Layer<'_>,
    key_groups: &Range<u32>,
    visit: &mut dyn FnMut(usize, Entry<'a>) -> Result<()>,
) -> Result<()> {
    let mut reader = EntryReader::new(payload);
    loop {
        let offset = reader.offset();
        let Some(entry) = reader.next() else {
            return Ok(());
        };
        let entry = entry.map_err(|error| layer.file.malformed(layer.part).caused_by(error))?;
        if key_groups.contains(&u32::from(entry.key_group)) {
            visit(offset, entry)?;
        }
    }
}
