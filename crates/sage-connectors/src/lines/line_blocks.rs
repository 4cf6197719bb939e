//! The lines of a file that begin in a range of bytes, in blocks of whole lines.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};

use crate::SourceSplit;
use crate::io_error::{IoAction, io_error};
use crate::open_file::open_file;

/// Bytes that are read at once: few system calls, and what was read is still in the cache when it is parsed.
const BLOCK_BYTES: usize = 256 * 1024;
/// A buffer that a long line made larger than this is given back.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads the lines of a file that begin in its split's range: each line belongs to exactly one of the splits.
///
/// A block holds whole lines only, and each ends with `\n`: the last one of a file gets one where it has none.
#[derive(Debug)]
pub(crate) struct LineBlocks {
    /// None where another instance reads all of it.
    file: Option<File>,
    path: PathBuf,
    /// Whether splitting and seeking are possible.
    regular: bool,
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
    /// Position in the file of the first byte of `buffer`.
    offset: u64,
    state: State,
    /// Bytes at the end of the block that are not in the file: the line end that was missing.
    appended: usize,
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
    /// Opens the file. `bytes` is its size when the splits were planned, `None` asks the file now.
    pub(crate) fn open(
        path: &Path,
        split: SourceSplit,
        bytes: Option<u64>,
        max_line_bytes: usize,
    ) -> Result<Self> {
        // A pipe cannot be split: the first instance reads it all. The others must not even open it: that would wait for a
        // writer, and ending it again would take the writer's only reader away.
        if split.instance != 0 && is_pipe(path) {
            return Ok(Self::new(path, None, 0..0, false, max_line_bytes));
        }
        let (file, metadata) = open_file(path)?;
        // Files of /proc have no size and yet something in them; a file that is empty is no worse off.
        let regular = metadata.is_file() && (bytes.is_some() || metadata.len() > 0);
        let range = if regular {
            split.byte_range(bytes.unwrap_or(metadata.len()))
        } else if split.instance == 0 {
            0..u64::MAX
        } else {
            0..0
        };
        Ok(Self::new(path, Some(file), range, regular, max_line_bytes))
    }

    fn new(path: &Path, file: Option<File>, range: Range<u64>, regular: bool, max_line_bytes: usize) -> Self {
        let empty = range.is_empty();
        Self {
            file,
            path: path.to_owned(),
            regular,
            range_end: range.end,
            expected_bytes: if regular { range.end } else { 0 },
            max_line_bytes,
            buffer: Vec::new(),
            filled: 0,
            block: 0,
            offset: range.start,
            state: if empty { State::End } else { State::Start },
            appended: 0,
        }
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

    /// Whether reading may wait for another process.
    pub(crate) fn may_wait(&self) -> bool {
        !self.regular
    }

    /// Reads the next block; false at the end.
    pub(crate) fn next_block(&mut self) -> Result<bool> {
        match self.state {
            State::Start => self.find_first_line()?,
            State::Reading => self.drop_block(),
            State::LastBlock | State::End => {
                self.drop_block();
                self.state = State::End;
            }
        }
        if self.state == State::End || self.offset >= self.range_end {
            self.state = State::End;
            return Ok(false);
        }
        let mut searched = 0;
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
            if let Some(found) = memchr::memrchr(b'\n', &self.buffer[searched..self.filled]) {
                return self.accept(searched + found + 1, State::Reading);
            }
            searched = self.filled;
            if self.read_more()? == 0 {
                return self.end_of_file();
            }
        }
    }

    /// Takes the lines before `end` as the block: those before the first one that is too long.
    fn accept(&mut self, end: usize, state: State) -> Result<bool> {
        (self.block, self.state) = (end, state);
        // Whatever is shorter in all has no line that is too long: by default nothing is looked at twice.
        if end <= self.max_line_bytes {
            return Ok(true);
        }
        let mut start = 0;
        for line_end in memchr::memchr_iter(b'\n', &self.buffer[..end]) {
            if line_end - start > self.max_line_bytes {
                (self.block, self.state) = (start, State::Reading);
                return if start == 0 {
                    Err(self.too_long())
                } else {
                    Ok(true)
                };
            }
            start = line_end + 1;
        }
        Ok(true)
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
    fn end_of_file(&mut self) -> Result<bool> {
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
            return Ok(false);
        }
        self.reserve(1);
        self.buffer[self.filled] = b'\n';
        self.filled += 1;
        self.appended = 1;
        self.block = self.filled;
        self.state = State::LastBlock;
        Ok(true)
    }

    /// Goes to the first line that begins in the range.
    fn find_first_line(&mut self) -> Result<()> {
        self.state = State::Reading;
        if self.offset == 0 {
            while self.filled < BYTE_ORDER_MARK.len() && self.read_more()? > 0 {}
            if self.buffer[..self.filled].starts_with(BYTE_ORDER_MARK) {
                self.drop_front(BYTE_ORDER_MARK.len());
                // A range that ends inside the mark: the first line begins behind it, and yet it is this range's.
                self.range_end = self.range_end.max(self.offset + 1);
            }
            return Ok(());
        }
        // The line in whose middle the range begins belongs to the range before.
        self.offset -= 1;
        let sought = self
            .file
            .as_mut()
            .map(|file| file.seek(SeekFrom::Start(self.offset)));
        sought.transpose().map_err(|error| self.error(&error))?;
        loop {
            if self.read_more()? == 0 {
                self.state = State::End;
                return Ok(());
            }
            let found = memchr::memchr(b'\n', &self.buffer[..self.filled]);
            self.drop_front(found.map_or(self.filled, |found| found + 1));
            if self.offset >= self.range_end {
                self.state = State::End;
                return Ok(());
            }
            if found.is_some() {
                return Ok(());
            }
        }
    }

    fn drop_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.drop_front(block);
        self.offset -= std::mem::take(&mut self.appended) as u64;
    }

    fn drop_front(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
        self.offset += bytes as u64;
        if self.buffer.len() > KEPT_BYTES && self.filled < BLOCK_BYTES {
            self.buffer.truncate(2 * BLOCK_BYTES);
            self.buffer.shrink_to_fit();
        }
    }

    fn read_more(&mut self) -> Result<usize> {
        if self.filled > self.max_line_bytes {
            return Err(self.too_long());
        }
        // A long line doubles the buffer, so that it is copied a few times only.
        self.reserve(BLOCK_BYTES.max(self.filled));
        let Some(file) = &mut self.file else {
            return Ok(0);
        };
        loop {
            match file.read(&mut self.buffer[self.filled..]) {
                Ok(bytes) => {
                    self.filled += bytes;
                    return Ok(bytes);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(&error)),
            }
        }
    }

    fn reserve(&mut self, bytes: usize) {
        if self.buffer.len() < self.filled + bytes {
            self.buffer.resize(self.filled + bytes, 0);
        }
    }

    fn error(&self, error: &std::io::Error) -> SageError {
        io_error(IoAction::Read, &self.path, error).with("byte", self.offset + self.filled as u64)
    }
}

fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}
