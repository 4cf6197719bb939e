//! A bounded queue on disk.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_types::{ErrorCode, Result, SageError};

use crate::StateDirectory;
use crate::spill_segment::{RECORD_HEAD_BYTES, SpillSegment};
use crate::store_error::io_error;

/// A file is left behind for the next one when it has so many bytes, and removed when all of it was read.
const SEGMENT_BYTES: u64 = 16 << 20;

/// First in, first out: records of bytes, such as frames, that do not fit into memory. Each is read once.
///
/// It lies in files of its own rather than in the store of the job: a record is written once and read once, and what was
/// read goes with its file.
#[derive(Debug)]
pub struct SpillQueue {
    folder: PathBuf,
    name: String,
    limit_bytes: u64,
    /// Oldest first; records are read from the first and written to the last.
    segments: VecDeque<SpillSegment>,
    next_segment: u64,
    len: u64,
    bytes: u64,
    /// The files lie in it, and it is removed when the last of them is gone.
    directory: Option<Arc<StateDirectory>>,
}

impl SpillQueue {
    /// A queue in a folder, which is made, that holds at most `limit_bytes`; `name` is what errors call it.
    ///
    /// # Errors
    /// `SAGE_STATE_DIRECTORY` when the folder cannot be used or is there already.
    pub fn create(folder: &Path, name: &str, limit_bytes: u64) -> Result<Self> {
        std::fs::create_dir(folder).map_err(|error| io_error("make a folder for", folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            limit_bytes,
            segments: VecDeque::new(),
            next_segment: 0,
            len: 0,
            bytes: 0,
            directory: None,
        })
    }

    /// Keeps the directory that its folder lies in until the queue is gone.
    #[must_use]
    pub fn within(mut self, directory: Arc<StateDirectory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Appends a record.
    ///
    /// # Errors
    /// `SAGE_SPILL_LIMIT` when the queue would hold more than it may: it stays as it was. `SAGE_IO_DISK_FULL`,
    /// `SAGE_STATE_IO`: the queue may have lost records, and the job has to fail.
    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        let bytes = RECORD_HEAD_BYTES + record.len() as u64;
        let length = u32::try_from(record.len()).ok();
        let (Some(length), true) = (length, self.bytes + bytes <= self.limit_bytes) else {
            return Err(self.over_limit(record.len()));
        };
        let segment = match self.segments.back_mut() {
            Some(segment) if segment.written() < SEGMENT_BYTES => segment,
            _ => {
                let path = self.folder.join(format!("{:08}.spill", self.next_segment));
                self.next_segment += 1;
                self.segments.push_back(SpillSegment::create(path)?);
                // There is one: it was just appended.
                let Some(segment) = self.segments.back_mut() else {
                    return Err(SageError::new(
                        ErrorCode::Internal,
                        "a queue on disk has lost its file",
                    ));
                };
                segment
            }
        };
        segment.push(record, length)?;
        self.len += 1;
        self.bytes += bytes;
        Ok(())
    }

    fn over_limit(&self, record_bytes: usize) -> SageError {
        SageError::new(
            ErrorCode::SpillLimit,
            format!(
                "{} holds {} records of {} bytes on disk, and one of {record_bytes} bytes more would be over its limit of {} bytes: raise the limit, or let the loop give out less than it takes in",
                self.name, self.len, self.bytes, self.limit_bytes
            ),
        )
        .with("queue", self.name.as_str())
        .with("records", self.len)
        .with("bytes", self.bytes)
        .with("limitBytes", self.limit_bytes)
    }

    /// Takes the oldest record into `record`, replacing what is there; whether there was one.
    ///
    /// # Errors
    /// `SAGE_STATE_CORRUPT` when it is not what was written, `SAGE_STATE_IO`.
    pub fn pop(&mut self, record: &mut Vec<u8>) -> Result<bool> {
        let is_last = self.segments.len() == 1;
        let Some(first) = self.segments.front_mut() else {
            return Ok(false);
        };
        let found = first.pop(record)?;
        if found {
            self.len -= 1;
            self.bytes -= RECORD_HEAD_BYTES + record.len() as u64;
        }
        // The last file is reused until it is full, and goes when the queue is empty.
        if first.is_read() && (!is_last || first.written() >= SEGMENT_BYTES) {
            self.segments.pop_front();
        }
        Ok(found)
    }

    /// Number of records.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no records.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the records, as the limit counts them: 8 more for each.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Most bytes that it may hold.
    #[must_use]
    pub const fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }
}

impl Drop for SpillQueue {
    fn drop(&mut self) {
        self.segments.clear();
        // What stays goes with the directory of the job.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
