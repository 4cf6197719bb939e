//! A column of a batch as cells.

use sage_frame::{BatchView, Column, ColumnData, NodeIndex, Wtf8Column, presence};
use sage_types::Result;

use crate::formats::csv::cell_quoting::CellQuoting;
use crate::formats::json::{JsonRowWriter, push_integer, push_iso_date, push_number, unescape};

/// A column, ready to be written row by row.
#[derive(Debug)]
pub(crate) struct ColumnWriter<'a> {
    presence: Option<&'a [u8]>,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    F64(&'a [f64]),
    I32(&'a [i32]),
    Bool(&'a [u8]),
    Date(&'a [f64]),
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
                presence: None,
                values: nested()?,
            });
        };
        let values = match data {
            ColumnData::F64(values) => Values::F64(values),
            ColumnData::I32(values) => Values::I32(values),
            ColumnData::Bool(values) => Values::Bool(values),
            ColumnData::Date(values) => Values::Date(values),
            ColumnData::Nil => Values::Nil,
            ColumnData::Str(text) => {
                let text = text.wtf8();
                if quoting.is_special(text.data()) {
                    Values::Text(text)
                } else {
                    Values::PlainText(text)
                }
            }
            ColumnData::Json(text) => Values::Json(text.wtf8()),
            _ => nested()?,
        };
        Ok(Self { presence, values })
    }

    #[inline]
    pub(crate) fn presence_of(&self, row: usize) -> u8 {
        self.presence.map_or(presence::VALUE, |presence| {
            presence.get(row).copied().unwrap_or(presence::MISSING)
        })
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
            Values::PlainText(strings) => return quoting.push_plain(strings.row(row), line),
            Values::Text(strings) => return quoting.push(strings.row(row), line),
            Values::F64(values) => push_number(values.get(row).copied().unwrap_or(f64::NAN), scratch),
            Values::I32(values) => push_integer(i64::from(values.get(row).copied().unwrap_or(0)), scratch),
            Values::Bool(values) => {
                let is_true = values.get(row) == Some(&1);
                scratch.extend_from_slice(if is_true { b"true" } else { b"false" });
            }
            Values::Date(values) => {
                // As in JSON, an invalid date is nothing.
                if !push_iso_date(values.get(row).copied().unwrap_or(f64::NAN), scratch) {
                    return quoting.push_null(line);
                }
            }
            Values::Json(texts) => return push_json_cell(texts.row(row), quoting, scratch, line),
            Values::Nested(writer) => {
                writer.push_row(row, scratch);
                return quoting.push(scratch, line);
            }
            Values::Nil => return quoting.push_null(line),
        }
        quoting.push_plain(scratch, line);
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
