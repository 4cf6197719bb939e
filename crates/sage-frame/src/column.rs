//! One node of a batch, with typed access to its buffers.

use crate::str_column::row_bytes;
use crate::{NodeIndex, StrColumn};

/// Values of a presence buffer.
pub mod presence {
    /// There is a value.
    pub const VALUE: u8 = 0;
    /// The value is `null`.
    pub const NULL: u8 = 1;
    /// The value is `undefined`.
    pub const UNDEFINED: u8 = 2;
    /// The field is not there.
    pub const MISSING: u8 = 3;
}

/// A column of byte strings: canonical keys, tokens.
#[derive(Debug, Clone, Copy)]
pub struct BytesColumn<'a> {
    /// Where each row ends, in bytes from the start of the data.
    pub ends: &'a [u32],
    /// The bytes of all rows.
    pub data: &'a [u8],
}

impl<'a> BytesColumn<'a> {
    /// The bytes of one row; empty beyond the last.
    #[inline]
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [u8] {
        row_bytes(self.ends, self.data, row)
    }
}

/// One node of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The node of the layout.
    pub node: NodeIndex,
    /// For optional nodes, one value of [`presence`] for each row.
    pub presence: Option<&'a [u8]>,
    /// The values; those of absent rows are fillers.
    pub data: ColumnData<'a>,
}

impl Column<'_> {
    /// Presence of a row: [`presence::VALUE`] where the node is not optional.
    #[inline]
    #[must_use]
    pub fn presence_of(&self, row: usize) -> u8 {
        self.presence
            .and_then(|presence| presence.get(row))
            .copied()
            .unwrap_or(presence::VALUE)
    }
}

/// The values of a column, one a row.
#[derive(Debug, Clone, Copy)]
pub enum ColumnData<'a> {
    /// Numbers.
    F64(&'a [f64]),
    /// Whole numbers.
    I32(&'a [i32]),
    /// Booleans, 0 or 1.
    Bool(&'a [u8]),
    /// Strings.
    Str(StrColumn<'a>),
    /// Epoch milliseconds; NaN for an invalid date.
    Date(&'a [f64]),
    /// JSON texts.
    Json(StrColumn<'a>),
    /// Canonical keys.
    Bytes(BytesColumn<'a>),
    /// Tokens that only JavaScript reads, and the strings that they name.
    Any {
        /// The tokens of each row.
        tokens: BytesColumn<'a>,
        /// The strings of each row.
        pool: StrColumn<'a>,
    },
    /// Nothing but the presence.
    Nil,
    /// An object: its fields are the children of the node.
    Record,
    /// An array: its elements are the children of the node.
    Tuple,
}
