//! One value of an expression.

use std::borrow::Cow;

use sage_frame::NodeIndex;

use crate::text::Text;

/// One value. Where there is none - null, undefined, missing - it is [`Value::Null`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// A number.
    Number(f64),
    /// A text.
    Text(Text<'a>),
    /// A boolean.
    Boolean(bool),
    /// A date: milliseconds since 1970, NaN for an invalid one.
    Date(f64),
    /// An array or object as its JSON text.
    Json(Cow<'a, str>),
    /// An object or array whose parts are columns: the node of the layout and the row.
    Nested {
        /// The node.
        node: NodeIndex,
        /// The row.
        row: usize,
        /// Whether it is an array.
        is_array: bool,
    },
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No value.
    Null,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A boolean.
    Boolean,
    /// A date.
    Date,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// In the words of messages, which are those of JavaScript.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::Null => "a null",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Boolean => "a boolean",
            Self::Date => "a date",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }

    /// Whether values of this kind can be compared.
    #[must_use]
    pub const fn is_comparable(self) -> bool {
        matches!(self, Self::Number | Self::Text | Self::Boolean | Self::Date)
    }
}

impl Value<'_> {
    /// The same value with memory of its own.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::Boolean(value) => Value::Boolean(value),
            Self::Date(millis) => Value::Date(millis),
            Self::Json(text) => Value::Json(Cow::Owned(text.into_owned())),
            Self::Nested { node, row, is_array } => Value::Nested { node, row, is_array },
        }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Boolean(_) => Kind::Boolean,
            Self::Date(_) => Kind::Date,
            Self::Json(text) if text.starts_with('[') => Kind::Array,
            Self::Nested { is_array: true, .. } => Kind::Array,
            Self::Json(_) | Self::Nested { .. } => Kind::Object,
        }
    }
}
