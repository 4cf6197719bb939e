//! What a native sink is asked to write.

use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::spec::CsvSinkSpec;

/// The `NativeSinkSpec` of TypeScript.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum SinkSpec {
    TextLines(TextLinesSinkSpec),
    JsonLines(JsonLinesSinkSpec),
    Csv(CsvSinkSpec),
    Json(JsonSinkSpec),
    Parquet(ParquetSinkSpec),
}

/// `{"type":"textLines","path":…}`: each record, a string, number or boolean, a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TextLinesSinkSpec {
    pub(crate) path: PathBuf,
    /// Create the directory, with its parents, if it is not there.
    #[serde(default)]
    pub(crate) mkdir: bool,
    #[serde(default)]
    pub(crate) invalid_strings: InvalidStrings,
}

/// `{"type":"jsonLines","path":…}`: each record a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonLinesSinkSpec {
    pub(crate) path: PathBuf,
    /// Create the directory, with its parents, if it is not there.
    #[serde(default)]
    pub(crate) mkdir: bool,
}

/// `{"type":"json","path":…}`: all records in one array.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonSinkSpec {
    pub(crate) path: PathBuf,
    /// Create the directory, with its parents, if it is not there.
    #[serde(default)]
    pub(crate) mkdir: bool,
}

/// `{"type":"parquet","path":…}`: each record a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ParquetSinkSpec {
    pub(crate) path: PathBuf,
    /// Create the directory, with its parents, if it is not there.
    #[serde(default)]
    pub(crate) mkdir: bool,
    #[serde(default)]
    pub(crate) invalid_strings: InvalidStrings,
    /// Fields that the first records do not have, or have with a narrower type: field name to layout node.
    #[serde(default)]
    pub(crate) schema: Map<String, Value>,
    #[serde(default)]
    pub(crate) compression: ParquetCompression,
    /// Rows of a row group.
    #[serde(default = "default_row_group_rows")]
    pub(crate) row_group_rows: usize,
}

/// What happens to a string with an unpaired surrogate, which UTF-8 cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum InvalidStrings {
    #[default]
    Error,
    /// The surrogate becomes U+FFFD, as Node's encoder does.
    Replace,
}

/// How pages of a Parquet file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ParquetCompression {
    #[default]
    Zstd,
    Snappy,
    None,
}

const fn default_row_group_rows() -> usize {
    262_144
}

impl SinkSpec {
    /// Reads a spec.
    ///
    /// # Errors
    /// `SAGE_PLAN_SINK` when it is not one; the message says what is wrong.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let invalid =
            |what: &str| SageError::new(ErrorCode::PlanSink, format!("this is not a native sink: {what}"));
        let spec: Self = serde_json::from_str(json).map_err(|error| invalid(&error.to_string()))?;
        if let Self::Parquet(spec) = &spec
            && spec.row_group_rows == 0
        {
            return Err(invalid("rowGroupRows must be at least 1"));
        }
        if let Self::Csv(spec) = &spec {
            spec.check().map_err(|what| invalid(&what))?;
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

    pub(crate) fn mkdir(&self) -> bool {
        match self {
            Self::TextLines(spec) => spec.mkdir,
            Self::JsonLines(spec) => spec.mkdir,
            Self::Csv(spec) => spec.mkdir,
            Self::Json(spec) => spec.mkdir,
            Self::Parquet(spec) => spec.mkdir,
        }
    }
}
