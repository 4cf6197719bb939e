//! Writes the bytes of one epoch file under a temporary name.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_types::{PlantedBug, Result, SageError};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::checkpoint_error::{Action, io_error, misuse};
use crate::epoch_format::{EpochFooter, EpochHeader, EpochIndex, FORMAT_VERSION, HEADER_BYTES, PartPlace};
use crate::{FaultPoint, Files, PartKey, PartKind, WrittenFile};

/// Small parts are written together in pieces of this size.
const BUFFER_BYTES: usize = 256 << 10;

/// A file that is being written. Dropped before it got its name, it is removed.
#[derive(Debug)]
pub(crate) struct EpochFileWriter {
    files: Arc<dyn Files>,
    temporary: PathBuf,
    /// None when it is written.
    file: Option<Box<dyn WrittenFile>>,
    buffer: Vec<u8>,
    index: EpochIndex,
    /// Where the next byte goes.
    offset: u64,
    part: Option<OpenPart>,
    /// After an error the file has a hole, and must never get its name.
    failed: Option<SageError>,
    is_named: bool,
}

struct OpenPart {
    place: PartPlace,
    hasher: Box<Xxh3>,
}

impl fmt::Debug for OpenPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenPart").field(&self.place).finish()
    }
}

impl EpochFileWriter {
    pub(crate) fn create(files: Arc<dyn Files>, temporary: PathBuf, epoch: u64, base: u64) -> Result<Self> {
        let file = files
            .create(&temporary)
            .map_err(|error| io_error(Action::Write, &temporary, &error))?;
        let header = EpochHeader {
            version: FORMAT_VERSION,
            epoch,
            base,
        };
        files.reached(FaultPoint::BeforeParts, epoch);
        Ok(Self {
            files,
            temporary,
            file: Some(file),
            buffer: header.encode().to_vec(),
            index: EpochIndex {
                epoch,
                base,
                parts: Vec::new(),
                metadata: String::new(),
            },
            offset: HEADER_BYTES as u64,
            part: None,
            failed: None,
            is_named: false,
        })
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.index.epoch
    }

    pub(crate) const fn base(&self) -> u64 {
        self.index.base
    }

    /// How long the file is so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.offset
    }

    /// Begins a part, of which the bytes follow.
    pub(crate) fn begin_part(&mut self, key: &PartKey, kind: PartKind, is_full: bool) {
        let place = PartPlace {
            key: key.clone(),
            kind,
            is_full,
            offset: self.offset,
            length: 0,
            entries: 0,
            checksum: 0,
        };
        self.part = Some(OpenPart {
            place,
            hasher: Box::new(Xxh3::new()),
        });
    }

    /// Adds bytes to the part.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(part) = &mut self.part else {
            return Err(misuse("bytes of an epoch were written outside of its parts"));
        };
        part.hasher.update(bytes);
        part.place.length += bytes.len() as u64;
        self.append(bytes)
    }

    /// Ends the part, which has so many entries.
    pub(crate) fn end_part(&mut self, entries: u64) -> Result<()> {
        let Some(mut part) = self.part.take() else {
            return Err(misuse("a part of an epoch was ended that was not begun"));
        };
        part.place.entries = entries;
        part.place.checksum = part.hasher.digest();
        self.index.parts.push(part.place);
        self.files.reached(FaultPoint::DuringParts, self.epoch());
        Ok(())
    }

    /// Writes index and footer, and makes all of it durable under the temporary name.
    pub(crate) fn finish(&mut self, metadata: &str) -> Result<()> {
        let epoch = self.epoch();
        self.files.reached(FaultPoint::BeforeIndex, epoch);
        metadata.clone_into(&mut self.index.metadata);
        let index = self.index.encode()?;
        let footer = EpochFooter {
            offset: self.offset,
            length: index.len() as u64,
            checksum: xxh3_64(&index),
        };
        self.append(&index)?;
        self.append(&footer.encode())?;
        self.flush()?;
        self.files.reached(FaultPoint::BeforeFlush, epoch);
        if let Some(file) = &mut self.file
            && !PlantedBug::CommittedBeforeSync.is_planted()
        {
            file.sync()
                .map_err(|error| io_error(Action::Write, &self.temporary, &error))?;
        }
        self.file = None;
        self.files.reached(FaultPoint::AfterFlush, epoch);
        Ok(())
    }

    /// Gives the file its name, in the same directory.
    pub(crate) fn rename(&mut self, path: &Path) -> Result<()> {
        self.files
            .rename(&self.temporary, path)
            .map_err(|error| io_error(Action::Write, path, &error))?;
        self.is_named = true;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.offset += bytes.len() as u64;
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.flush()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            return self.write_through(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let written = self.write_through(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        written
    }

    fn write_through(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(file) = &mut self.file else {
            return Err(misuse("an epoch that is written to its end was written to"));
        };
        file.write_all(bytes).map_err(|error| {
            let error = io_error(Action::Write, &self.temporary, &error);
            self.failed = Some(error.clone());
            error
        })
    }
}

impl Drop for EpochFileWriter {
    fn drop(&mut self) {
        if !self.is_named {
            // Closed first: where a file in use cannot be removed, it would stay. What stays is removed when the directory is opened.
            self.file = None;
            let _ = self.files.remove(&self.temporary);
        }
    }
}
