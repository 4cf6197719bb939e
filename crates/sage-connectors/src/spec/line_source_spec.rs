//! What a reader of lines is asked to do.

use serde::Deserialize;

/// `{"type":"textLines","path":…}`: each line a string.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TextLinesSourceSpec {
    #[serde(default = "default_batch_rows")]
    pub(crate) batch_rows: usize,
    #[serde(default)]
    pub(crate) invalid_utf8: InvalidUtf8,
    #[serde(default = "default_max_line_bytes")]
    pub(crate) max_line_bytes: usize,
}

/// `{"type":"jsonLines","path":…}`: each line a JSON value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonLinesSourceSpec {
    /// Top-level fields of objects to keep; all when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default = "default_batch_rows")]
    pub(crate) batch_rows: usize,
    #[serde(default)]
    pub(crate) invalid_utf8: InvalidUtf8,
    #[serde(default = "default_max_line_bytes")]
    pub(crate) max_line_bytes: usize,
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

pub(super) const fn default_batch_rows() -> usize {
    1024
}

pub(super) const fn default_max_line_bytes() -> usize {
    256 * 1024 * 1024
}
