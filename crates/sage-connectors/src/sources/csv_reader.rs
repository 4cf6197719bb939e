//! Files of CSV.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sage_frame::{Frame, LayoutRegistry};
use sage_types::{ErrorCode, Result, SageError};

use crate::SourceStatistics;
use crate::columns::FrameMaker;
use crate::files::{FilePart, OPEN_END, PartStart};
use crate::formats::csv::{BadRecord, CsvRowReader, HeadReader, Nulls, RecordEnd, Row, row_error};
use crate::input::{ByteInput, ByteWindow, Interrupt};
use crate::sources::{BatchReader, PartReader};
use crate::spec::{CsvOnError, CsvSourceSpec, CsvWidth, InvalidUtf8};

/// A batch is closed when its records had this many bytes, which is about 64 KiB of columns and more.
const BATCH_BYTES: usize = 128 * 1024;

/// Reads CSV into frames.
///
/// Each record is an object with a field for each column. Empty lines and comments are skipped.
#[derive(Debug)]
pub(crate) struct CsvReader {
    window: ByteWindow,
    spec: Arc<CsvSourceSpec>,
    /// As long as the first record of the range is not reached.
    head: Option<HeadReader>,
    /// `None` before that, and when the file has no records.
    reader: Option<CsvRowReader>,
    frames: FrameMaker,
    /// Records that begin here or later belong to others.
    range_end: u64,
    /// The file has at least this many bytes, unless it shrinks.
    expected_bytes: u64,
    /// Position in the window of the next record.
    at: usize,
    /// Up to here the window is well-formed UTF-8.
    valid_to: usize,
    /// Bytes of the records in the batch.
    batch_bytes: usize,
    statistics: SourceStatistics,
    /// It can be read from anywhere.
    plain: bool,
}

/// Why reading records paused.
enum Pause {
    BatchFull,
    WindowUsed,
    RangeEnded,
}

impl CsvReader {
    /// Opens the file of a part. A range of it is also read from the beginning of the file: there are the names, and where a
    /// record begins depends on every quote before.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_PLAN_SOURCE`.
    pub(crate) fn open(
        spec: Arc<CsvSourceSpec>,
        part: &FilePart,
        before: Option<Self>,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let input = ByteInput::open(part)?;
        let plain = input.is_plain_file();
        let range = match part.start {
            PartStart::Unpacked(at) => Some(at..OPEN_END),
            _ => part.range.clone().filter(|_| plain),
        };
        let whole = part.file.bytes.filter(|_| plain);
        let (buffer, frames) = match before {
            Some(before) => (before.window.into_buffer(), before.frames),
            None => (Vec::new(), FrameMaker::new(registry)),
        };
        let window = ByteWindow::new(input, part.file.shown_path(), spec.max_record_bytes, buffer);
        let expected_bytes = match &range {
            Some(range) if range.end != OPEN_END => Some(range.end),
            _ => whole,
        };
        let mut reader = Self::over(window, spec, range.unwrap_or(0..u64::MAX), frames)?;
        reader.expected_bytes = expected_bytes.unwrap_or(0);
        reader.plain = plain;
        Ok(reader)
    }

    /// Reads the records that begin in a range of an input.
    ///
    /// # Errors
    /// `SAGE_PLAN_SOURCE`.
    pub(crate) fn over(
        window: ByteWindow,
        spec: Arc<CsvSourceSpec>,
        range: Range<u64>,
        frames: FrameMaker,
    ) -> Result<Self> {
        let dialect = spec
            .dialect()
            .map_err(|what| SageError::new(ErrorCode::PlanSource, what))?;
        let nulls = Nulls::new(spec.nulls.as_deref());
        Ok(Self {
            window,
            head: Some(HeadReader::new(Arc::clone(&spec), dialect, nulls, range.start)),
            spec,
            reader: None,
            frames,
            range_end: range.end,
            expected_bytes: 0,
            at: 0,
            valid_to: 0,
            batch_bytes: 0,
            statistics: SourceStatistics::default(),
            plain: false,
        })
    }

    /// Reads records until there is a batch, or nothing more to read.
    fn read_batch(&mut self, reader: &mut CsvRowReader) -> Result<(), Interrupt> {
        loop {
            match self.read_records(reader)? {
                // Nothing but lines without records: that is not the end.
                Pause::BatchFull if reader.rows() == 0 => self.batch_bytes = 0,
                Pause::BatchFull | Pause::RangeEnded => return Ok(()),
                Pause::WindowUsed => {
                    if !self.read_more(reader)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Reads records of the window until it or the batch ends.
    // Inlined into the caller, which is called once a batch, the loop over records was an eighth slower.
    #[inline(never)]
    fn read_records(&mut self, reader: &mut CsvRowReader) -> Result<Pause> {
        loop {
            let (start, rows) = (self.at, reader.rows());
            if self.window.position_of(start) >= self.range_end {
                return Ok(Pause::RangeEnded);
            }
            match reader.read(&self.window.bytes()[..self.valid_to], start) {
                Row::Incomplete if self.valid_to == self.window.bytes().len() => {
                    return Ok(Pause::WindowUsed);
                }
                Row::Incomplete => {
                    let dialect = reader.dialect();
                    let RecordEnd::At(next) = dialect.record_end(self.window.bytes(), start) else {
                        return Ok(Pause::WindowUsed);
                    };
                    if !self.take_malformed(reader, next)? {
                        return Ok(Pause::BatchFull);
                    }
                    self.check_utf8();
                }
                row => {
                    if !self.take_row(reader, &row)? {
                        return Ok(Pause::BatchFull);
                    }
                }
            }
            // Whether it is too long must not depend on where reading paused.
            if let Err(error) = self.window.check_length(start, self.at) {
                if reader.rows() > rows {
                    reader.take_back();
                }
                return Err(error);
            }
            self.batch_bytes += self.at - start;
            if reader.rows() >= self.spec.batch_rows || self.batch_bytes >= BATCH_BYTES {
                return Ok(Pause::BatchFull);
            }
        }
    }

    /// Goes on behind what was read; false when the rows before must be handed over first.
    #[inline]
    fn take_row(&mut self, reader: &CsvRowReader, row: &Row) -> Result<bool> {
        match *row {
            Row::Added(next) | Row::Comment(next) => self.at = next,
            Row::Empty(next) => {
                self.statistics.empty_lines += 1;
                self.at = next;
            }
            Row::Widen => return Ok(reader.rows() == 0),
            Row::Bad { next, ref fault } => self.refuse(reader, next, &BadRecord::Row(fault))?,
            Row::Incomplete => {}
        }
        Ok(true)
    }

    /// Takes the record up to `next`, which has bytes that are not UTF-8, or behind which there are such bytes.
    fn take_malformed(&mut self, reader: &mut CsvRowReader, next: usize) -> Result<bool> {
        let malformed = next > self.valid_to;
        if malformed && self.spec.invalid_utf8 == InvalidUtf8::Error {
            let bad = BadRecord::Utf8 { at: self.valid_to };
            self.refuse(reader, next, &bad)?;
            return Ok(true);
        }
        let mut mended = String::from_utf8_lossy(&self.window.bytes()[self.at..next]).into_owned();
        // Alone it is a line end only if no line feed follows, which cannot be seen here.
        if mended.ends_with('\r') {
            mended.push('\n');
        }
        let row = match reader.read(mended.as_bytes(), 0) {
            Row::Added(_) => {
                self.statistics.replaced_lines += u64::from(malformed);
                Row::Added(next)
            }
            Row::Empty(_) => Row::Empty(next),
            Row::Comment(_) => Row::Comment(next),
            Row::Bad { fault, .. } => Row::Bad {
                next,
                fault: fault.moved(self.at),
            },
            other => other,
        };
        self.take_row(reader, &row)
    }

    /// A record that cannot be read: the error, or it is left out and counted.
    #[cold]
    fn refuse(&mut self, reader: &CsvRowReader, next: usize, bad: &BadRecord<'_>) -> Result<()> {
        if self.spec.on_error == CsvOnError::Fail {
            return Err(row_error(&self.window, reader.columns(), self.at, bad));
        }
        self.statistics.skipped_records += 1;
        self.at = next;
        Ok(())
    }

    /// Reads on; false at the end of the file.
    fn read_more(&mut self, reader: &CsvRowReader) -> Result<bool, Interrupt> {
        self.window.consume(self.at);
        self.valid_to = self.valid_to.saturating_sub(self.at);
        self.at = 0;
        if !self.window.read_more(0)? && !self.window.close_last_line() {
            if let Some(error) = self.window.truncated(self.expected_bytes) {
                return Err(error.into());
            }
            let end = self.window.bytes().len();
            if end > 0 {
                self.refuse(reader, end, &BadRecord::OpenQuote)?;
            }
            return Ok(false);
        }
        self.check_utf8();
        Ok(true)
    }

    fn check_utf8(&mut self) {
        self.valid_to = self.valid_to.max(self.at);
        let rest = &self.window.bytes()[self.valid_to..];
        self.valid_to += match std::str::from_utf8(rest) {
            Ok(_) => rest.len(),
            Err(error) => error.valid_up_to(),
        };
    }
}

impl BatchReader for CsvReader {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        if let Some(head) = &mut self.head {
            let columns = head.read(&mut self.window)?;
            let spec = &self.spec;
            let (dialect, nulls) = (*head.dialect(), Nulls::new(spec.nulls.as_deref()));
            let pad = spec.width == CsvWidth::Pad;
            self.reader = columns.map(|columns| CsvRowReader::new(dialect, columns, nulls, pad));
            self.head = None;
            if self.reader.is_none()
                && let Some(error) = self.window.truncated(self.expected_bytes)
            {
                return Err(error.into());
            }
            self.check_utf8();
        }
        let Some(mut reader) = self.reader.take() else {
            return Ok(false);
        };
        let filled = self.read_batch(&mut reader).map(|()| reader.rows() > 0);
        self.reader = Some(reader);
        filled
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        self.batch_bytes = 0;
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        let rows = reader.rows();
        if rows == 0 {
            return Ok(None);
        }
        let (mut buffers, mut encodings) = (Vec::new(), Vec::new());
        reader.collect(&mut buffers, &mut encodings);
        let frame = self.frames.make(reader.layout(), rows, buffers, encodings)?;
        reader.clear();
        Ok(Some(frame))
    }

    fn wait(&mut self, timeout: Duration) {
        self.window.wait(timeout);
    }

    fn place(&self) -> String {
        self.window.json_position(self.at)
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics
    }
}

impl PartReader for CsvReader {
    fn rest(&self, part: &FilePart) -> Option<FilePart> {
        if self.head.is_some() {
            return Some(part.clone());
        }
        self.reader.as_ref()?;
        part.behind(self.plain, self.window.position_of(self.at), self.range_end)
    }
}
