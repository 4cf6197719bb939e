//! One file of a queue on disk.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sage_types::Result;
use xxhash_rust::xxh3::xxh3_64;

use crate::store_error::{corrupt, io_error};

/// Before each record: its length and a checksum.
pub(crate) const RECORD_HEAD_BYTES: u64 = HEAD_BYTES as u64;
const HEAD_BYTES: usize = 8;
const BUFFER_BYTES: usize = 64 << 10;

/// Records one behind the other, each read once, in the order in which they were written. The file is removed when this
/// value is dropped.
#[derive(Debug)]
pub(crate) struct SpillSegment {
    path: PathBuf,
    writer: File,
    /// Not yet in the file.
    buffer: Vec<u8>,
    reader: BufReader<File>,
    /// Bytes in the file, in file and buffer, and read so far.
    flushed: u64,
    written: u64,
    read: u64,
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
fn checksum(bytes: &[u8]) -> u32 {
    xxh3_64(bytes) as u32
}

impl SpillSegment {
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        let failed = |error| io_error("make a file for", folder(&path), &error);
        let writer = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, File::open(&path).map_err(failed)?);
        Ok(Self {
            path,
            writer,
            buffer: Vec::new(),
            reader,
            flushed: 0,
            written: 0,
            read: 0,
        })
    }

    /// Bytes written, read or not.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Whether every record was read.
    pub(crate) const fn is_read(&self) -> bool {
        self.read == self.written
    }

    pub(crate) fn push(&mut self, record: &[u8], length: u32) -> Result<()> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(&checksum(record).to_le_bytes());
        self.buffer.extend_from_slice(record);
        self.written += RECORD_HEAD_BYTES + record.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.writer
            .write_all(&self.buffer)
            .map_err(|error| io_error("write", folder(&self.path), &error))?;
        self.flushed = self.written;
        self.buffer.clear();
        Ok(())
    }

    /// Replaces `record` by the next one; whether there was one.
    pub(crate) fn pop(&mut self, record: &mut Vec<u8>) -> Result<bool> {
        if self.is_read() {
            return Ok(false);
        }
        if self.read == self.flushed {
            self.flush()?;
        }
        let mut head = [0; HEAD_BYTES];
        self.read_exact(&mut head)?;
        let [a, b, c, d, sum @ ..] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        // A damaged length must not take all memory.
        if u64::from(length) > self.written - self.read - RECORD_HEAD_BYTES {
            return Err(corrupt(folder(&self.path), "a record is longer than its file"));
        }
        record.clear();
        record.resize(length as usize, 0);
        self.read_exact(record)?;
        if checksum(record).to_le_bytes() != sum {
            return Err(corrupt(folder(&self.path), "a record has another checksum"));
        }
        self.read += RECORD_HEAD_BYTES + u64::from(length);
        Ok(true)
    }

    fn read_exact(&mut self, into: &mut [u8]) -> Result<()> {
        self.reader
            .read_exact(into)
            .map_err(|error| io_error("read", folder(&self.path), &error))
    }
}

/// What errors name.
fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

impl Drop for SpillSegment {
    fn drop(&mut self) {
        // What stays goes with the directory of the job.
        let _ = std::fs::remove_file(&self.path);
    }
}
