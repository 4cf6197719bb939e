//! Files of text lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sage_frame::{Frame, LayoutRegistry, LeafKind, Node};
use sage_types::Result;

use crate::SourceStatistics;
use crate::columns::{FrameMaker, TextColumn};
use crate::files::{FilePart, FileParts, PartsLeft, WatchedFile};
use crate::input::Interrupt;
use crate::lines::{FileLines, NextBlock, NextLines, Utf8Lines};
use crate::sources::BatchReader;
use crate::spec::TextLinesSourceSpec;

/// A batch is closed at this many bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// Reads each line as a string, without its line end (`\n` or `\r\n`). A last line without a line end counts; nothing
/// behind the last line end does not.
#[derive(Debug)]
pub(crate) struct TextLinesReader {
    lines: Utf8Lines,
    column: TextColumn,
    frames: FrameMaker,
    batch_rows: usize,
    statistics: SourceStatistics,
}

impl TextLinesReader {
    pub(crate) fn new(spec: &TextLinesSourceSpec, parts: FileParts, registry: Arc<LayoutRegistry>) -> Self {
        let files = FileLines::new(parts, spec.max_line_bytes);
        Self {
            lines: Utf8Lines::new(files, spec.invalid_utf8),
            column: TextColumn::with_fillers(0),
            frames: FrameMaker::new(registry),
            batch_rows: spec.batch_rows,
            statistics: SourceStatistics::default(),
        }
    }

    fn is_full(&self) -> bool {
        self.column.len() >= self.batch_rows || self.column.bytes().len() >= BATCH_BYTES
    }
}

fn push_line(column: &mut TextColumn, line: &[u8]) {
    column.push_utf8(line.strip_suffix(b"\r").unwrap_or(line));
}

impl BatchReader for TextLinesReader {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        while !self.is_full() {
            match self.lines.next_lines()? {
                NextLines::Valid(range) => {
                    let text = &self.lines.block()[range.clone()];
                    let mut start = 0;
                    for line_end in memchr::memchr_iter(b'\n', text) {
                        push_line(&mut self.column, &text[start..line_end]);
                        start = line_end + 1;
                        if self.column.len() >= self.batch_rows || self.column.bytes().len() >= BATCH_BYTES {
                            break;
                        }
                    }
                    self.lines.advance_to(range.start + start);
                }
                NextLines::Replaced => {
                    let line = self.lines.replaced();
                    push_line(&mut self.column, line.strip_suffix(b"\n").unwrap_or(line));
                    self.lines.advance_over_replaced();
                    self.statistics.replaced_lines += 1;
                }
                NextLines::BlockEnded => match self.lines.next_block()? {
                    NextBlock::Lines => {}
                    NextBlock::Waiting => return Err(Interrupt::Waiting),
                    NextBlock::Ended => break,
                },
            }
        }
        Ok(self.column.len() > 0)
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        let rows = self.column.len();
        if rows == 0 {
            return Ok(None);
        }
        let buffers = vec![bytemuck::cast_slice(self.column.ends()), self.column.bytes()];
        let encodings = vec![self.column.encoding()];
        let frame = self
            .frames
            .make(Node::leaf(LeafKind::Str), rows, buffers, encodings)?;
        self.column.clear();
        Ok(Some(frame))
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
