//! What a writer of a format of columns is asked to do.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::spec::InvalidStrings;

/// `{"type":"parquet","path":…}`: each record a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ParquetSinkSpec {
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

/// `{"type":"arrow","path":…}`: each record a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ArrowSinkSpec {
    #[serde(default)]
    pub(crate) invalid_strings: InvalidStrings,
    /// As for Parquet.
    #[serde(default)]
    pub(crate) schema: Map<String, Value>,
    #[serde(default)]
    pub(crate) format: ArrowFormat,
    #[serde(default)]
    pub(crate) compression: ArrowCompression,
}

/// The two forms of Arrow IPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ArrowFormat {
    /// With a footer that says where each batch is.
    #[default]
    File,
    Stream,
}

/// How buffers of an Arrow file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ArrowCompression {
    #[default]
    None,
    Lz4,
    Zstd,
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
