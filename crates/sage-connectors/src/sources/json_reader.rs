//! Files of JSON documents.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sage_frame::{Frame, LayoutRegistry};
use sage_types::{ErrorCode, Result, SageError};

use crate::files::{FilePart, PartStart};
use crate::formats::json::{DocumentScanner, JsonCursor, JsonRows, Line, Scan, SyntaxError};
use crate::input::{ByteInput, ByteWindow, Interrupt};
use crate::lines::excerpt;
use crate::sources::{BatchReader, PartReader};
use crate::spec::JsonSourceSpec;

/// A batch is closed when its records had this many bytes, which is about 64 KiB of columns.
const BATCH_BYTES: usize = 128 * 1024;

/// Reads the elements of an array in a JSON document, or the document itself, into frames; however long the array is, memory is
/// needed for its longest element only.
#[derive(Debug)]
pub(crate) struct JsonReader {
    window: ByteWindow,
    scanner: DocumentScanner,
    /// Part of the window that the scanner made lines of.
    block: Range<usize>,
    /// Lines of the block that are not read yet.
    records: Range<usize>,
    /// Where the block has a byte that is none of UTF-8, behind those lines.
    malformed_at: Option<usize>,
    rows: JsonRows,
    /// A byte order mark would be here.
    at_start: bool,
    expected_bytes: u64,
    batch_rows: usize,
    batch_bytes: usize,
    /// Records that an earlier process has read.
    skipped: u64,
    /// Records so far, those included.
    read: u64,
}

impl JsonReader {
    /// Opens the file of a part, which is a whole one: what is inside which brackets is known from the beginning only.
    ///
    /// # Errors
    /// `SAGE_IO_*`.
    pub(crate) fn open(
        spec: &JsonSourceSpec,
        part: &FilePart,
        before: Option<Self>,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let input = ByteInput::open(part)?;
        let expected_bytes = part.file.bytes.filter(|_| input.is_plain_file());
        let (buffer, rows) = match before {
            Some(before) => (before.window.into_buffer(), before.rows),
            None => (Vec::new(), JsonRows::new(spec.columns.as_deref(), registry)),
        };
        let window = ByteWindow::new(input, part.file.shown_path(), spec.max_record_bytes, buffer);
        let mut reader = Self::over(window, spec, rows);
        reader.expected_bytes = expected_bytes.unwrap_or(0);
        if let PartStart::Records(records) = part.start {
            reader.skipped = records;
        }
        Ok(reader)
    }

    /// Reads an input from its beginning.
    pub(crate) fn over(window: ByteWindow, spec: &JsonSourceSpec, rows: JsonRows) -> Self {
        Self {
            window,
            scanner: DocumentScanner::new(spec.at.clone()),
            block: 0..0,
            records: 0..0,
            malformed_at: None,
            rows,
            at_start: true,
            expected_bytes: 0,
            batch_rows: spec.batch_rows,
            batch_bytes: 0,
            skipped: 0,
            read: 0,
        }
    }

    fn begin_block(&mut self, block: Range<usize>) {
        let text = &self.window.bytes()[block.clone()];
        let valid = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
        // The records before are good.
        let good = memchr::memrchr(b'\n', &text[..valid]).map_or(0, |found| found + 1);
        self.malformed_at = (valid < text.len()).then_some(block.start + valid);
        self.records = block.start..block.start + good;
        self.block = block;
    }

    /// Makes the window what it was, as far as its lines go.
    fn finish_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.records = 0..0;
        if !block.is_empty() {
            self.scanner.restore(&mut self.window.bytes_mut()[block]);
        }
    }

    /// Reads records of the block; true when there is a batch.
    fn read_records(&mut self) -> Result<bool> {
        if self.read < self.skipped {
            self.skip_records();
        }
        let text = &self.window.bytes()[..self.records.end];
        let mut cursor = JsonCursor::new(text, self.records.start);
        let mut full = false;
        let mut failure = None;
        while !full && !cursor.is_at_end() {
            let start = cursor.at;
            match self.rows.reader.read_line(&mut cursor) {
                Line::Row => {
                    self.read += 1;
                    self.batch_bytes += cursor.at - start;
                    if let Err(error) = self.window.check_length(start, cursor.at - 1) {
                        failure = Some(Err(error));
                        break;
                    }
                }
                // The end of an empty array.
                Line::Empty => {}
                Line::Widen => full = self.rows.reader.rows() > 0,
                Line::Malformed(error) => {
                    failure = Some(Ok(error));
                    break;
                }
            }
            full |= self.rows.reader.rows() >= self.batch_rows || self.batch_bytes >= BATCH_BYTES;
        }
        self.records.start = cursor.at;
        match failure {
            None => Ok(full),
            Some(Err(error)) => Err(error),
            Some(Ok(error)) => {
                self.finish_block();
                Err(self.malformed(error))
            }
        }
    }

    /// Leaves out records of the block that an earlier process has read.
    fn skip_records(&mut self) {
        while self.read < self.skipped && !self.records.is_empty() {
            let text = &self.window.bytes()[self.records.clone()];
            let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
            let is_empty = text[..end].iter().all(|byte| b" \t\r".contains(byte));
            self.read += u64::from(!is_empty);
            self.records.start = (self.records.start + end + 1).min(self.records.end);
        }
    }

    /// Reads on; false at the end of the file.
    fn read_more(&mut self) -> Result<bool, Interrupt> {
        let used = self.scanner.position();
        self.window.consume(used);
        self.scanner.moved(used);
        if self.window.read_more(0)? || self.window.close_last_line() {
            return Ok(true);
        }
        if let Some(error) = self.window.truncated(self.expected_bytes) {
            return Err(error.into());
        }
        if self.scanner.is_between_documents() {
            return Ok(false);
        }
        let end = self.window.input_len();
        Err(self
            .error(ErrorCode::FormatJson, end, self.scanner.missing())
            .into())
    }

    fn malformed(&self, error: SyntaxError) -> SageError {
        self.error(ErrorCode::FormatJson, error.at, error.what)
    }

    /// The error for byte `at` of the window. The context has `file`, `line` and `column` (from 1; in characters, left away where the
    /// line began too long ago), `byte` (in the file) and `excerpt`.
    #[cold]
    fn error(&self, code: ErrorCode, at: usize, what: &str) -> SageError {
        let text = self.window.bytes();
        let before = &text[..at.min(text.len())];
        let line_start = memchr::memrchr2(b'\n', b'\r', before).map(|found| found + 1);
        let line_start = line_start.or((self.window.position_of(0) == 0).then_some(0));
        let line_end = memchr::memchr2(b'\n', b'\r', &text[before.len()..]);
        let line_end = line_end.map_or(text.len(), |found| before.len() + found);
        let shown_from = line_start.unwrap_or(0);
        let excerpt = excerpt(&text[shown_from..line_end], before.len() - shown_from);
        let path = self.window.path().display().to_string();
        let (line, byte) = (
            self.window.line_of(before.len()),
            self.window.position_of(before.len()),
        );
        let column =
            line_start.map(|start| 1 + String::from_utf8_lossy(&before[start..]).chars().count() as u64);
        let place = column.map_or_else(|| format!("byte {byte}"), |column| format!("column {column}"));
        let shown = if excerpt.is_empty() {
            String::new()
        } else {
            format!(": {excerpt}")
        };
        let error = SageError::new(code, format!("{path}, line {line}, {place}: {what}{shown}"))
            .with("file", path)
            .with("line", line)
            .with("byte", byte)
            .with("excerpt", excerpt);
        match column {
            Some(column) => error.with("column", column),
            None => error,
        }
    }
}

impl BatchReader for JsonReader {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        if self.at_start {
            self.window.skip_byte_order_mark()?;
            self.at_start = false;
        }
        loop {
            if !self.records.is_empty() {
                if self.read_records()? {
                    return Ok(true);
                }
                continue;
            }
            self.finish_block();
            if let Some(at) = self.malformed_at {
                return Err(self
                    .error(ErrorCode::FormatUtf8, at, "these bytes are not UTF-8")
                    .into());
            }
            match self.scanner.scan(self.window.bytes_mut()) {
                Ok(Scan::Records(block)) => self.begin_block(block),
                Ok(Scan::NeedsMore) => {
                    if !self.read_more()? {
                        return Ok(self.rows.reader.rows() > 0);
                    }
                }
                Err(error) => return Err(self.malformed(error).into()),
            }
        }
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        self.batch_bytes = 0;
        self.rows.take_frame()
    }

    fn wait(&mut self, timeout: Duration) {
        self.window.wait(timeout);
    }

    fn place(&self) -> String {
        self.window.json_position(if self.records.is_empty() {
            self.scanner.position()
        } else {
            self.records.start
        })
    }
}

impl PartReader for JsonReader {
    fn rest(&self, part: &FilePart) -> Option<FilePart> {
        Some(FilePart {
            start: PartStart::Records(self.read.max(self.skipped)),
            ..part.clone()
        })
    }
}
