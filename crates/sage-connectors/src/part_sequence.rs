//! Formats whose files are read one at a time.

use std::time::Duration;

use sage_frame::Frame;
use sage_types::{Result, SageError};

use crate::files::{FilePart, FileParts, NextPart};
use crate::{BatchSource, NextBatch, SourceStatistics};

/// Reads one part of a file.
pub(crate) trait PartReader: Send {
    /// The next records; `None` at the end of the part.
    ///
    /// # Errors
    /// `SAGE_IO_*` and `SAGE_FORMAT_*`, with `file` and the place in it.
    fn next(&mut self) -> Result<Option<Frame>>;

    /// As [`BatchSource::position`].
    fn position(&self) -> String;
}

/// Reads the parts that an instance has, each with a reader of its own.
pub(crate) struct PartSequence<R, F> {
    parts: FileParts,
    open: F,
    current: Option<R>,
    statistics: SourceStatistics,
    failure: Option<SageError>,
}

impl<R: PartReader, F: FnMut(&FilePart) -> Result<R> + Send> PartSequence<R, F> {
    /// `open` makes the reader of a part.
    pub(crate) fn new(parts: FileParts, open: F) -> Self {
        Self {
            parts,
            open,
            current: None,
            statistics: SourceStatistics::default(),
            failure: None,
        }
    }

    fn read_batch(&mut self) -> Result<NextBatch> {
        loop {
            if let Some(reader) = &mut self.current
                && let Some(frame) = reader.next()?
            {
                self.statistics.records += frame.rows() as u64;
                return Ok(NextBatch::Frame(frame));
            }
            match self.parts.next()? {
                NextPart::Part(part) => self.current = Some((self.open)(&part)?),
                NextPart::Waiting => return Ok(NextBatch::Waiting),
                NextPart::Ended => return Ok(NextBatch::Ended),
            }
        }
    }
}

impl<R: PartReader, F: FnMut(&FilePart) -> Result<R> + Send> BatchSource for PartSequence<R, F> {
    fn next(&mut self) -> Result<NextBatch> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let result = self.read_batch();
        self.failure = result.as_ref().err().cloned();
        result
    }

    fn wait(&mut self, timeout: Duration) {
        self.parts.wait(timeout);
    }

    fn position(&self) -> String {
        self.current
            .as_ref()
            .map_or_else(|| "null".to_owned(), PartReader::position)
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics
    }
}
