//! Files of CSV.

use std::sync::Arc;

use sage_frame::{Frame, LayoutRegistry};
use sage_types::{ErrorCode, Result, SageError};

use crate::byte_window::ByteWindow;
use crate::csv::{BadRecord, CsvRowReader, Nulls, RecordEnd, Row, read_head, row_error, skip_to_record};
use crate::frame_maker::FrameMaker;
use crate::input_range::InputRange;
use crate::spec::{CsvOnError, CsvSourceSpec, CsvWidth, InvalidUtf8};
use crate::{BatchSource, SourceSplit, SourceStatistics};

/// A batch is closed when its records had this many bytes, which is about 64 KiB of columns and more.
const BATCH_BYTES: usize = 128 * 1024;

/// Reads CSV into frames.
///
/// Each record is an object with a field for each column. Empty lines and comments are skipped.
#[derive(Debug)]
pub(crate) struct CsvSource {
    window: ByteWindow,
    /// `None`: the file has no records.
    reader: Option<CsvRowReader>,
    frames: FrameMaker,
    /// Records that begin here or later belong to others.
    range_end: u64,
    /// The file has at least this many bytes, unless it shrinks.
    expected_bytes: u64,
    /// Whether reading may wait for another process.
    may_wait: bool,
    batch_rows: usize,
    on_error: CsvOnError,
    invalid_utf8: InvalidUtf8,
    /// Position in the window of the next record.
    at: usize,
    /// Up to here the window is well-formed UTF-8.
    valid_to: usize,
    /// Bytes of the records in the batch.
    batch_bytes: usize,
    statistics: SourceStatistics,
    failure: Option<SageError>,
}

/// Why reading records paused.
enum Pause {
    BatchFull,
    WindowUsed,
    RangeEnded,
}

impl CsvSource {
    /// Opens the file and goes to the first record of the split.
    ///
    /// # Errors
    /// `SAGE_IO_*`, and what is wrong with the head of the file.
    pub(crate) fn open(
        spec: &CsvSourceSpec,
        split: SourceSplit,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let input = InputRange::open(&spec.path, split, spec.bytes)?;
        Self::over(input, spec, registry)
    }

    /// Reads what somebody has opened, from the first record of its range.
    ///
    /// # Errors
    /// See [`CsvSource::open`].
    pub(crate) fn over(
        input: InputRange,
        spec: &CsvSourceSpec,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let InputRange {
            input,
            range,
            regular,
        } = input;
        let mut window = ByteWindow::new(input, &spec.path, spec.max_record_bytes);
        let dialect = spec
            .dialect()
            .map_err(|what| SageError::new(ErrorCode::PlanSource, what))?;
        let nulls = Nulls::new(spec.nulls.as_deref());
        let mut reader = None;
        if !range.is_empty()
            && let Some(columns) = read_head(&mut window, spec, &dialect, &nulls)?
        {
            skip_to_record(&mut window, &dialect, range.start)?;
            reader = Some(CsvRowReader::new(
                dialect,
                columns,
                nulls,
                spec.width == CsvWidth::Pad,
            ));
        }
        let mut source = Self {
            window,
            reader,
            frames: FrameMaker::new(registry),
            range_end: range.end,
            expected_bytes: if regular { range.end } else { 0 },
            may_wait: !regular,
            batch_rows: spec.batch_rows,
            on_error: spec.on_error,
            invalid_utf8: spec.invalid_utf8,
            at: 0,
            valid_to: 0,
            batch_bytes: 0,
            statistics: SourceStatistics::default(),
            failure: None,
        };
        source.check_utf8();
        Ok(source)
    }

    /// Reads records until there is a batch, or nothing more to read.
    fn fill(&mut self, reader: &mut CsvRowReader) -> Result<()> {
        loop {
            match self.read_records(reader)? {
                // Nothing but lines without records: that is not the end.
                Pause::BatchFull if reader.rows() == 0 => self.batch_bytes = 0,
                Pause::BatchFull | Pause::RangeEnded => return Ok(()),
                // Another process may take its time: what is there goes on first.
                Pause::WindowUsed if self.may_wait && reader.rows() > 0 => return Ok(()),
                Pause::WindowUsed => {
                    if !self.read_more(reader)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Reads records of the window until it or the batch ends.
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
            if reader.rows() >= self.batch_rows || self.batch_bytes >= BATCH_BYTES {
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
        if malformed && self.invalid_utf8 == InvalidUtf8::Error {
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
        if self.on_error == CsvOnError::Fail {
            return Err(row_error(&self.window, reader.columns(), self.at, bad));
        }
        self.statistics.skipped_records += 1;
        self.at = next;
        Ok(())
    }

    /// Reads on; false at the end of the file.
    fn read_more(&mut self, reader: &CsvRowReader) -> Result<bool> {
        self.window.consume(self.at);
        self.valid_to = self.valid_to.saturating_sub(self.at);
        self.at = 0;
        if !self.window.read_more(0)? && !self.window.close_last_line() {
            let end = self.window.bytes().len();
            if self.window.position_of(end) < self.expected_bytes {
                return Err(self.truncated());
            }
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

    fn truncated(&self) -> SageError {
        let path = self.window.path().display().to_string();
        let end = self.window.position_of(self.window.bytes().len());
        let message = format!("{path} became shorter while it was read: it ended at byte {end}");
        SageError::new(ErrorCode::IoTruncated, message)
            .with("file", path)
            .with("byte", end)
    }

    /// The rows that were read; `None` when there are none.
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
        self.statistics.records += rows as u64;
        Ok(Some(frame))
    }
}

impl BatchSource for CsvSource {
    fn next(&mut self) -> Result<Option<Frame>> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if let Some(mut reader) = self.reader.take() {
            let filled = self.fill(&mut reader);
            self.reader = Some(reader);
            self.failure = filled.err();
        }
        // The records before the bad one are good.
        match (self.take_frame(), &self.failure) {
            (Ok(None), Some(failure)) => Err(failure.clone()),
            (frame, _) => frame,
        }
    }

    fn position(&self) -> String {
        format!("{{\"byte\":{}}}", self.window.position_of(self.at))
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics
    }
}
