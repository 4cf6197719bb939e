//! Values of one kind, one a row.

use std::borrow::Cow;

use crate::text::Text;
use crate::value::Value;

/// Where rows are null: anything but 0; none where no row is.
pub(crate) type Nulls<'a> = Option<Cow<'a, [u8]>>;

/// Values of one kind, one a row.
#[derive(Debug, Clone)]
pub(crate) enum Vector<'a> {
    Numbers {
        values: Cow<'a, [f64]>,
        nulls: Nulls<'a>,
    },
    Dates {
        values: Cow<'a, [f64]>,
        nulls: Nulls<'a>,
    },
    /// 0 or 1 a row.
    Booleans {
        values: Cow<'a, [u8]>,
        nulls: Nulls<'a>,
    },
    Texts {
        texts: Texts<'a>,
        nulls: Nulls<'a>,
    },
    /// The same value in each row; null too.
    Constant(Value<'a>),
}

impl Vector<'_> {
    /// The value of a row.
    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        let (value, nulls) = match self {
            Self::Numbers { values, nulls } => (Value::Number(values[row]), nulls),
            Self::Dates { values, nulls } => (Value::Date(values[row]), nulls),
            Self::Booleans { values, nulls } => (Value::Boolean(values[row] != 0), nulls),
            Self::Texts { texts, nulls } => (Value::Text(Text::from(texts.text(row))), nulls),
            Self::Constant(value) => return value.clone(),
        };
        if is_null(nulls, row) { Value::Null } else { value }
    }
}

/// Well-formed texts, one a row, ends in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Texts<'a> {
    pub(crate) ends: Cow<'a, [u32]>,
    pub(crate) data: Cow<'a, [u8]>,
    pub(crate) is_ascii: bool,
}

impl Texts<'_> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn bytes(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.data[start..self.ends[row] as usize]
    }

    /// The text of a row.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> &str {
        // Whole columns are checked when they are made.
        std::str::from_utf8(self.bytes(row)).unwrap_or_default()
    }
}

/// Makes texts row by row.
#[derive(Debug)]
pub(crate) struct TextsBuilder {
    ends: Vec<u32>,
    data: Vec<u8>,
}

impl TextsBuilder {
    pub(crate) fn new(rows: usize, bytes: usize) -> Self {
        Self {
            ends: Vec::with_capacity(rows),
            data: Vec::with_capacity(bytes),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, text: &str) {
        self.data.extend_from_slice(text.as_bytes());
        self.end_row();
    }

    #[inline]
    pub(crate) fn append(&mut self, text: &[u8]) {
        self.data.extend_from_slice(text);
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a larger column is refused when the frame is made"
    )]
    pub(crate) fn end_row(&mut self) {
        self.ends.push(self.data.len() as u32);
    }

    pub(crate) fn finish(self) -> Texts<'static> {
        let is_ascii = self.data.is_ascii();
        Texts {
            ends: Cow::Owned(self.ends),
            data: Cow::Owned(self.data),
            is_ascii,
        }
    }
}

/// Null in one of the two.
pub(crate) fn either<'a>(left: &Nulls<'a>, right: &Nulls<'a>) -> Nulls<'a> {
    match (left, right) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(left), Some(right)) => Some(left.iter().zip(right.iter()).map(|(a, b)| a | b).collect()),
    }
}

/// Whether a row is null.
#[inline]
pub(crate) fn is_null(nulls: &Nulls<'_>, row: usize) -> bool {
    nulls.as_ref().is_some_and(|nulls| nulls[row] != 0)
}
