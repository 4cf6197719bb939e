//! The values of a field as texts that can name a directory.

use sage_frame::{BatchView, ColumnData, NodeIndex, Wtf8Column, presence};

use crate::formats::RowPresence;
use crate::formats::json::{ScalarColumn, push_number, unescape};

/// Why a value cannot name a directory; goes on behind the name of the field.
pub(crate) type Unfit = &'static str;

const COMPOSITE: Unfit = "is an object or array, which cannot name a directory; map() it to a string first";
const UNPAIRED: Unfit = "has an unpaired surrogate, which no path can hold";

/// A column that records are divided by.
pub(crate) struct FieldValues<'a> {
    presence: RowPresence<'a>,
    values: Values<'a>,
}

enum Values<'a> {
    Scalar(ScalarColumn<'a>),
    Text(Wtf8Column<'a>),
    Json(Wtf8Column<'a>),
    /// No row has a value.
    Absent,
    Unfit,
}

impl<'a> FieldValues<'a> {
    /// The values of a node; of a field that no record has without one.
    pub(crate) fn of(batch: &BatchView<'a>, node: Option<NodeIndex>) -> Self {
        let Some(column) = node.and_then(|node| batch.node(node)) else {
            return Self {
                presence: RowPresence::new(None),
                values: Values::Absent,
            };
        };
        let values = match (ScalarColumn::of(&column.data), column.data) {
            (Some(values), _) => Values::Scalar(values),
            (_, ColumnData::Str(texts)) => Values::Text(texts.wtf8()),
            (_, ColumnData::Json(texts)) => Values::Json(texts.wtf8()),
            (_, ColumnData::Nil) => Values::Absent,
            _ => Values::Unfit,
        };
        Self {
            presence: RowPresence::new(column.presence),
            values,
        }
    }

    /// What `String(value)` gives, and the ISO text of a date; `None` for null, undefined and missing.
    ///
    /// # Errors
    /// When the value cannot name a directory.
    pub(crate) fn text(&self, row: usize) -> Result<Option<String>, Unfit> {
        if self.presence.of(row) != presence::VALUE {
            return Ok(None);
        }
        let mut text = Vec::new();
        match &self.values {
            Values::Scalar(values) => {
                if !values.push_text(row, &mut text) {
                    return Ok(None);
                }
            }
            Values::Text(texts) => text.extend_from_slice(texts.row(row)),
            Values::Json(texts) => return json_text(texts.row(row)),
            Values::Absent => return Ok(None),
            Values::Unfit => return Err(COMPOSITE),
        }
        String::from_utf8(text).map(Some).map_err(|_| UNPAIRED)
    }
}

/// The same for a value in JSON.
///
/// # Errors
/// When the value cannot name a directory.
pub(crate) fn json_text(json: &[u8]) -> Result<Option<String>, Unfit> {
    let json = json.trim_ascii();
    let mut text = Vec::new();
    match json {
        b"null" => return Ok(None),
        b"true" => text.extend_from_slice(bool_text(true)),
        b"false" => text.extend_from_slice(bool_text(false)),
        [b'"', raw @ .., b'"'] => unescape(raw, &mut text),
        _ => {
            let number = std::str::from_utf8(json).ok().and_then(|json| json.parse().ok());
            push_number(number.ok_or(COMPOSITE)?, &mut text);
        }
    }
    String::from_utf8(text).map(Some).map_err(|_| UNPAIRED)
}

const fn bool_text(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}
