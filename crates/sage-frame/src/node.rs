//! The tree of a layout.

/// What one leaf column holds; `docs/internals/data-path.md`, section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeafKind {
    /// A JavaScript number.
    F64,
    /// A whole number in the range of int32 that is not -0 (native readers only).
    I32,
    /// A boolean.
    Bool,
    /// A string.
    Str,
    /// A `Date`: epoch milliseconds, NaN for an invalid date.
    Date,
    /// A value as its JSON text.
    Json,
    /// Canonical key bytes; never a value of the user.
    Bytes,
    /// Any value that can be structured-cloned, as tokens that only JavaScript reads.
    Any,
    /// `null`, `undefined` or missing in every row.
    Nil,
}

impl LeafKind {
    /// All kinds, in the order of the specification.
    pub const ALL: [Self; 9] = [
        Self::F64,
        Self::I32,
        Self::Bool,
        Self::Str,
        Self::Date,
        Self::Json,
        Self::Bytes,
        Self::Any,
        Self::Nil,
    ];

    /// The word in a layout's text, without `?`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::I32 => "i32",
            Self::Bool => "bool",
            Self::Str => "str",
            Self::Date => "date",
            Self::Json => "json",
            Self::Bytes => "bytes",
            Self::Any => "any",
            Self::Nil => "nil",
        }
    }

    /// Whether the leaf has a column of strings and so an encoding: `str`, `json`, and the pool of `any`.
    #[must_use]
    pub const fn has_text(self) -> bool {
        matches!(self, Self::Str | Self::Json | Self::Any)
    }

    /// Whether it may be the key of a layout.
    #[must_use]
    pub const fn can_be_key(self) -> bool {
        matches!(self, Self::F64 | Self::Bool | Self::Str | Self::Bytes)
    }
}

/// A node of a layout. `optional` nodes have a presence buffer: a row may be `null`, `undefined` or missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// One column.
    Leaf {
        /// What it holds.
        kind: LeafKind,
        /// Always true for [`LeafKind::Nil`].
        optional: bool,
    },
    /// A plain object.
    Record {
        /// Name and column of each field, in the order of the object.
        fields: Vec<(String, Node)>,
        /// Whether the object itself may be absent.
        optional: bool,
    },
    /// An array of fixed length.
    Tuple {
        /// The column of each element.
        items: Vec<Node>,
        /// Whether the array itself may be absent.
        optional: bool,
    },
}

impl Node {
    /// A column of `kind` that has a value in every row (`nil` is optional by nature).
    #[must_use]
    pub const fn leaf(kind: LeafKind) -> Self {
        Self::Leaf {
            kind,
            optional: matches!(kind, LeafKind::Nil),
        }
    }

    /// An object with these fields.
    #[must_use]
    pub fn record<N: Into<String>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        let fields = fields
            .into_iter()
            .map(|(name, node)| (name.into(), node))
            .collect();
        Self::Record {
            fields,
            optional: false,
        }
    }

    /// An array with these elements.
    #[must_use]
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple {
            items: items.into_iter().collect(),
            optional: false,
        }
    }

    /// The same node, able to be `null`, `undefined` or missing.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with_optional(true)
    }

    /// The same node with `optional` or-ed in.
    #[must_use]
    pub(crate) fn with_optional(mut self, or: bool) -> Self {
        match &mut self {
            Self::Leaf { optional, .. } | Self::Record { optional, .. } | Self::Tuple { optional, .. } => {
                *optional |= or;
            }
        }
        self
    }

    /// Whether a row may be absent.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        match self {
            Self::Leaf { optional, .. } | Self::Record { optional, .. } | Self::Tuple { optional, .. } => {
                *optional
            }
        }
    }

    /// Number of leaf columns below and including this node.
    #[must_use]
    pub fn count_columns(&self) -> usize {
        match self {
            Self::Leaf { .. } => 1,
            Self::Record { fields, .. } => fields.iter().map(|(_, node)| node.count_columns()).sum(),
            Self::Tuple { items, .. } => items.iter().map(Self::count_columns).sum(),
        }
    }
}
