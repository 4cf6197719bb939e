//! What reads the records of a format.

use std::collections::VecDeque;
use std::time::Duration;

use sage_frame::Frame;
use sage_types::Result;

use crate::SourceStatistics;
use crate::files::{FilePart, PartsLeft, WatchedFile};
use crate::input::Interrupt;

/// A reader of one part of a file.
pub(crate) trait PartReader: BatchReader {
    /// What is left of the part, which it was opened for, behind the frames that were taken.
    fn rest(&self, part: &FilePart) -> Option<FilePart>;
}

/// Reads records into columns, batch by batch. [`crate::sources::ReaderSource`] makes a source of it: a reader need not care
/// about what comes after a failure, nor count what it gives.
pub(crate) trait BatchReader: Send {
    /// Reads on until there are records for a batch: true when there are some to take, false when no more come.
    ///
    /// # Errors
    /// `SAGE_IO_*` and `SAGE_FORMAT_*`, with `file` and the place in it. What was read before is good, and is taken.
    fn fill(&mut self) -> Result<bool, Interrupt>;

    /// The records that were read; `None` when there are none.
    ///
    /// # Errors
    /// `SAGE_FORMAT_*` of formats whose values are looked at only now, `SAGE_LIMIT_*`.
    fn take_frame(&mut self) -> Result<Option<Frame>>;

    /// As [`crate::BatchSource::wait`]. Readers that never wait need none.
    fn wait(&mut self, timeout: Duration) {
        let _ = timeout;
    }

    /// As [`crate::BatchSource::place`].
    fn place(&self) -> String;

    /// The parts that are left to read behind the frames that were taken; none of a reader of a single part.
    ///
    /// # Errors
    /// Those of [`crate::files::FileParts::left`].
    fn left(&self) -> Result<PartsLeft> {
        Ok(PartsLeft::default())
    }

    /// Reads these parts, and then new files that are none of those. Called before anything is read.
    fn restore(&mut self, left: VecDeque<FilePart>, watched: &[WatchedFile]) {
        let _ = (left, watched);
    }

    /// What was left out and mended so far.
    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}
