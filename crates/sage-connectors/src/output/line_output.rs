//! Lines on their way into a file.

use std::path::Path;

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::output::{FileState, OutputFile};
use crate::{Cancellation, SinkReport};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// Records of a file, as another process goes on counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LineCounts {
    written: u64,
    unread: u64,
}

/// Collects lines and writes whole ones only, so that what others write to the same terminal or pipe comes between them.
#[derive(Debug)]
pub(crate) struct LineOutput {
    file: OutputFile,
    buffer: Vec<u8>,
    /// Records in the buffer.
    collected: u64,
    /// Records that were written.
    written: u64,
    /// Records that nobody read: the pipe was closed before.
    unread: u64,
}

impl LineOutput {
    pub(crate) fn new(file: OutputFile) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            collected: 0,
            written: 0,
            unread: 0,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Where the next line is built.
    #[inline]
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Records so far.
    pub(crate) fn records(&self) -> u64 {
        self.written + self.unread + self.collected
    }

    /// The error of a record that cannot be written, the next one; `what` goes on behind its number.
    #[cold]
    pub(crate) fn unfit(&self, what: &str) -> SageError {
        let path = self.path().display().to_string();
        let number = self.records() + 1;
        SageError::new(
            ErrorCode::FormatRecord,
            format!("cannot write {path}: record {number} {what}"),
        )
        .with("file", path)
        .with("record", number)
    }

    /// Ends the line of a record.
    ///
    /// # Errors
    /// Those of [`OutputFile::append`].
    #[inline]
    pub(crate) fn end_line(&mut self) -> Result<()> {
        self.buffer.push(b'\n');
        self.end_record()
    }

    /// Ends a record, with the line end that it has or has not.
    ///
    /// # Errors
    /// Those of [`OutputFile::append`].
    #[inline]
    pub(crate) fn end_record(&mut self) -> Result<()> {
        self.collected += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_lines()?;
        }
        Ok(())
    }

    /// Ends a batch: after an error the file never appears.
    ///
    /// # Errors
    /// Those of the batch, and of [`OutputFile::append`].
    pub(crate) fn end_batch(&mut self, batch: Result<()>) -> Result<()> {
        let ended = batch.and_then(|()| {
            if self.file.is_eager() {
                self.write_lines()?;
            }
            if self.file.is_live() {
                self.file.hand_over()?;
            }
            Ok(())
        });
        if ended.is_err() {
            self.file.mark_incomplete();
        }
        ended
    }

    fn write_lines(&mut self) -> Result<()> {
        let lines = std::mem::take(&mut self.collected);
        let written = self.file.append(&self.buffer);
        self.buffer.clear();
        written?;
        // Which lines of the last piece were read is not known; that it was cut off is.
        if self.file.is_reader_gone() {
            self.unread += lines;
        } else {
            self.written += lines;
        }
        Ok(())
    }

    pub(crate) fn cancel_when(&mut self, cancellation: Cancellation) {
        self.file.cancel_when(cancellation);
    }

    pub(crate) fn wants_more(&self) -> bool {
        !self.file.is_reader_gone()
    }

    pub(crate) fn is_live(&self) -> bool {
        self.file.is_live()
    }

    pub(crate) fn file_mut(&mut self) -> &mut OutputFile {
        &mut self.file
    }

    /// Counts on.
    pub(crate) fn restore(&mut self, counts: LineCounts) {
        (self.written, self.unread) = (counts.written, counts.unread);
    }

    fn counts(&self) -> LineCounts {
        LineCounts {
            written: self.written,
            unread: self.unread,
        }
    }

    /// See [`crate::BatchSink::prepare`], for the last time.
    pub(crate) fn prepare(&mut self) -> Result<(FileState, LineCounts)> {
        self.complete()?;
        Ok((self.file.state()?, self.counts()))
    }

    /// The same, and lines may come.
    pub(crate) fn checkpoint(&mut self) -> Result<(FileState, LineCounts)> {
        self.write_lines()?;
        Ok((self.file.checkpoint()?, self.counts()))
    }

    fn complete(&mut self) -> Result<()> {
        if !self.buffer.is_empty() || self.collected > 0 {
            self.write_lines()?;
        }
        self.buffer = Vec::new();
        self.file.sync()
    }

    /// See [`crate::BatchSink::commit`].
    pub(crate) fn commit(mut self, replaced_strings: u64) -> Result<SinkReport> {
        self.complete()?;
        let bytes = self.file.commit()?;
        Ok(SinkReport {
            path: self.file.path().display().to_string(),
            records: self.written,
            bytes,
            replaced_strings,
            unread_records: self.unread,
            files: 1,
        })
    }
}
