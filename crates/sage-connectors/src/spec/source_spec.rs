//! What a native source is asked to read.

use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::files::{Compression, CompressionSetting, FileSet};
use crate::spec::line_source_spec::default_max_line_bytes;
use crate::spec::{
    ColumnarSourceSpec, CsvSourceSpec, JsonLinesSourceSpec, JsonSourceSpec, TextLinesSourceSpec,
};

/// The `NativeSourceSpec` of TypeScript: which files are read, and what is in them.
#[derive(Debug, Clone)]
pub(crate) struct SourceSpec {
    pub(crate) files: FileSet,
    pub(crate) format: SourceFormat,
}

/// A format that can be read.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum SourceFormat {
    TextLines(TextLinesSourceSpec),
    JsonLines(JsonLinesSourceSpec),
    Csv(CsvSourceSpec),
    Json(JsonSourceSpec),
    Parquet(ColumnarSourceSpec),
    Arrow(ColumnarSourceSpec),
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
        let malformed = |error: serde_json::Error| invalid(&error.to_string());
        let mut fields: Map<String, Value> = serde_json::from_str(json).map_err(malformed)?;
        let of_files = FileSet::FIELDS
            .iter()
            .filter_map(|&name| fields.remove_entry(name))
            .collect();
        let mut files: FileSet = serde_json::from_value(Value::Object(of_files)).map_err(malformed)?;
        let format: SourceFormat = serde_json::from_value(Value::Object(fields)).map_err(malformed)?;
        if let Some(mistake) = files.mistake() {
            return Err(invalid(mistake));
        }
        if !format.is_stream() {
            if files.is_standard_input() {
                return Err(invalid("this format cannot be read from the standard input"));
            }
            if files.compression != CompressionSetting::Auto {
                return Err(invalid("this format has a compression of its own"));
            }
            files.compression = CompressionSetting::Known(Compression::None);
        }
        format.check()?;
        Ok(Self { files, format })
    }
}

impl SourceFormat {
    /// Whether a file is read from its beginning to its end, so that it may be compressed, or a pipe.
    pub(crate) fn is_stream(&self) -> bool {
        match self {
            Self::TextLines(_) | Self::JsonLines(_) | Self::Csv(_) | Self::Json(_) => true,
            Self::Parquet(_) | Self::Arrow(_) => false,
        }
    }

    /// Whether reading can begin in the middle of a file, so that instances share it.
    pub(crate) fn is_divisible(&self) -> bool {
        match self {
            Self::TextLines(_) | Self::JsonLines(_) | Self::Csv(_) | Self::Parquet(_) | Self::Arrow(_) => {
                true
            }
            Self::Json(_) => false,
        }
    }

    fn check(&self) -> Result<()> {
        let (batch_rows, max_line_bytes) = match self {
            Self::TextLines(spec) => (spec.batch_rows, spec.max_line_bytes),
            Self::JsonLines(spec) => (spec.batch_rows, spec.max_line_bytes),
            Self::Csv(spec) => {
                spec.dialect().map_err(|what| invalid(&what))?;
                (spec.batch_rows, spec.max_record_bytes)
            }
            Self::Json(spec) => (spec.batch_rows, spec.max_record_bytes),
            Self::Parquet(spec) | Self::Arrow(spec) => (spec.batch_rows, default_max_line_bytes()),
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
        Ok(())
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
        let Ok(SourceFormat::JsonLines(spec)) = spec.map(|spec| spec.format) else {
            panic!("not JSON lines")
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
            (
                r#"{"type":"parquet","path":"a","compression":"gzip"}"#,
                "compression",
            ),
            (r#"{"type":"parquet","path":"-"}"#, "standard input"),
            (r#"{"type":"textLines","path":["a","-"]}"#, "standard input"),
            (r#"{"type":"textLines","path":[]}"#, "path"),
            (
                r#"{"type":"textLines","path":"-","watch":{"everyMs":1}}"#,
                "watched",
            ),
            (r#"{"type":"textLines","path":"a","compression":"lz4"}"#, "lz4"),
        ] {
            let error = SourceSpec::parse(json).unwrap_err();
            assert_eq!(error.code, ErrorCode::PlanSource);
            assert!(error.message.contains(what), "{}", error.message);
        }
    }
}
