//! Numbers, booleans and dates of a batch as text.

use sage_frame::ColumnData;

use crate::formats::json::{push_integer, push_iso_date, push_json_number, push_number};

/// A column of values that need no memory of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ScalarColumn<'a> {
    F64(&'a [f64]),
    I32(&'a [i32]),
    Bool(&'a [u8]),
    Date(&'a [f64]),
}

impl<'a> ScalarColumn<'a> {
    /// `None` for columns of other values.
    pub(crate) fn of(data: &ColumnData<'a>) -> Option<Self> {
        match *data {
            ColumnData::F64(values) => Some(Self::F64(values)),
            ColumnData::I32(values) => Some(Self::I32(values)),
            ColumnData::Bool(values) => Some(Self::Bool(values)),
            ColumnData::Date(values) => Some(Self::Date(values)),
            _ => None,
        }
    }

    /// Appends what `String(value)` gives, and the ISO text of a date; false, and nothing is appended, for an invalid date.
    #[inline]
    pub(crate) fn push_text(&self, row: usize, text: &mut Vec<u8>) -> bool {
        match self {
            Self::F64(values) => push_number(number(values, row), text),
            Self::I32(values) => push_integer(integer(values, row), text),
            Self::Bool(values) => text.extend_from_slice(boolean(values, row)),
            Self::Date(values) => return push_iso_date(number(values, row), text),
        }
        true
    }

    /// Appends what `JSON.stringify(value)` gives.
    #[inline]
    pub(crate) fn push_json(&self, row: usize, text: &mut Vec<u8>) {
        match self {
            Self::F64(values) => push_json_number(number(values, row), text),
            Self::I32(values) => push_integer(integer(values, row), text),
            Self::Bool(values) => text.extend_from_slice(boolean(values, row)),
            Self::Date(values) => {
                let start = text.len();
                text.push(b'"');
                if push_iso_date(number(values, row), text) {
                    text.push(b'"');
                } else {
                    text.truncate(start);
                    text.extend_from_slice(b"null");
                }
            }
        }
    }
}

#[inline]
fn number(values: &[f64], row: usize) -> f64 {
    values.get(row).copied().unwrap_or(f64::NAN)
}

#[inline]
fn integer(values: &[i32], row: usize) -> i64 {
    i64::from(values.get(row).copied().unwrap_or(0))
}

#[inline]
fn boolean(values: &[u8], row: usize) -> &'static [u8] {
    if values.get(row) == Some(&1) {
        b"true"
    } else {
        b"false"
    }
}
