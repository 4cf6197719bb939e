//! What a reader of CSV is asked to do.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::formats::csv::{CsvDialect, CsvType};
use crate::spec::InvalidUtf8;
use crate::spec::csv_delimiter::structural;

/// `{"type":"csv","path":…}`: each record of cells an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CsvSourceSpec {
    /// Columns to keep; all when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) header: CsvHeader,
    /// Lines before the header, or before the first record, that are no part of the table.
    #[serde(default)]
    pub(crate) skip_lines: u64,
    #[serde(default = "super::csv_delimiter::default_delimiter")]
    pub(crate) delimiter: String,
    /// A character, or `false`.
    #[serde(default)]
    pub(crate) quote: CsvQuote,
    #[serde(default)]
    pub(crate) escape: Option<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) trim: bool,
    #[serde(default)]
    pub(crate) types: CsvTypes,
    /// Records that decide the types which are not given.
    #[serde(default = "default_infer_rows")]
    pub(crate) infer_rows: usize,
    #[serde(default)]
    pub(crate) nulls: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) width: CsvWidth,
    #[serde(default)]
    pub(crate) on_error: CsvOnError,
    #[serde(default = "super::line_source_spec::default_batch_rows")]
    pub(crate) batch_rows: usize,
    #[serde(default)]
    pub(crate) invalid_utf8: InvalidUtf8,
    #[serde(default = "super::line_source_spec::default_max_line_bytes")]
    pub(crate) max_record_bytes: usize,
}

/// Where names of columns come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum CsvHeader {
    /// The first record, or nowhere: `column0`, `column1` ...
    InFile(bool),
    /// The file has no header.
    Names(Vec<String>),
}

impl Default for CsvHeader {
    fn default() -> Self {
        Self::InFile(true)
    }
}

/// The character around cells.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum CsvQuote {
    /// `true` is the usual one.
    Enabled(bool),
    Character(String),
}

impl Default for CsvQuote {
    fn default() -> Self {
        Self::Enabled(true)
    }
}

/// Types of columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum CsvTypes {
    All(CsvAllTypes),
    /// By name; the others are inferred.
    ByName(BTreeMap<String, CsvTypeName>),
}

impl Default for CsvTypes {
    fn default() -> Self {
        Self::All(CsvAllTypes::Infer)
    }
}

/// One rule for all columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CsvAllTypes {
    Infer,
    String,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CsvTypeName {
    String,
    Number,
    Boolean,
    Date,
    Json,
}

impl CsvTypeName {
    pub(crate) const fn kind(self) -> CsvType {
        match self {
            Self::String => CsvType::Text,
            Self::Number => CsvType::Number,
            Self::Boolean => CsvType::Bool,
            Self::Date => CsvType::Date,
            Self::Json => CsvType::Json,
        }
    }
}

/// What happens to a record with too few or too many cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CsvWidth {
    /// It is bad.
    #[default]
    Exact,
    /// Missing cells are null; surplus ones must be empty.
    Pad,
}

/// What happens to a bad record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CsvOnError {
    #[default]
    Fail,
    /// It is left out and counted.
    Skip,
}

const fn default_infer_rows() -> usize {
    1000
}

impl CsvSourceSpec {
    /// The dialect; what is wrong with it otherwise.
    pub(crate) fn dialect(&self) -> Result<CsvDialect, String> {
        let delimiter = structural("delimiter", &self.delimiter)?;
        let quote = match &self.quote {
            CsvQuote::Enabled(enabled) => enabled.then_some(b'"'),
            CsvQuote::Character(text) => Some(structural("quote", text)?),
        };
        let optional = |name: &str, text: &Option<String>| match text {
            Some(text) => structural(name, text).map(Some),
            None => Ok(None),
        };
        let escape = optional("escape", &self.escape)?;
        let comment = optional("comment", &self.comment)?;
        if quote == Some(delimiter) || escape == Some(delimiter) || comment == Some(delimiter) {
            return Err("the delimiter must differ from quote, escape and comment".to_owned());
        }
        if comment.is_some() && comment == quote {
            return Err("comment must differ from quote".to_owned());
        }
        Ok(CsvDialect::new(delimiter, quote, escape, comment, self.trim))
    }
}
