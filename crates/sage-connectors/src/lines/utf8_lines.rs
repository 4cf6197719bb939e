//! Lines that are known to be UTF-8.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use sage_types::{ErrorCode, Result, SageError};

use crate::files::{FilePart, PartsLeft, WatchedFile};
use crate::input::byte_position;
use crate::lines::{FileLines, NextBlock, line_error};
use crate::spec::InvalidUtf8;

/// What comes next in a file of lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextLines {
    /// Whole lines of well-formed UTF-8 in this part of the block.
    Valid(Range<usize>),
    /// One line in which malformed bytes were replaced; see [`Utf8Lines::replaced`].
    Replaced,
    /// The block has no more lines.
    BlockEnded,
}

/// Lines of files, checked block by block, which is much faster than line by line.
#[derive(Debug)]
pub(crate) struct Utf8Lines {
    files: FileLines,
    invalid_utf8: InvalidUtf8,
    /// Position in the block of the next line.
    at: usize,
    /// Up to here (the end of a line) the block is well-formed.
    valid_to: usize,
    replaced: Vec<u8>,
}

impl Utf8Lines {
    pub(crate) fn new(files: FileLines, invalid_utf8: InvalidUtf8) -> Self {
        Self {
            files,
            invalid_utf8,
            at: 0,
            valid_to: 0,
            replaced: Vec::new(),
        }
    }

    /// Reads on when the block has ended.
    ///
    /// # Errors
    /// Those of [`FileLines::next_block`].
    pub(crate) fn next_block(&mut self) -> Result<NextBlock> {
        let next = self.files.next_block()?;
        self.at = 0;
        self.check();
        Ok(next)
    }

    /// Waits until there may be a block, up to `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        self.files.wait(timeout);
    }

    /// The block, in which [`NextLines`] are ranges.
    pub(crate) fn block(&self) -> &[u8] {
        self.files.current().block()
    }

    /// The error for position `at` of the block, in the line that begins at `line_start`.
    pub(crate) fn error(&self, code: ErrorCode, line_start: usize, at: usize, what: &str) -> SageError {
        line_error(code, self.files.current(), line_start, at, what)
    }

    /// What comes next in the block.
    ///
    /// # Errors
    /// `SAGE_FORMAT_UTF8` when a malformed line comes next and is not to be mended.
    pub(crate) fn next_lines(&mut self) -> Result<NextLines> {
        let block = self.files.current().block();
        if self.at < self.valid_to {
            return Ok(NextLines::Valid(self.at..self.valid_to));
        }
        if self.at == block.len() {
            return Ok(NextLines::BlockEnded);
        }
        let end = self.line_end();
        let line = &block[self.at..end];
        if self.invalid_utf8 == InvalidUtf8::Error {
            let bad = std::str::from_utf8(line).map_or_else(|error| error.valid_up_to(), |_| 0);
            let what = "these bytes are not UTF-8";
            return Err(self.error(ErrorCode::FormatUtf8, self.at, self.at + bad, what));
        }
        self.replaced.clear();
        self.replaced
            .extend_from_slice(String::from_utf8_lossy(line).as_bytes());
        Ok(NextLines::Replaced)
    }

    /// The mended line, with its line end.
    pub(crate) fn replaced(&self) -> &[u8] {
        &self.replaced
    }

    /// Goes on behind the lines before `at`.
    pub(crate) fn advance_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Goes on behind the line that was mended.
    pub(crate) fn advance_over_replaced(&mut self) {
        self.at = self.line_end();
        self.check();
    }

    /// File and position in it of the next line, as JSON.
    pub(crate) fn place(&self) -> String {
        let current = self.files.current();
        byte_position(current.path(), current.position_of(self.at))
    }

    /// The parts that are left behind the lines before.
    ///
    /// # Errors
    /// Those of [`crate::files::FileParts::left`].
    pub(crate) fn left(&self) -> Result<PartsLeft> {
        self.files.left(self.at)
    }

    /// Reads these parts, and then new files that are none of those.
    pub(crate) fn restore(&mut self, left: VecDeque<FilePart>, watched: &[WatchedFile]) {
        self.files.restore(left, watched);
    }

    /// Position in the block of the next line.
    pub(crate) fn position_in_block(&self) -> usize {
        self.at
    }

    fn line_end(&self) -> usize {
        let block = self.block();
        memchr::memchr(b'\n', &block[self.at..]).map_or(block.len(), |found| self.at + found + 1)
    }

    fn check(&mut self) {
        let rest = &self.block()[self.at..];
        self.valid_to = self.at
            + match std::str::from_utf8(rest) {
                Ok(_) => rest.len(),
                Err(error) => {
                    memchr::memrchr(b'\n', &rest[..error.valid_up_to()]).map_or(0, |found| found + 1)
                }
            };
    }
}
