//! How the data of a text column is written.

use sage_types::{ErrorCode, Result, SageError};

/// How the data of a text column is written; ends count UTF-16 units in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum StringEncoding {
    /// One byte is one unit.
    #[default]
    Ascii = 0,
    /// Well-formed as a whole; a row may begin or end inside a sequence of 4 bytes.
    Utf8 = 1,
    /// Little endian; the only one that can hold an unpaired surrogate.
    Utf16 = 2,
}

impl StringEncoding {
    /// The encoding with this number.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` for a number that is none.
    pub fn from_number(number: u32) -> Result<Self> {
        match number {
            0 => Ok(Self::Ascii),
            1 => Ok(Self::Utf8),
            2 => Ok(Self::Utf16),
            _ => Err(SageError::new(
                ErrorCode::FormatBatch,
                format!("there is no string encoding {number}"),
            )),
        }
    }
}
