//! The lines of a file that begin in a range of bytes, in blocks of whole lines.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sage_types::{ErrorCode, Result, SageError};

use crate::files::{FilePart, OPEN_END, PartStart};
use crate::input::{ByteInput, Filled};

/// Bytes that are read at once: few system calls, and what was read is still in the cache when it is parsed.
const BLOCK_BYTES: usize = 256 * 1024;
/// A buffer that a long line made larger than this is given back.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads the lines of a file that begin in a range of its bytes: each line belongs to exactly one of the ranges.
///
/// A block holds whole lines only, and each ends with `\n`: the last one of a file gets one where it has none.
#[derive(Debug)]
pub(crate) struct LineBlocks {
    input: ByteInput,
    path: PathBuf,
    /// Lines that begin here or later belong to others. `u64::MAX` where the size is not known.
    range_end: u64,
    /// The file has at least this many bytes, unless it shrinks.
    expected_bytes: u64,
    max_line_bytes: usize,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that hold data.
    filled: usize,
    /// Bytes of `buffer` that are the block.
    block: usize,
    /// Bytes of `buffer` that are known to have no line end, while a line is not complete.
    searched: usize,
    /// Position in the file (what it unpacks to, if it is compressed) of the first byte of `buffer`.
    offset: u64,
    /// Lines before the buffer, where the file cannot be read again to count them.
    lines_before: Option<u64>,
    state: State,
    /// Bytes at the end of the block that are not in the file: the line end that was missing.
    appended: usize,
    /// The range begins with a line.
    aligned: bool,
    /// Bytes of what the file unpacks to that were read by an earlier process.
    skipped_to: u64,
    plain: bool,
}

/// What reading on gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextBlock {
    Lines,
    /// Nothing yet, because another process or thread takes its time.
    Waiting,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has been read.
    Start,
    Reading,
    /// All that belongs to the range is in the buffer.
    LastBlock,
    End,
}

impl LineBlocks {
    /// No lines at all.
    pub(crate) fn empty() -> Self {
        Self::new(ByteInput::Nothing, PathBuf::new(), State::End, 0, Vec::new())
    }

    /// Opens the file of a part. `buffer` is one that was used before, or a new one.
    ///
    /// # Errors
    /// `SAGE_IO_*`.
    pub(crate) fn open(part: &FilePart, max_line_bytes: usize, buffer: Vec<u8>) -> Result<Self> {
        let input = ByteInput::open(part)?;
        let path = part.file.shown_path().to_owned();
        let plain = input.is_plain_file();
        let mut blocks = Self::new(input, path, State::Start, max_line_bytes, buffer);
        blocks.lines_before = (!plain).then_some(0);
        if let Some(range) = part.range.clone().filter(|_| plain) {
            (blocks.offset, blocks.range_end) = (range.start, range.end);
            blocks.expected_bytes = if range.end == OPEN_END { 0 } else { range.end };
        }
        match part.start {
            PartStart::Record => blocks.aligned = true,
            PartStart::Unpacked(at) => (blocks.skipped_to, blocks.expected_bytes) = (at, at),
            PartStart::Range | PartStart::Records(_) | PartStart::Blocks { .. } => {}
        }
        blocks.plain = plain;
        Ok(blocks)
    }

    fn new(input: ByteInput, path: PathBuf, state: State, max_line_bytes: usize, buffer: Vec<u8>) -> Self {
        Self {
            input,
            path,
            range_end: u64::MAX,
            expected_bytes: 0,
            max_line_bytes,
            buffer,
            filled: 0,
            block: 0,
            searched: 0,
            offset: 0,
            lines_before: None,
            state,
            appended: 0,
            aligned: false,
            skipped_to: 0,
            plain: false,
        }
    }

    /// What is left of the part, which was opened, behind position `at` of the block.
    pub(crate) fn rest(&self, part: &FilePart, at: usize) -> Option<FilePart> {
        if self.state == State::Start {
            return Some(part.clone());
        }
        part.behind(self.plain, self.position_of(at), self.range_end)
    }

    /// The buffer, for the next file.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The whole lines that were read last.
    pub(crate) fn block(&self) -> &[u8] {
        &self.buffer[..self.block]
    }

    /// Position of the block in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Position in the file of position `at` of the block.
    pub(crate) fn position_of(&self, at: usize) -> u64 {
        self.offset + at.min(self.block.saturating_sub(self.appended)) as u64
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number (from 1) of the line at the beginning of the block, where it was counted because the file cannot be read
    /// again.
    pub(crate) fn counted_line(&self) -> Option<u64> {
        self.lines_before.map(|before| before + 1)
    }

    /// Waits until there may be more, up to `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        self.input.wait(timeout);
    }

    /// Reads the next block. While it waits, the last block stays as it is, and is dropped already where it was taken.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_COMPRESSED`, `SAGE_FORMAT_RECORD` for a line that is too long.
    pub(crate) fn next_block(&mut self) -> Result<NextBlock> {
        match self.state {
            State::Start => {
                if self.find_first_line()? == NextBlock::Waiting {
                    return Ok(NextBlock::Waiting);
                }
            }
            State::Reading => self.drop_block(),
            State::LastBlock | State::End => {
                self.drop_block();
                self.state = State::End;
            }
        }
        if self.state == State::End || self.offset >= self.range_end {
            self.state = State::End;
            return Ok(NextBlock::Ended);
        }
        loop {
            // What belongs to others ends the range: the first line that begins at its end or behind.
            if self.offset + self.filled as u64 >= self.range_end {
                let last =
                    usize::try_from(self.range_end.saturating_sub(self.offset + 1)).unwrap_or(usize::MAX);
                if let Some(found) =
                    memchr::memchr(b'\n', self.buffer.get(last..self.filled).unwrap_or_default())
                {
                    return self.accept(last + found + 1, State::LastBlock);
                }
            }
            if let Some(found) = memchr::memrchr(b'\n', &self.buffer[self.searched..self.filled]) {
                return self.accept(self.searched + found + 1, State::Reading);
            }
            self.searched = self.filled;
            match self.read_more()? {
                Filled::Bytes(_) => {}
                Filled::NotYet => return Ok(NextBlock::Waiting),
                Filled::End => return self.end_of_file(),
            }
        }
    }

    /// Takes the lines before `end` as the block: those before the first one that is too long.
    fn accept(&mut self, end: usize, state: State) -> Result<NextBlock> {
        (self.block, self.state) = (end, state);
        // Whatever is shorter in all has no line that is too long: by default nothing is looked at twice.
        if end <= self.max_line_bytes {
            return Ok(NextBlock::Lines);
        }
        let mut start = 0;
        for line_end in memchr::memchr_iter(b'\n', &self.buffer[..end]) {
            if line_end - start > self.max_line_bytes {
                (self.block, self.state) = (start, State::Reading);
                return if start == 0 {
                    Err(self.too_long())
                } else {
                    Ok(NextBlock::Lines)
                };
            }
            start = line_end + 1;
        }
        Ok(NextBlock::Lines)
    }

    fn too_long(&self) -> SageError {
        let path = self.path.display();
        SageError::new(
            ErrorCode::FormatRecord,
            format!(
                "{path} has a line of more than {} bytes, which begins at byte {}; the option maxLineBytes sets the limit",
                self.max_line_bytes, self.offset
            ),
        )
        .with("file", path.to_string())
        .with("byte", self.offset)
    }

    /// The file has ended: what is left is a line without a line end.
    fn end_of_file(&mut self) -> Result<NextBlock> {
        let end = self.offset + self.filled as u64;
        if end < self.expected_bytes {
            let path = self.path.display();
            return Err(SageError::new(
                ErrorCode::IoTruncated,
                format!("{path} became shorter while it was read: it ended at byte {end}"),
            )
            .with("file", path.to_string())
            .with("byte", end));
        }
        if self.filled == 0 {
            self.state = State::End;
            return Ok(NextBlock::Ended);
        }
        self.reserve(1);
        self.buffer[self.filled] = b'\n';
        self.filled += 1;
        self.appended = 1;
        self.block = self.filled;
        self.state = State::LastBlock;
        Ok(NextBlock::Lines)
    }

    /// Goes to the first line that begins in the range.
    fn find_first_line(&mut self) -> Result<NextBlock> {
        if self.skipped_to > 0 {
            return self.skip_unpacked();
        }
        if self.aligned && self.offset > 0 {
            self.input.seek(&self.path, self.offset)?;
            self.state = State::Reading;
            return Ok(NextBlock::Lines);
        }
        if self.offset == 0 {
            while BYTE_ORDER_MARK.starts_with(&self.buffer[..self.filled])
                && self.filled < BYTE_ORDER_MARK.len()
            {
                match self.read_more()? {
                    Filled::Bytes(_) => {}
                    Filled::NotYet => return Ok(NextBlock::Waiting),
                    Filled::End => break,
                }
            }
            self.state = State::Reading;
            if self.buffer[..self.filled].starts_with(BYTE_ORDER_MARK) {
                self.drop_front(BYTE_ORDER_MARK.len());
                // A range that ends inside the mark: the first line begins behind it, and yet it is this range's.
                self.range_end = self.range_end.max(self.offset + 1);
            }
            return Ok(NextBlock::Lines);
        }
        self.state = State::Reading;
        // The line in whose middle the range begins belongs to the range before.
        self.offset -= 1;
        self.input.seek(&self.path, self.offset)?;
        loop {
            // Only files have ranges, and they keep nobody waiting.
            if !matches!(self.read_more()?, Filled::Bytes(_)) {
                self.state = State::End;
                return Ok(NextBlock::Ended);
            }
            let found = memchr::memchr(b'\n', &self.buffer[..self.filled]);
            self.drop_front(found.map_or(self.filled, |found| found + 1));
            if self.offset >= self.range_end {
                self.state = State::End;
                return Ok(NextBlock::Ended);
            }
            if found.is_some() {
                return Ok(NextBlock::Lines);
            }
        }
    }

    /// Reads again what an earlier process has read.
    fn skip_unpacked(&mut self) -> Result<NextBlock> {
        while self.offset < self.skipped_to {
            if self.filled == 0 {
                match self.read_more()? {
                    Filled::Bytes(_) => {}
                    Filled::NotYet => return Ok(NextBlock::Waiting),
                    Filled::End => return self.end_of_file(),
                }
            }
            let left = usize::try_from(self.skipped_to - self.offset).unwrap_or(usize::MAX);
            let bytes = left.min(self.filled);
            if let Some(lines) = &mut self.lines_before {
                *lines += memchr::memchr_iter(b'\n', &self.buffer[..bytes]).count() as u64;
            }
            self.drop_front(bytes);
        }
        self.state = State::Reading;
        Ok(NextBlock::Lines)
    }

    fn drop_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        if let Some(lines) = &mut self.lines_before {
            *lines += memchr::memchr_iter(b'\n', &self.buffer[..block]).count() as u64;
        }
        self.drop_front(block);
        self.offset -= std::mem::take(&mut self.appended) as u64;
    }

    fn drop_front(&mut self, bytes: usize) {
        self.searched = self.searched.saturating_sub(bytes);
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
        self.offset += bytes as u64;
        if self.buffer.len() > KEPT_BYTES && self.filled < BLOCK_BYTES {
            self.buffer.truncate(2 * BLOCK_BYTES);
            self.buffer.shrink_to_fit();
        }
    }

    fn read_more(&mut self) -> Result<Filled> {
        if self.filled > self.max_line_bytes {
            return Err(self.too_long());
        }
        // A long line doubles the buffer, so that it is copied a few times only.
        self.reserve(BLOCK_BYTES.max(self.filled));
        let read = self.input.read(&self.path, &mut self.buffer[self.filled..]);
        let read = read.map_err(|error| self.placed(error))?;
        if let Filled::Bytes(bytes) = read {
            self.filled += bytes;
        }
        Ok(read)
    }

    fn reserve(&mut self, bytes: usize) {
        if self.buffer.len() < self.filled + bytes {
            self.buffer.resize(self.filled + bytes, 0);
        }
    }

    /// An error of the input with the position up to which all went well.
    fn placed(&self, error: SageError) -> SageError {
        error.with("byte", self.offset + self.filled as u64)
    }
}
