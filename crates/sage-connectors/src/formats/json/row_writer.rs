//! Rows of a batch as the text that `JSON.stringify` gives.

use sage_frame::{BatchView, Column, ColumnData, NodeIndex, Wtf8Column, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::json::date_text::push_iso_date;
use crate::formats::json::number_text::{push_integer, push_json_number};
use crate::formats::json::string_text::{needs_escapes, push_json_string};

/// A column, ready to be written row by row.
#[derive(Debug)]
pub(crate) struct JsonRowWriter<'a> {
    presence: Option<&'a [u8]>,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    F64(&'a [f64]),
    I32(&'a [i32]),
    Bool(&'a [u8]),
    Date(&'a [f64]),
    /// Strings none of which needs an escape.
    PlainText(Wtf8Column<'a>),
    Text(Wtf8Column<'a>),
    /// JSON texts, written as they are.
    Json(Wtf8Column<'a>),
    /// JSON texts with line breaks between their tokens.
    JsonOfLines(Wtf8Column<'a>),
    Nil,
    Record(Vec<Field<'a>>),
    Tuple(Vec<JsonRowWriter<'a>>),
}

#[derive(Debug)]
struct Field<'a> {
    /// `,"name":`
    prefix: Vec<u8>,
    value: JsonRowWriter<'a>,
}

impl<'a> JsonRowWriter<'a> {
    /// A writer of the batch's records.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when there is a column that only JavaScript can read; it should not have been sent here.
    pub(crate) fn new(batch: &BatchView<'a>) -> Result<Self> {
        Self::of_node(batch, batch.layout().row_node())
    }

    /// A writer of one node of the batch.
    ///
    /// # Errors
    /// See [`JsonRowWriter::new`].
    pub(crate) fn of_node(batch: &BatchView<'a>, node: NodeIndex) -> Result<Self> {
        let Some(Column { presence, data, .. }) = batch.node(node) else {
            return Err(SageError::new(
                ErrorCode::Internal,
                "a layout has a child that it does not have",
            ));
        };
        let layout = batch.layout();
        let children = || layout.nodes()[node].children.iter().copied();
        let values = match data {
            ColumnData::F64(values) => Values::F64(values),
            ColumnData::I32(values) => Values::I32(values),
            ColumnData::Bool(values) => Values::Bool(values),
            ColumnData::Date(values) => Values::Date(values),
            ColumnData::Nil => Values::Nil,
            ColumnData::Str(text) => {
                let text = text.wtf8();
                if needs_escapes(text.data()) {
                    Values::Text(text)
                } else {
                    Values::PlainText(text)
                }
            }
            ColumnData::Json(text) => {
                let text = text.wtf8();
                let has_lines = memchr::memchr2(b'\n', b'\r', text.data()).is_some();
                if has_lines {
                    Values::JsonOfLines(text)
                } else {
                    Values::Json(text)
                }
            }
            ColumnData::Tuple => Values::Tuple(
                children()
                    .map(|child| Self::of_node(batch, child))
                    .collect::<Result<_>>()?,
            ),
            ColumnData::Record => {
                let mut fields = Vec::new();
                for child in children() {
                    let name = layout.nodes()[child].name.as_deref().unwrap_or_default();
                    let mut prefix = vec![b','];
                    push_json_string(name.as_bytes(), &mut prefix);
                    prefix.push(b':');
                    fields.push((
                        array_index(name),
                        Field {
                            prefix,
                            value: Self::of_node(batch, child)?,
                        },
                    ));
                }
                // JavaScript puts names that are array indexes first. The sort is stable.
                fields.sort_by_key(|(index, _)| index.unwrap_or(u32::MAX));
                Values::Record(fields.into_iter().map(|(_, field)| field).collect())
            }
            ColumnData::Any { .. } | ColumnData::Bytes(_) => {
                let path = layout.path_of(node);
                return Err(SageError::new(
                    ErrorCode::Internal,
                    format!("the column {path:?} came to a native sink in a form that only JavaScript reads"),
                )
                .with("field", path));
            }
        };
        Ok(Self { presence, values })
    }

    /// Appends the value of a row. A record that is `undefined` or missing as a whole is `null`, as in an array.
    pub(crate) fn push_row(&self, row: usize, text: &mut Vec<u8>) {
        if self.presence_of(row) != presence::VALUE {
            text.extend_from_slice(b"null");
            return;
        }
        match &self.values {
            Values::F64(values) => push_json_number(values.get(row).copied().unwrap_or(f64::NAN), text),
            Values::I32(values) => push_integer(i64::from(values.get(row).copied().unwrap_or(0)), text),
            Values::Bool(values) => {
                text.extend_from_slice(if values.get(row) == Some(&1) {
                    b"true"
                } else {
                    b"false"
                });
            }
            Values::Date(values) => {
                let start = text.len();
                text.push(b'"');
                if push_iso_date(values.get(row).copied().unwrap_or(f64::NAN), text) {
                    text.push(b'"');
                } else {
                    text.truncate(start);
                    text.extend_from_slice(b"null");
                }
            }
            Values::PlainText(strings) => {
                text.push(b'"');
                text.extend_from_slice(strings.row(row));
                text.push(b'"');
            }
            Values::Text(strings) => push_json_string(strings.row(row), text),
            Values::Json(texts) => text.extend_from_slice(texts.row(row)),
            Values::JsonOfLines(texts) => {
                let is_break = |byte: u8| byte == b'\n' || byte == b'\r';
                text.extend(
                    texts
                        .row(row)
                        .iter()
                        .map(|&byte| if is_break(byte) { b' ' } else { byte }),
                );
            }
            Values::Nil => text.extend_from_slice(b"null"),
            Values::Record(fields) => {
                let start = text.len();
                for field in fields {
                    if field.value.presence_of(row) <= presence::NULL {
                        text.extend_from_slice(&field.prefix);
                        field.value.push_row(row, text);
                    }
                }
                // The first comma is where the brace belongs.
                match text.get_mut(start) {
                    Some(comma) => *comma = b'{',
                    None => text.push(b'{'),
                }
                text.push(b'}');
            }
            Values::Tuple(items) => {
                text.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        text.push(b',');
                    }
                    item.push_row(row, text);
                }
                text.push(b']');
            }
        }
    }

    #[inline]
    fn presence_of(&self, row: usize) -> u8 {
        match self.presence {
            None => presence::VALUE,
            Some(presence) => presence.get(row).copied().unwrap_or(presence::MISSING),
        }
    }
}

/// Sorts names as JavaScript orders the fields of an object: those that are array indexes first, by their numbers.
pub(crate) fn array_index_first(names: &mut [String]) {
    names.sort_by_key(|name| array_index(name).unwrap_or(u32::MAX));
}

/// The number that a name is as an array index (`"0"`, `"17"`, not `"017"`).
fn array_index(name: &str) -> Option<u32> {
    let index: u32 = name.parse().ok()?;
    (index < u32::MAX && index.to_string() == name).then_some(index)
}
