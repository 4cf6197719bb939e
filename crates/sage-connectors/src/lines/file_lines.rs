//! The lines of one file after the other.

use std::collections::VecDeque;
use std::time::Duration;

use sage_types::Result;

use crate::files::{FilePart, FileParts, NextPart, PartsLeft, WatchedFile};
use crate::lines::{LineBlocks, NextBlock};

/// Reads the lines of all parts of files that an instance has. A block never holds lines of two files.
#[derive(Debug)]
pub(crate) struct FileLines {
    parts: FileParts,
    current: LineBlocks,
    current_part: Option<FilePart>,
    max_line_bytes: usize,
    /// Whether the current part has ended, so that only a new one can bring more.
    between: bool,
}

impl FileLines {
    pub(crate) fn new(parts: FileParts, max_line_bytes: usize) -> Self {
        Self {
            parts,
            current: LineBlocks::empty(),
            current_part: None,
            max_line_bytes,
            between: true,
        }
    }

    /// The part that is being read, or was read last.
    pub(crate) fn current(&self) -> &LineBlocks {
        &self.current
    }

    /// Reads the next block, of this file or the next one.
    ///
    /// # Errors
    /// `SAGE_IO_*` and `SAGE_FORMAT_*`, each with its file.
    pub(crate) fn next_block(&mut self) -> Result<NextBlock> {
        loop {
            if !self.between {
                match self.current.next_block()? {
                    NextBlock::Ended => self.between = true,
                    next => return Ok(next),
                }
            }
            match self.parts.next()? {
                NextPart::Part(part) => {
                    let buffer = std::mem::replace(&mut self.current, LineBlocks::empty()).into_buffer();
                    self.current = LineBlocks::open(&part, self.max_line_bytes, buffer)?;
                    self.current_part = Some(part);
                    self.between = false;
                }
                NextPart::Waiting => return Ok(NextBlock::Waiting),
                NextPart::Ended => return Ok(NextBlock::Ended),
            }
        }
    }

    /// The parts that are left behind position `at` of the block.
    ///
    /// # Errors
    /// Those of [`FileParts::left`].
    pub(crate) fn left(&self, at: usize) -> Result<PartsLeft> {
        let part = self.current_part.as_ref().filter(|_| !self.between);
        PartsLeft::of(part.and_then(|part| self.current.rest(part, at)), &self.parts)
    }

    /// Reads these parts, and then new files that are none of those.
    pub(crate) fn restore(&mut self, left: VecDeque<FilePart>, watched: &[WatchedFile]) {
        self.parts.restore(left, watched);
    }

    /// Waits until there may be more, up to `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        if self.between {
            self.parts.wait(timeout);
        } else {
            self.current.wait(timeout);
        }
    }
}
