//! Formats whose files are read one at a time.

use std::collections::VecDeque;
use std::time::Duration;

use sage_frame::Frame;
use sage_types::Result;

use crate::SourceStatistics;
use crate::files::{FilePart, FileParts, NextPart, PartsLeft, WatchedFile};
use crate::input::Interrupt;
use crate::sources::{BatchReader, PartReader};

/// Reads the parts that an instance has, each with a reader of its own.
pub(crate) struct PartSequence<R, F> {
    parts: FileParts,
    open: F,
    /// The part that is being read, or was read last.
    current: Option<R>,
    current_part: Option<FilePart>,
    /// Whether the current part has ended, so that only a new one can bring more.
    between: bool,
    /// Of the parts that have been left.
    statistics: SourceStatistics,
}

impl<R: PartReader, F: FnMut(&FilePart, Option<R>) -> Result<R> + Send> PartSequence<R, F> {
    /// `open` makes the reader of a part; it gets the reader of the part before, which may have something to go on with.
    pub(crate) fn new(parts: FileParts, open: F) -> Self {
        Self {
            parts,
            open,
            current: None,
            current_part: None,
            between: true,
            statistics: SourceStatistics::default(),
        }
    }
}

impl<R: PartReader, F: FnMut(&FilePart, Option<R>) -> Result<R> + Send> BatchReader for PartSequence<R, F> {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        loop {
            if !self.between
                && let Some(reader) = &mut self.current
            {
                if reader.fill()? {
                    return Ok(true);
                }
                self.between = true;
            }
            match self.parts.next()? {
                NextPart::Part(part) => {
                    let before = self.current.take();
                    self.statistics += before.as_ref().map(R::statistics).unwrap_or_default();
                    self.current = Some((self.open)(&part, before)?);
                    self.current_part = Some(part);
                    self.between = false;
                }
                NextPart::Waiting => return Err(Interrupt::Waiting),
                NextPart::Ended => return Ok(false),
            }
        }
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        self.current.as_mut().map_or(Ok(None), R::take_frame)
    }

    fn wait(&mut self, timeout: Duration) {
        match &mut self.current {
            Some(reader) if !self.between => reader.wait(timeout),
            _ => self.parts.wait(timeout),
        }
    }

    fn place(&self) -> String {
        self.current.as_ref().map_or_else(|| "null".to_owned(), R::place)
    }

    fn left(&self) -> Result<PartsLeft> {
        let current = match (&self.current, &self.current_part) {
            (Some(reader), Some(part)) if !self.between => reader.rest(part),
            _ => None,
        };
        PartsLeft::of(current, &self.parts)
    }

    fn restore(&mut self, left: VecDeque<FilePart>, watched: &[WatchedFile]) {
        self.parts.restore(left, watched);
    }

    fn statistics(&self) -> SourceStatistics {
        let mut statistics = self.statistics;
        statistics += self.current.as_ref().map(R::statistics).unwrap_or_default();
        statistics
    }
}
