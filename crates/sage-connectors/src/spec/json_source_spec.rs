//! What a reader of JSON documents is asked to do.

use serde::Deserialize;

/// `{"type":"json","path":…}`: each element of the array, or the document itself, a record.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonSourceSpec {
    /// Field names, and indexes of arrays, on the way to the records.
    #[serde(default)]
    pub(crate) at: Vec<String>,
    /// Top-level fields of records to keep; all when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default = "super::line_source_spec::default_batch_rows")]
    pub(crate) batch_rows: usize,
    #[serde(default = "super::line_source_spec::default_max_line_bytes")]
    pub(crate) max_record_bytes: usize,
}
