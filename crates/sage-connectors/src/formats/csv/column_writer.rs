//! A column of a batch as cells.

use sage_frame::{BatchView, Column, ColumnData, NodeIndex, Wtf8Column, presence};
use sage_types::Result;

use crate::formats::RowPresence;
use crate::formats::csv::cell_quoting::CellQuoting;
use crate::formats::json::{JsonRowWriter, ScalarColumn, unescape};

/// A column, ready to be written row by row.
#[derive(Debug)]
pub(crate) struct ColumnWriter<'a> {
    presence: RowPresence<'a>,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    Scalar(ScalarColumn<'a>),
    /// Strings none of which has a byte that is special.
    PlainText(Wtf8Column<'a>),
    Text(Wtf8Column<'a>),
    /// JSON texts: strings among them are written as strings.
    Json(Wtf8Column<'a>),
    /// Nested values, written as JSON.
    Nested(JsonRowWriter<'a>),
    Nil,
}

impl<'a> ColumnWriter<'a> {
    /// A writer of one node of the batch.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when there is a column that only JavaScript can read; it should not have been sent here.
    pub(crate) fn new(batch: &BatchView<'a>, node: NodeIndex, quoting: &CellQuoting) -> Result<Self> {
        let nested = || JsonRowWriter::of_node(batch, node).map(Values::Nested);
        let Some(Column { presence, data, .. }) = batch.node(node) else {
            return Ok(Self {
                presence: RowPresence::new(None),
                values: nested()?,
            });
        };
        let values = match (ScalarColumn::of(&data), data) {
            (Some(values), _) => Values::Scalar(values),
            (_, ColumnData::Nil) => Values::Nil,
            (_, ColumnData::Str(text)) => {
                let text = text.wtf8();
                if quoting.is_special(text.data()) {
                    Values::Text(text)
                } else {
                    Values::PlainText(text)
                }
            }
            (_, ColumnData::Json(text)) => Values::Json(text.wtf8()),
            _ => nested()?,
        };
        Ok(Self {
            presence: RowPresence::new(presence),
            values,
        })
    }

    #[inline]
    pub(crate) fn presence_of(&self, row: usize) -> u8 {
        self.presence.of(row)
    }

    /// Appends the cell of a row. `scratch` is memory for texts that may need quotes.
    #[inline]
    pub(crate) fn push(&self, row: usize, quoting: &CellQuoting, scratch: &mut Vec<u8>, line: &mut Vec<u8>) {
        if self.presence_of(row) != presence::VALUE {
            quoting.push_null(line);
            return;
        }
        scratch.clear();
        match &self.values {
            Values::PlainText(strings) => quoting.push_plain(strings.row(row), line),
            Values::Text(strings) => quoting.push(strings.row(row), line),
            Values::Scalar(values) => {
                // As in JSON, an invalid date is nothing.
                if values.push_text(row, scratch) {
                    quoting.push_plain(scratch, line);
                } else {
                    quoting.push_null(line);
                }
            }
            Values::Json(texts) => push_json_cell(texts.row(row), quoting, scratch, line),
            Values::Nested(writer) => {
                writer.push_row(row, scratch);
                quoting.push(scratch, line);
            }
            Values::Nil => quoting.push_null(line),
        }
    }
}

/// Appends a value that is there as JSON: strings as they are, `null` as nothing, all else as JSON.
pub(crate) fn push_json_cell(json: &[u8], quoting: &CellQuoting, scratch: &mut Vec<u8>, line: &mut Vec<u8>) {
    match json.trim_ascii() {
        b"null" => quoting.push_null(line),
        [b'"', string @ .., b'"'] => {
            scratch.clear();
            unescape(string, scratch);
            quoting.push(scratch, line);
        }
        other => quoting.push(other, line),
    }
}
