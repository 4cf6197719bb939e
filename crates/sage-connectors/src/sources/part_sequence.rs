//! Formats whose files are read one at a time.

use std::time::Duration;

use sage_types::{Result, SageError};

use crate::files::{FilePart, FileParts, NextPart};
use crate::{BatchSource, NextBatch, SourceStatistics};

/// Reads one part of a file.
pub(crate) trait PartReader: Send {
    /// The next records; [`NextBatch::Ended`] at the end of the part.
    ///
    /// # Errors
    /// `SAGE_IO_*` and `SAGE_FORMAT_*`, with `file` and the place in it.
    fn next(&mut self) -> Result<NextBatch>;

    /// As [`BatchSource::wait`]. Readers that never wait need none.
    fn wait(&mut self, timeout: Duration) {
        let _ = timeout;
    }

    /// As [`BatchSource::position`].
    fn position(&self) -> String;

    /// What it left out and mended so far. The records that it gave are counted by the sequence.
    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

/// Reads the parts that an instance has, each with a reader of its own.
pub(crate) struct PartSequence<R, F> {
    parts: FileParts,
    open: F,
    /// The part that is being read, or was read last.
    current: Option<R>,
    /// Whether the current part has ended, so that only a new one can bring more.
    between: bool,
    /// Of the records that were delivered, and the parts that have been left.
    statistics: SourceStatistics,
    failure: Option<SageError>,
}

impl<R: PartReader, F: FnMut(&FilePart, Option<R>) -> Result<R> + Send> PartSequence<R, F> {
    /// `open` makes the reader of a part; it gets the reader of the part before, which may have something to go on with.
    pub(crate) fn new(parts: FileParts, open: F) -> Self {
        Self {
            parts,
            open,
            current: None,
            between: true,
            statistics: SourceStatistics::default(),
            failure: None,
        }
    }

    fn read_batch(&mut self) -> Result<NextBatch> {
        loop {
            if !self.between
                && let Some(reader) = &mut self.current
            {
                match reader.next()? {
                    NextBatch::Ended => self.between = true,
                    NextBatch::Waiting => return Ok(NextBatch::Waiting),
                    NextBatch::Frame(frame) => {
                        self.statistics.records += frame.rows() as u64;
                        return Ok(NextBatch::Frame(frame));
                    }
                }
            }
            match self.parts.next()? {
                NextPart::Part(part) => {
                    let before = self.current.take();
                    self.statistics += before.as_ref().map(R::statistics).unwrap_or_default();
                    self.current = Some((self.open)(&part, before)?);
                    self.between = false;
                }
                NextPart::Waiting => return Ok(NextBatch::Waiting),
                NextPart::Ended => return Ok(NextBatch::Ended),
            }
        }
    }
}

impl<R: PartReader, F: FnMut(&FilePart, Option<R>) -> Result<R> + Send> BatchSource for PartSequence<R, F> {
    fn next(&mut self) -> Result<NextBatch> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let result = self.read_batch();
        self.failure = result.as_ref().err().cloned();
        result
    }

    fn wait(&mut self, timeout: Duration) {
        match &mut self.current {
            Some(reader) if !self.between => reader.wait(timeout),
            _ => self.parts.wait(timeout),
        }
    }

    fn position(&self) -> String {
        self.current
            .as_ref()
            .map_or_else(|| "null".to_owned(), PartReader::position)
    }

    fn statistics(&self) -> SourceStatistics {
        let mut statistics = self.statistics;
        statistics += self.current.as_ref().map(R::statistics).unwrap_or_default();
        statistics
    }
}
