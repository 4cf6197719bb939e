//! Readers as sources.

use std::time::Duration;

use sage_types::{Result, SageError};

use crate::files::PartsLeft;
use crate::input::Interrupt;
use crate::sources::{BatchReader, SourcePosition};
use crate::{BatchSource, NextBatch, SavedPosition, SourceSplit, SourceStatistics};

/// Gives the batches of a reader: what was read before a failure or a wait comes first, and a failure stays.
#[derive(Debug)]
pub(crate) struct ReaderSource<R> {
    reader: R,
    split: SourceSplit,
    /// The format is read from front to back.
    is_stream: bool,
    /// What earlier processes counted.
    before: SourceStatistics,
    /// Records delivered.
    records: u64,
    failure: Option<SageError>,
}

impl<R: BatchReader> ReaderSource<R> {
    pub(crate) fn new(reader: R, split: SourceSplit, is_stream: bool) -> Self {
        Self {
            reader,
            split,
            is_stream,
            before: SourceStatistics::default(),
            records: 0,
            failure: None,
        }
    }
}

impl<R: BatchReader> BatchSource for ReaderSource<R> {
    fn next(&mut self) -> Result<NextBatch> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let otherwise = match self.reader.fill() {
            Ok(_) => NextBatch::Ended,
            Err(Interrupt::Waiting) => NextBatch::Waiting,
            Err(Interrupt::Failed(error)) => {
                self.failure = Some(error);
                NextBatch::Ended
            }
        };
        match self.reader.take_frame() {
            Ok(Some(frame)) => {
                self.records += frame.rows() as u64;
                return Ok(NextBatch::Frame(frame));
            }
            Ok(None) => {}
            // These records come before the one that could not be read.
            Err(error) => self.failure = Some(error),
        }
        match &self.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(otherwise),
        }
    }

    fn wait(&mut self, timeout: Duration) {
        self.reader.wait(timeout);
    }

    fn place(&self) -> String {
        self.reader.place()
    }

    fn resumable(&self) -> Result<()> {
        let left = self.reader.left()?;
        left.parts.iter().try_for_each(|part| part.file.check_resumable())
    }

    fn position(&mut self) -> Result<Vec<u8>> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let PartsLeft { parts, watched } = self.reader.left()?;
        SourcePosition::new(parts, watched, self.statistics()).to_bytes()
    }

    fn restore(&mut self, saved: &[SavedPosition]) -> Result<()> {
        let restored = SourcePosition::restore(saved, self.split, self.is_stream)?;
        self.reader.restore(restored.parts, &restored.watched);
        self.before = restored.statistics;
        Ok(())
    }

    fn statistics(&self) -> SourceStatistics {
        let mut statistics = SourceStatistics {
            records: self.records,
            ..self.reader.statistics()
        };
        statistics += self.before;
        statistics
    }
}
