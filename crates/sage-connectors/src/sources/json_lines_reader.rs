//! Files of JSON lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sage_frame::{Frame, LayoutRegistry};
use sage_types::{ErrorCode, Result};

use crate::SourceStatistics;
use crate::files::{FilePart, FileParts, PartsLeft, WatchedFile};
use crate::formats::json::{JsonCursor, JsonRowReader, JsonRows, Line, SyntaxError};
use crate::input::Interrupt;
use crate::lines::{FileLines, NextBlock, NextLines, Utf8Lines};
use crate::sources::BatchReader;
use crate::spec::JsonLinesSourceSpec;

/// A batch is closed when its lines had this many bytes, which is about 64 KiB of columns.
const BATCH_BYTES: usize = 128 * 1024;

/// Reads JSON lines into frames.
///
/// Each line is a record, whatever its JSON type. The values are those that `JSON.parse` gives, with one difference: the
/// fields of an object come in the order in which the file first had them. Objects become columns; arrays, and
/// fields of several types, become `json` columns. Empty lines are skipped.
#[derive(Debug)]
pub(crate) struct JsonLinesReader {
    lines: Utf8Lines,
    rows: JsonRows,
    batch_rows: usize,
    /// Bytes of the lines in the batch.
    batch_bytes: usize,
    statistics: SourceStatistics,
}

/// Why reading lines paused.
enum Pause {
    BatchFull,
    BlockEnded,
}

impl JsonLinesReader {
    pub(crate) fn new(spec: &JsonLinesSourceSpec, parts: FileParts, registry: Arc<LayoutRegistry>) -> Self {
        let files = FileLines::new(parts, spec.max_line_bytes);
        Self {
            lines: Utf8Lines::new(files, spec.invalid_utf8),
            rows: JsonRows::new(spec.columns.as_deref(), registry),
            batch_rows: spec.batch_rows,
            batch_bytes: 0,
            statistics: SourceStatistics::default(),
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
                    let end = self.batch_rows - self.rows.reader.rows();
                    let (stop, empty) = read_run(
                        &mut self.rows.reader,
                        &mut cursor,
                        end,
                        BATCH_BYTES - self.batch_bytes,
                    );
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
                    let (stop, empty) = read_run(&mut self.rows.reader, &mut cursor, 1, 1);
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
                            if self.rows.reader.rows() >= self.batch_rows || self.batch_bytes >= BATCH_BYTES {
                                return Ok(Pause::BatchFull);
                            }
                        }
                    }
                }
            }
        }
    }
}

enum RunEnd {
    TextEnded,
    /// There are enough rows or bytes, or the next line needs wider columns than the rows so far.
    BatchFull,
    Malformed(SyntaxError),
}

/// Reads lines until `rows` rows or `bytes` bytes have been read; with the number of empty lines.
// The loop over lines is compiled for itself, not as a part of what calls it once a block.
#[inline(never)]
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

impl BatchReader for JsonLinesReader {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        loop {
            match self.read_lines()? {
                // Nothing but empty lines: that is not the end.
                Pause::BatchFull if self.rows.reader.rows() == 0 => self.batch_bytes = 0,
                Pause::BatchFull => return Ok(true),
                Pause::BlockEnded => match self.lines.next_block()? {
                    NextBlock::Lines => {}
                    NextBlock::Waiting => return Err(Interrupt::Waiting),
                    NextBlock::Ended => return Ok(self.rows.reader.rows() > 0),
                },
            }
        }
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        self.batch_bytes = 0;
        self.rows.take_frame()
    }

    fn wait(&mut self, timeout: Duration) {
        self.lines.wait(timeout);
    }

    fn place(&self) -> String {
        self.lines.place()
    }

    fn left(&self) -> Result<PartsLeft> {
        self.lines.left()
    }

    fn restore(&mut self, left: VecDeque<FilePart>, watched: &[WatchedFile]) {
        self.lines.restore(left, watched);
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics
    }
}
