//! Lines that are known to be UTF-8.

use std::ops::Range;

use sage_types::{ErrorCode, Result};

use crate::lines::{LineBlocks, line_error};
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

/// Lines of a file, checked block by block, which is much faster than line by line.
#[derive(Debug)]
pub(crate) struct Utf8Lines {
    pub(crate) blocks: LineBlocks,
    invalid_utf8: InvalidUtf8,
    /// Position in the block of the next line.
    at: usize,
    /// Up to here (the end of a line) the block is well-formed.
    valid_to: usize,
    replaced: Vec<u8>,
}

impl Utf8Lines {
    pub(crate) fn new(blocks: LineBlocks, invalid_utf8: InvalidUtf8) -> Self {
        Self {
            blocks,
            invalid_utf8,
            at: 0,
            valid_to: 0,
            replaced: Vec::new(),
        }
    }

    /// Reads on; false at the end of the range.
    pub(crate) fn next_block(&mut self) -> Result<bool> {
        let read = self.blocks.next_block()?;
        self.at = 0;
        self.check();
        Ok(read)
    }

    /// What comes next in the block.
    ///
    /// # Errors
    /// `SAGE_FORMAT_UTF8` when a malformed line comes next and is not to be mended.
    pub(crate) fn next_lines(&mut self) -> Result<NextLines> {
        let block = self.blocks.block();
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
            return Err(line_error(
                ErrorCode::FormatUtf8,
                &self.blocks,
                self.at,
                self.at + bad,
                what,
            ));
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

    /// Position in the file of the next line.
    pub(crate) fn position(&self) -> u64 {
        self.blocks.position_of(self.at)
    }

    /// Position in the block of the next line.
    pub(crate) fn position_in_block(&self) -> usize {
        self.at
    }

    fn line_end(&self) -> usize {
        let block = self.blocks.block();
        memchr::memchr(b'\n', &block[self.at..]).map_or(block.len(), |found| self.at + found + 1)
    }

    fn check(&mut self) {
        let rest = &self.blocks.block()[self.at..];
        self.valid_to = self.at
            + match std::str::from_utf8(rest) {
                Ok(_) => rest.len(),
                Err(error) => {
                    memchr::memrchr(b'\n', &rest[..error.valid_up_to()]).map_or(0, |found| found + 1)
                }
            };
    }
}
