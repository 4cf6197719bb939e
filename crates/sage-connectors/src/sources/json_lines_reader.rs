//! Files of JSON lines.

use std::sync::Arc;
use std::time::Duration;

use sage_frame::{Frame, LayoutRegistry};
use sage_types::{ErrorCode, Result, SageError};

use crate::columns::FrameMaker;
use crate::files::FileParts;
use crate::formats::json::{JsonCursor, JsonRowReader, Line};
use crate::lines::{FileLines, NextBlock, NextLines, Utf8Lines};
use crate::spec::JsonLinesSourceSpec;
use crate::{BatchSource, NextBatch, SourceStatistics};

/// A batch is closed when its lines had this many bytes, which is about 64 KiB of columns.
const BATCH_BYTES: usize = 128 * 1024;
/// Layouts after which the whole record becomes one `json` column: an edge may have 64.
const MAX_LAYOUTS: usize = 48;

/// Reads JSON lines into frames.
///
/// Each line is a record, whatever its JSON type. The values are those that `JSON.parse` gives, with one difference: the
/// fields of an object come in the order in which the file first had them. Objects become columns; arrays, and
/// fields of several types, become `json` columns. Empty lines are skipped.
#[derive(Debug)]
pub(crate) struct JsonLinesSource {
    lines: Utf8Lines,
    reader: JsonRowReader,
    frames: FrameMaker,
    batch_rows: usize,
    /// Bytes of the lines in the batch.
    batch_bytes: usize,
    statistics: SourceStatistics,
    failure: Option<SageError>,
}

/// Why reading lines paused.
enum Pause {
    BatchFull,
    BlockEnded,
}

impl JsonLinesSource {
    pub(crate) fn new(spec: &JsonLinesSourceSpec, parts: FileParts, registry: Arc<LayoutRegistry>) -> Self {
        let files = FileLines::new(parts, spec.max_line_bytes);
        Self {
            lines: Utf8Lines::new(files, spec.invalid_utf8),
            reader: JsonRowReader::new(spec.columns.as_deref()),
            frames: FrameMaker::new(registry),
            batch_rows: spec.batch_rows,
            batch_bytes: 0,
            statistics: SourceStatistics::default(),
            failure: None,
        }
    }

    fn read_batch(&mut self) -> Result<NextBatch> {
        loop {
            match self.read_lines()? {
                // Nothing but empty lines: that is not the end.
                Pause::BatchFull if self.reader.rows() == 0 => self.batch_bytes = 0,
                Pause::BatchFull => return self.frame_or(NextBatch::Waiting),
                Pause::BlockEnded => match self.lines.next_block()? {
                    NextBlock::Lines => {}
                    // What is there goes on first.
                    NextBlock::Waiting => return self.frame_or(NextBatch::Waiting),
                    NextBlock::Ended => return self.frame_or(NextBatch::Ended),
                },
            }
        }
    }

    /// Reads lines of the block until it or the batch ends.
    fn read_lines(&mut self) -> Result<Pause> {
        loop {
            match self.lines.next_lines()? {
                NextLines::BlockEnded => return Ok(Pause::BlockEnded),
                NextLines::Valid(range) => {
                    let text = &self.lines.block()[..range.end];
                    let mut cursor = JsonCursor::new(text, range.start);
                    let end = self.batch_rows - self.reader.rows();
                    let (stop, empty) =
                        read_run(&mut self.reader, &mut cursor, end, BATCH_BYTES - self.batch_bytes);
                    self.statistics.empty_lines += empty;
                    self.batch_bytes += cursor.at - range.start;
                    let at = cursor.at;
                    self.lines.advance_to(at);
                    match stop {
                        RunEnd::TextEnded => {}
                        RunEnd::BatchFull => return Ok(Pause::BatchFull),
                        RunEnd::Malformed(error) => {
                            let code = ErrorCode::FormatJson;
                            return Err(self.lines.error(code, at, error.at, error.what));
                        }
                    }
                }
                NextLines::Replaced => {
                    let line = self.lines.replaced();
                    let mut cursor = JsonCursor::new(line, 0);
                    let (stop, empty) = read_run(&mut self.reader, &mut cursor, 1, 1);
                    self.statistics.empty_lines += empty;
                    match stop {
                        RunEnd::Malformed(error) => {
                            let at = self.lines.position_in_block();
                            return Err(self.lines.error(ErrorCode::FormatJson, at, at, error.what));
                        }
                        RunEnd::BatchFull if cursor.at == 0 => return Ok(Pause::BatchFull),
                        RunEnd::BatchFull | RunEnd::TextEnded => {
                            self.statistics.replaced_lines += 1;
                            self.batch_bytes += line.len();
                            self.lines.advance_over_replaced();
                            if self.reader.rows() >= self.batch_rows || self.batch_bytes >= BATCH_BYTES {
                                return Ok(Pause::BatchFull);
                            }
                        }
                    }
                }
            }
        }
    }

    /// The rows that were read, or else `otherwise`.
    fn frame_or(&mut self, otherwise: NextBatch) -> Result<NextBatch> {
        Ok(self.take_frame()?.map_or(otherwise, NextBatch::Frame))
    }

    /// The rows that were read; `None` when there are none.
    fn take_frame(&mut self) -> Result<Option<Frame>> {
        let rows = self.reader.rows();
        self.batch_bytes = 0;
        if rows == 0 {
            return Ok(None);
        }
        let (mut buffers, mut encodings) = (Vec::new(), Vec::new());
        self.reader.collect(&mut buffers, &mut encodings);
        let frame = self.frames.make(self.reader.layout(), rows, buffers, encodings)?;
        if self.frames.layouts() >= MAX_LAYOUTS {
            self.reader.demote_row();
        }
        self.reader.clear();
        self.statistics.records += rows as u64;
        Ok(Some(frame))
    }
}

enum RunEnd {
    TextEnded,
    /// There are enough rows or bytes, or the next line needs wider columns than the rows so far.
    BatchFull,
    Malformed(crate::formats::json::SyntaxError),
}

/// Reads lines until `rows` rows or `bytes` bytes have been read; with the number of empty lines.
fn read_run(
    reader: &mut JsonRowReader,
    cursor: &mut JsonCursor<'_>,
    rows: usize,
    bytes: usize,
) -> (RunEnd, u64) {
    let stop_at = cursor.at.saturating_add(bytes);
    let mut empty = 0;
    let mut left = rows;
    while !cursor.is_at_end() {
        match reader.read_line(cursor) {
            Line::Row => left -= 1,
            Line::Empty => empty += 1,
            Line::Widen if reader.rows() > 0 => return (RunEnd::BatchFull, empty),
            Line::Widen => continue,
            Line::Malformed(error) => return (RunEnd::Malformed(error), empty),
        }
        if left == 0 || cursor.at >= stop_at {
            return (RunEnd::BatchFull, empty);
        }
    }
    (RunEnd::TextEnded, empty)
}

impl BatchSource for JsonLinesSource {
    fn next(&mut self) -> Result<NextBatch> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let error = match self.read_batch() {
            Ok(next) => return Ok(next),
            Err(error) => error,
        };
        // The lines before the broken one are good.
        self.failure = Some(error.clone());
        match self.take_frame() {
            Ok(Some(frame)) => Ok(NextBatch::Frame(frame)),
            _ => Err(error),
        }
    }

    fn wait(&mut self, timeout: Duration) {
        self.lines.wait(timeout);
    }

    fn position(&self) -> String {
        self.lines.position()
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics
    }
}
