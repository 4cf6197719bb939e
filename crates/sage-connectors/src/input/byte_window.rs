//! A part of an input that slides over it, for formats whose records may contain line ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sage_types::{ErrorCode, Result, SageError};

use crate::input::{ByteInput, Filled, Interrupt, byte_position};

/// Bytes that are read at once: few system calls, and what was read is still in the cache when it is parsed.
const BLOCK_BYTES: usize = 256 * 1024;
/// A buffer that a long record made larger than this is given back.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of an input that have been read and not yet been used.
pub(crate) struct ByteWindow {
    input: ByteInput,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Position in `buffer` of the first byte that is not used up.
    start: usize,
    /// Bytes of `buffer` that hold data.
    filled: usize,
    /// Position in the input of the byte at `start`.
    offset: u64,
    /// Line ends before `start`.
    line_ends: u64,
    /// The byte before `start` is a carriage return.
    after_return: bool,
    /// A record longer than this is an error.
    max_record_bytes: usize,
    ended: bool,
    /// The last byte is a line end that is not in the input.
    closed: bool,
}

impl ByteWindow {
    /// `path` is for messages; `buffer` is one that was used before, or a new one.
    pub(crate) fn new(input: ByteInput, path: &Path, max_record_bytes: usize, buffer: Vec<u8>) -> Self {
        Self {
            input,
            path: path.to_owned(),
            buffer,
            start: 0,
            filled: 0,
            offset: 0,
            line_ends: 0,
            after_return: false,
            max_record_bytes,
            ended: false,
            closed: false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.filled]
    }

    /// Bytes of the window that are of the input, without a line end that is not.
    pub(crate) fn input_len(&self) -> usize {
        self.bytes().len() - usize::from(self.closed)
    }

    /// Position in the input of byte `at` of the window.
    pub(crate) fn position_of(&self, at: usize) -> u64 {
        self.offset + at.min(self.input_len()) as u64
    }

    /// The same as [`crate::BatchSource::place`] gives it.
    pub(crate) fn json_position(&self, at: usize) -> String {
        byte_position(&self.path, self.position_of(at))
    }

    /// Number, from 1, of the line in which byte `at` of the window is.
    pub(crate) fn line_of(&self, at: usize) -> u64 {
        let before = &self.buffer[self.start..self.start + at];
        1 + self.line_ends + count_line_ends(before, self.after_return)
    }

    /// Uses up the first `bytes` bytes of the window.
    pub(crate) fn consume(&mut self, bytes: usize) {
        let used = &self.buffer[self.start..self.start + bytes];
        self.line_ends += count_line_ends(used, self.after_return);
        self.after_return = used.last().map_or(self.after_return, |&byte| byte == b'\r');
        self.start += bytes;
        self.offset += bytes as u64;
        if self.closed && self.start == self.filled {
            self.offset -= 1;
            self.closed = false;
        }
    }

    /// Uses up a byte order mark at the very beginning. It is not part of the text.
    ///
    /// # Errors
    /// Those of [`ByteWindow::read_more`].
    pub(crate) fn skip_byte_order_mark(&mut self) -> Result<(), Interrupt> {
        while self.filled < BYTE_ORDER_MARK.len()
            && BYTE_ORDER_MARK.starts_with(&self.buffer[..self.filled])
            && self.read_more(0)?
        {}
        if self.bytes().starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// Reads more behind the window; false when the input has ended. The record in progress begins at `record` of the window.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_COMPRESSED`, and `SAGE_FORMAT_RECORD` when that record is already longer than one may be.
    pub(crate) fn read_more(&mut self, record: usize) -> Result<bool, Interrupt> {
        if self.ended {
            return Ok(false);
        }
        let held = self.filled - self.start;
        self.check_length(record, held)?;
        self.buffer.copy_within(self.start..self.filled, 0);
        (self.start, self.filled) = (0, held);
        if self.buffer.len() > KEPT_BYTES && held < BLOCK_BYTES {
            self.buffer.truncate(2 * BLOCK_BYTES);
            self.buffer.shrink_to_fit();
        }
        // One byte more for the line end that may be missing.
        let wanted = held + BLOCK_BYTES.max(held);
        if self.buffer.len() <= wanted {
            self.buffer.resize(wanted + 1, 0);
        }
        loop {
            let read = self.input.read(&self.path, &mut self.buffer[self.filled..wanted]);
            match read.map_err(|error| error.with("byte", self.offset + self.filled as u64))? {
                Filled::Bytes(bytes) => self.filled += bytes,
                Filled::NotYet if self.filled == held => return Err(Interrupt::Waiting),
                Filled::NotYet => return Ok(true),
                Filled::End => {
                    self.ended = true;
                    return Ok(self.filled > held);
                }
            }
            // A long record is looked at again from its start: only when it may have doubled, and not for each piece of a pipe.
            if held < BLOCK_BYTES || self.filled == wanted {
                return Ok(true);
            }
        }
    }

    /// Waits until there may be more, up to `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        self.input.wait(timeout);
    }

    /// The buffer, for the next file.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The error for an input that ended before `expected_bytes`; `None` when it did not.
    pub(crate) fn truncated(&self, expected_bytes: u64) -> Option<SageError> {
        let end = self.position_of(self.bytes().len());
        if end >= expected_bytes {
            return None;
        }
        let path = self.path.display().to_string();
        let message = format!("{path} became shorter while it was read: it ended at byte {end}");
        let error = SageError::new(ErrorCode::IoTruncated, message);
        Some(error.with("file", path).with("byte", end))
    }

    /// At the end of the input: gives the last line its line end where it has none. False when there is nothing to end.
    pub(crate) fn close_last_line(&mut self) -> bool {
        let missing = self.ended && !self.closed && self.bytes().last().is_some_and(|&byte| byte != b'\n');
        if missing {
            self.buffer.truncate(self.filled);
            self.buffer.push(b'\n');
            self.filled += 1;
            self.closed = true;
        }
        missing
    }

    /// Refuses a record, from `start` to `end` of the window, that is too long.
    ///
    /// # Errors
    /// `SAGE_FORMAT_RECORD`.
    #[inline]
    pub(crate) fn check_length(&self, start: usize, end: usize) -> Result<()> {
        if end - start <= self.max_record_bytes {
            return Ok(());
        }
        Err(self.too_long(start))
    }

    #[cold]
    fn too_long(&self, start: usize) -> SageError {
        let path = self.path.display();
        let line = self.line_of(start);
        SageError::new(
            ErrorCode::FormatRecord,
            format!(
                "{path}, line {line}: a record begins here that has more than {} bytes; if it is no quote that is never closed, raise the limit with the option maxRecordBytes",
                self.max_record_bytes
            ),
        )
        .with("file", path.to_string())
        .with("line", line)
        .with("byte", self.position_of(start))
    }
}

impl std::fmt::Debug for ByteWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteWindow")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .field("bytes", &(self.filled - self.start))
            .finish_non_exhaustive()
    }
}

/// Line ends in `bytes`: `\n`, `\r\n` and a lone `\r`, each once.
fn count_line_ends(bytes: &[u8], after_return: bool) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    if !after_return && memchr::memchr(b'\r', bytes).is_none() {
        return feeds as u64;
    }
    let returns = memchr::memchr_iter(b'\r', bytes).count();
    let pairs = bytes
        .windows(2)
        .map(|pair| usize::from(pair == b"\r\n"))
        .sum::<usize>();
    // The feed of a pair whose return was counted before.
    let split = usize::from(after_return && bytes.first() == Some(&b'\n'));
    (feeds + returns - pairs - split) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Pieces;

    #[test]
    fn line_ends_of_every_kind_count_once_wherever_the_text_is_cut() {
        let text = b"a\r\nb\nc\r\rd\r\n\r\n\ne\r";
        let whole = count_line_ends(text, false);
        assert_eq!(whole, 8);
        for cut in 0..=text.len() {
            let (first, rest) = text.split_at(cut);
            let counted = count_line_ends(first, false) + count_line_ends(rest, first.last() == Some(&b'\r'));
            assert_eq!(counted, whole, "{cut}");
        }
    }

    #[test]
    fn the_window_slides_and_knows_where_it_is() {
        let input = ByteInput::Pieces(Pieces::new(b"\xEF\xBB\xBFab\ncd".to_vec(), vec![2]));
        let mut window = ByteWindow::new(input, Path::new("x"), 100, Vec::new());
        window.skip_byte_order_mark().unwrap();
        while window.read_more(0).unwrap() {}
        assert_eq!((window.bytes(), window.position_of(3)), (&b"ab\ncd"[..], 6));
        assert_eq!((window.line_of(2), window.line_of(3)), (1, 2));
        assert!(window.close_last_line());
        assert!(!window.close_last_line());
        window.consume(3);
        assert_eq!((window.bytes(), window.line_of(0)), (&b"cd\n"[..], 2));
        window.consume(3);
        assert_eq!(window.position_of(0), 8);
    }

    #[test]
    fn a_record_beyond_the_limit_is_an_error_and_not_a_buffer() {
        let input = ByteInput::Pieces(Pieces::new(vec![b'x'; 2 * BLOCK_BYTES], Vec::new()));
        let mut window = ByteWindow::new(input, Path::new("x"), 1000, Vec::new());
        assert!(window.read_more(0).unwrap());
        let error = window.read_more(0).unwrap_err();
        assert!(matches!(error, Interrupt::Failed(error) if error.code == ErrorCode::FormatRecord));
    }

    #[test]
    fn a_wait_leaves_the_window_as_it_is() {
        let input = ByteInput::Pieces(Pieces::new(b"ab".to_vec(), vec![1, 0]));
        let mut window = ByteWindow::new(input, Path::new("x"), 1000, Vec::new());
        assert!(window.read_more(0).unwrap());
        assert!(matches!(window.read_more(0), Err(Interrupt::Waiting)));
        assert_eq!(window.bytes(), b"a");
        assert!(window.read_more(0).unwrap());
        assert_eq!(window.bytes(), b"ab");
    }
}
