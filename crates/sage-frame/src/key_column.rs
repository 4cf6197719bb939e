//! The keys of a keyed batch as canonical bytes: equality of keys is equality of these bytes.

use sage_types::{ErrorCode, Result, SageError};

use crate::{BatchView, BytesColumn, ColumnData, Wtf8Column};

/// First byte of canonical key bytes; `docs/internals/data-path.md`, section 4.
pub mod key_tag {
    /// `null`.
    pub const NULL: u8 = 0;
    /// `undefined`.
    pub const UNDEFINED: u8 = 1;
    /// `false`.
    pub const FALSE: u8 = 2;
    /// `true`.
    pub const TRUE: u8 = 3;
    /// A number: 8 bytes follow.
    pub const NUMBER: u8 = 4;
    /// A string: WTF-8 follows.
    pub const STRING: u8 = 5;
    /// A bigint: decimal ASCII follows.
    pub const BIGINT: u8 = 6;
    /// A `Date`: 8 bytes follow.
    pub const DATE: u8 = 7;
    /// An array.
    pub const ARRAY: u8 = 8;
    /// A plain object.
    pub const OBJECT: u8 = 9;
}

/// The number that stands for all numbers that are the same key: -0 is 0, every NaN is one NaN.
#[inline]
#[must_use]
pub fn canonical_f64(number: f64) -> f64 {
    if number.is_nan() {
        f64::from_bits(0x7ff8_0000_0000_0000)
    } else {
        // -0 + 0 = 0, and x + 0 = x for all others.
        number + 0.0
    }
}

/// The canonical bytes of a number.
#[inline]
#[must_use]
pub fn canonical_number(number: f64) -> [u8; 9] {
    let mut bytes = [key_tag::NUMBER; 9];
    bytes[1..].copy_from_slice(&canonical_f64(number).to_le_bytes());
    bytes
}

/// The keys of a batch. The variants are open so that tables of keys can take their own fast paths.
#[derive(Debug, Clone)]
pub enum KeyColumn<'a> {
    /// Numbers as they came: not canonical yet.
    F64(&'a [f64]),
    /// Booleans, 0 or 1.
    Bool(&'a [u8]),
    /// Strings.
    Str(Wtf8Column<'a>),
    /// Canonical bytes of keys of any kind.
    Bytes(BytesColumn<'a>),
}

impl<'a> KeyColumn<'a> {
    /// The keys of a batch.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` when the batch has no key column.
    pub fn new(view: &BatchView<'a>) -> Result<Self> {
        match view.key().map(|column| column.data) {
            Some(ColumnData::F64(numbers)) => Ok(Self::F64(numbers)),
            Some(ColumnData::Bool(booleans)) => Ok(Self::Bool(booleans)),
            Some(ColumnData::Str(strings)) => Ok(Self::Str(strings.wtf8())),
            Some(ColumnData::Bytes(bytes)) => Ok(Self::Bytes(bytes)),
            _ => Err(
                SageError::new(ErrorCode::FormatLayout, "the batch has no key column")
                    .with("layout", &*view.layout().text),
            ),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F64(numbers) => numbers.len(),
            Self::Bool(booleans) => booleans.len(),
            Self::Str(strings) => strings.len(),
            Self::Bytes(bytes) => bytes.ends.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The canonical bytes of the key of a row, in `scratch` unless the column holds them as they are. Empty beyond the
    /// last row; no key is empty.
    #[inline]
    pub fn canonical<'b>(&'b self, row: usize, scratch: &'b mut Vec<u8>) -> &'b [u8] {
        scratch.clear();
        match self {
            Self::F64(numbers) => {
                if let Some(&number) = numbers.get(row) {
                    scratch.extend_from_slice(&canonical_number(number));
                }
            }
            Self::Bool(booleans) => {
                scratch.extend(booleans.get(row).map(|&boolean| key_tag::FALSE + boolean));
            }
            Self::Str(strings) => {
                if row < strings.len() {
                    scratch.push(key_tag::STRING);
                    scratch.extend_from_slice(strings.row(row));
                }
            }
            Self::Bytes(bytes) => return bytes.row(row),
        }
        scratch
    }
}
