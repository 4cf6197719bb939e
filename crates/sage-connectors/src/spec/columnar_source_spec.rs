//! What a reader of a format of columns is asked to do.

use serde::Deserialize;

/// `{"type":"parquet","path":…}` and `{"type":"arrow","path":…}`, a file or stream of Arrow IPC: each row an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ColumnarSourceSpec {
    /// Top-level columns to read, in the order of the file; all when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default = "default_batch_rows")]
    pub(crate) batch_rows: usize,
    #[serde(default)]
    pub(crate) int64: Int64As,
    #[serde(default)]
    pub(crate) decimal: DecimalAs,
    #[serde(default)]
    pub(crate) binary: BinaryAs,
}

/// What values become that JavaScript has no type for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnForms {
    pub(crate) int64: Int64As,
    pub(crate) decimal: DecimalAs,
    pub(crate) binary: BinaryAs,
}

/// What a whole number of 64 bits becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Int64As {
    /// A number; a value that a double does not hold exactly (beyond 2^53) is an error.
    #[default]
    Exact,
    /// A number, the nearest one.
    F64,
    /// A string of its decimal digits.
    String,
}

/// What a decimal becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DecimalAs {
    /// A number up to a precision of 15 digits, which doubles hold; a string beyond.
    #[default]
    Auto,
    /// The nearest number.
    F64,
    /// A string such as `-12.50`.
    String,
}

/// What bytes without a text annotation become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BinaryAs {
    #[default]
    Error,
    /// A string, the bytes in base64.
    Base64,
    /// A string, the bytes in UTF-8; other bytes are an error.
    Utf8,
}

const fn default_batch_rows() -> usize {
    4096
}

impl ColumnarSourceSpec {
    pub(crate) const fn forms(&self) -> ColumnForms {
        ColumnForms {
            int64: self.int64,
            decimal: self.decimal,
            binary: self.binary,
        }
    }
}
