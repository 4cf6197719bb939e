//! What a native sink is asked to write.

use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::output::Compression;
use crate::spec::{CsvSinkSpec, OutputSpec};

/// The `NativeSinkSpec` of TypeScript.
#[derive(Debug, Clone)]
pub(crate) struct SinkSpec {
    pub(crate) output: OutputSpec,
    pub(crate) format: SinkFormat,
}

/// What is written, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum SinkFormat {
    TextLines(TextLinesSinkSpec),
    JsonLines(JsonLinesSinkSpec),
    Csv(CsvSinkSpec),
    Json(JsonSinkSpec),
    Parquet(ParquetSinkSpec),
    Arrow(ArrowSinkSpec),
}

/// `{"type":"textLines","path":…}`: each record, a string, number or boolean, a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TextLinesSinkSpec {
    #[serde(default)]
    pub(crate) invalid_strings: InvalidStrings,
    #[serde(default)]
    pub(crate) append: bool,
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
}

/// `{"type":"jsonLines","path":…}`: each record a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonLinesSinkSpec {
    #[serde(default)]
    pub(crate) append: bool,
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
}

/// `{"type":"json","path":…}`: all records one array.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonSinkSpec {
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
}

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

/// How a file of text is compressed. TypeScript has looked at the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LineCompression {
    #[default]
    None,
    Gzip,
    Zstd,
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
        let mut settings: Map<String, Value> =
            serde_json::from_str(json).map_err(|error| invalid(&error.to_string()))?;
        let output = OutputSpec::take_from(&mut settings).map_err(|what| invalid(&what))?;
        let format: SinkFormat =
            serde_json::from_value(settings.into()).map_err(|error| invalid(&error.to_string()))?;
        match &format {
            SinkFormat::Parquet(spec) if spec.row_group_rows == 0 => {
                return Err(invalid("rowGroupRows must be at least 1"));
            }
            SinkFormat::Csv(spec) => drop(spec.check().map_err(|what| invalid(&what))?),
            _ => {}
        }
        Ok(Self { output, format })
    }
}

impl SinkFormat {
    /// What the names of its files end with, before compression.
    pub(crate) const fn extension(&self) -> &'static str {
        match self {
            Self::TextLines(_) => "txt",
            Self::JsonLines(_) => "jsonl",
            Self::Csv(_) => "csv",
            Self::Json(_) => "json",
            Self::Parquet(_) => "parquet",
            Self::Arrow(spec) => match spec.format {
                ArrowFormat::File => "arrow",
                ArrowFormat::Stream => "arrows",
            },
        }
    }

    /// Whether what is written goes behind what is there.
    pub(crate) const fn appends(&self) -> bool {
        match self {
            Self::TextLines(spec) => spec.append,
            Self::JsonLines(spec) => spec.append,
            Self::Csv(spec) => spec.append,
            // What is behind an array is no part of it; Parquet and Arrow end with a description of all that is in them.
            Self::Json(_) | Self::Parquet(_) | Self::Arrow(_) => false,
        }
    }

    /// Of the whole file; Parquet and Arrow compress their parts.
    pub(crate) fn compression(&self) -> Compression {
        match self {
            Self::TextLines(spec) => spec.compression.with_level(spec.compression_level),
            Self::JsonLines(spec) => spec.compression.with_level(spec.compression_level),
            Self::Csv(spec) => spec.compression.with_level(spec.compression_level),
            Self::Json(spec) => spec.compression.with_level(spec.compression_level),
            Self::Parquet(_) | Self::Arrow(_) => Compression::None,
        }
    }
}

impl LineCompression {
    fn with_level(self, level: Option<u8>) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip => Compression::Gzip {
                level: level.unwrap_or(6).min(9).into(),
            },
            Self::Zstd => Compression::Zstd {
                level: level.unwrap_or(3).clamp(1, 22).into(),
            },
        }
    }
}
