//! What a native sink is asked to write.

use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::output::Compression;
use crate::spec::{
    ArrowFormat, ArrowSinkSpec, CsvSinkSpec, JsonLinesSinkSpec, JsonSinkSpec, OutputSpec, ParquetSinkSpec,
    TextLinesSinkSpec,
};

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
