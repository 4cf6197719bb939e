//! What a native source is asked to read.

use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;

use crate::spec::{CsvSourceSpec, JsonSourceSpec};

/// The `NativeSourceSpec` of TypeScript.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum SourceSpec {
    TextLines(TextLinesSourceSpec),
    JsonLines(JsonLinesSourceSpec),
    Csv(CsvSourceSpec),
    Json(JsonSourceSpec),
    Parquet(ParquetSourceSpec),
}

/// `{"type":"textLines","path":…}`: each line a string.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TextLinesSourceSpec {
    pub(crate) path: PathBuf,
    #[serde(default = "default_line_rows")]
    pub(crate) batch_rows: usize,
    /// Size of the file when the splits were planned, so that all instances agree on it.
    #[serde(default)]
    pub(crate) bytes: Option<u64>,
    #[serde(default)]
    pub(crate) invalid_utf8: InvalidUtf8,
    #[serde(default = "default_max_line_bytes")]
    pub(crate) max_line_bytes: usize,
}

/// `{"type":"jsonLines","path":…}`: each line a JSON value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonLinesSourceSpec {
    pub(crate) path: PathBuf,
    /// Top-level fields of objects to keep; all when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default = "default_line_rows")]
    pub(crate) batch_rows: usize,
    /// Size of the file when the splits were planned, so that all instances agree on it.
    #[serde(default)]
    pub(crate) bytes: Option<u64>,
    #[serde(default)]
    pub(crate) invalid_utf8: InvalidUtf8,
    #[serde(default = "default_max_line_bytes")]
    pub(crate) max_line_bytes: usize,
}

/// `{"type":"parquet","path":…}`: each row an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ParquetSourceSpec {
    pub(crate) path: PathBuf,
    /// Top-level columns to read, in the order of the file; all when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default = "default_parquet_rows")]
    pub(crate) batch_rows: usize,
    #[serde(default)]
    pub(crate) int64: Int64As,
    #[serde(default)]
    pub(crate) decimal: DecimalAs,
    #[serde(default)]
    pub(crate) binary: BinaryAs,
}

/// What happens to a line with malformed UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum InvalidUtf8 {
    #[default]
    Error,
    /// Each malformed sequence becomes U+FFFD, as Node's decoder does.
    Replace,
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

pub(super) const fn default_line_rows() -> usize {
    1024
}

const fn default_parquet_rows() -> usize {
    4096
}

pub(super) const fn default_max_line_bytes() -> usize {
    256 * 1024 * 1024
}

/// Greatest number of rows of a batch that may be asked for.
const MAX_BATCH_ROWS: usize = 65_536;
/// Greatest length of a line that may be asked for: ends of strings are 32 bits.
const LIMIT_LINE_BYTES: usize = 1 << 30;

impl SourceSpec {
    /// Reads a spec.
    ///
    /// # Errors
    /// `SAGE_PLAN_SOURCE` when it is not one; the message says what is wrong.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let spec: Self = serde_json::from_str(json).map_err(|error| invalid(&error.to_string()))?;
        let (batch_rows, max_line_bytes) = match &spec {
            Self::TextLines(spec) => (spec.batch_rows, spec.max_line_bytes),
            Self::JsonLines(spec) => (spec.batch_rows, spec.max_line_bytes),
            Self::Csv(spec) => {
                spec.dialect().map_err(|what| invalid(&what))?;
                (spec.batch_rows, spec.max_record_bytes)
            }
            Self::Json(spec) => (spec.batch_rows, spec.max_record_bytes),
            Self::Parquet(spec) => (spec.batch_rows, default_max_line_bytes()),
        };
        if !(1..=MAX_BATCH_ROWS).contains(&batch_rows) {
            return Err(invalid(&format!(
                "batchRows must be between 1 and {MAX_BATCH_ROWS}, not {batch_rows}"
            )));
        }
        if !(1..=LIMIT_LINE_BYTES).contains(&max_line_bytes) {
            let text = format!(
                "the limit of a line or record must be between 1 and {LIMIT_LINE_BYTES}, not {max_line_bytes}"
            );
            return Err(invalid(&text));
        }
        Ok(spec)
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::TextLines(spec) => &spec.path,
            Self::JsonLines(spec) => &spec.path,
            Self::Csv(spec) => &spec.path,
            Self::Json(spec) => &spec.path,
            Self::Parquet(spec) => &spec.path,
        }
    }
}

fn invalid(what: &str) -> SageError {
    SageError::new(
        ErrorCode::PlanSource,
        format!("this is not a native source: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_needs_a_type_and_a_path_and_knows_its_options() {
        let spec =
            SourceSpec::parse(r#"{"type":"jsonLines","path":"a.jsonl","columns":["x"],"batchRows":7}"#);
        let Ok(SourceSpec::JsonLines(spec)) = spec else {
            panic!("{spec:?}")
        };
        assert_eq!(
            (spec.batch_rows, spec.columns.as_deref()),
            (7, Some(&["x".to_owned()][..]))
        );

        for (json, what) in [
            (r#"{"type":"xml","path":"a"}"#, "xml"),
            (r#"{"type":"csv","path":"a","delimiter":"e"}"#, "delimiter"),
            (r#"{"type":"csv","path":"a","quote":","}"#, "differ"),
            (r#"{"type":"parquet"}"#, "path"),
            (r#"{"type":"textLines","path":"a","colums":[]}"#, "colums"),
            (r#"{"type":"textLines","path":"a","batchRows":0}"#, "batchRows"),
            (r#"{"type":"parquet","path":"a","int64":"bigint"}"#, "bigint"),
        ] {
            let error = SourceSpec::parse(json).unwrap_err();
            assert_eq!(error.code, ErrorCode::PlanSource);
            assert!(error.message.contains(what), "{}", error.message);
        }
    }
}
