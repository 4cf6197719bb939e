//! Rows of a batch as the text that `JSON.stringify` gives.

use sage_frame::{BatchView, Column, ColumnData, NodeIndex, Wtf8Column, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::RowPresence;
use crate::formats::json::json_object::push_one_line;
use crate::formats::json::scalar_column::ScalarColumn;
use crate::formats::json::string_text::{needs_escapes, push_json_string};

/// A column, ready to be written row by row.
#[derive(Debug)]
pub(crate) struct JsonRowWriter<'a> {
    presence: RowPresence<'a>,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    Scalar(ScalarColumn<'a>),
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
        let values = match (ScalarColumn::of(&data), data) {
            (Some(values), _) => Values::Scalar(values),
            (_, ColumnData::Nil) => Values::Nil,
            (_, ColumnData::Str(text)) => {
                let text = text.wtf8();
                if needs_escapes(text.data()) {
                    Values::Text(text)
                } else {
                    Values::PlainText(text)
                }
            }
            (_, ColumnData::Json(text)) => {
                let text = text.wtf8();
                let has_lines = memchr::memchr2(b'\n', b'\r', text.data()).is_some();
                if has_lines {
                    Values::JsonOfLines(text)
                } else {
                    Values::Json(text)
                }
            }
            (_, ColumnData::Tuple) => Values::Tuple(
                children()
                    .map(|child| Self::of_node(batch, child))
                    .collect::<Result<_>>()?,
            ),
            (_, ColumnData::Record) => {
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
            _ => {
                let path = layout.path_of(node);
                return Err(SageError::new(
                    ErrorCode::Internal,
                    format!("the column {path:?} came to a native sink in a form that only JavaScript reads"),
                )
                .with("field", path));
            }
        };
        Ok(Self {
            presence: RowPresence::new(presence),
            values,
        })
    }

    /// Appends the value of a row. A record that is `undefined` or missing as a whole is `null`, as in an array.
    pub(crate) fn push_row(&self, row: usize, text: &mut Vec<u8>) {
        if self.presence.of(row) != presence::VALUE {
            text.extend_from_slice(b"null");
            return;
        }
        match &self.values {
            Values::Scalar(values) => values.push_json(row, text),
            Values::PlainText(strings) => {
                text.push(b'"');
                text.extend_from_slice(strings.row(row));
                text.push(b'"');
            }
            Values::Text(strings) => push_json_string(strings.row(row), text),
            Values::Json(texts) => text.extend_from_slice(texts.row(row)),
            Values::JsonOfLines(texts) => push_one_line(texts.row(row), text),
            Values::Nil => text.extend_from_slice(b"null"),
            Values::Record(fields) => {
                let start = text.len();
                for field in fields {
                    if field.value.presence.of(row) <= presence::NULL {
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
