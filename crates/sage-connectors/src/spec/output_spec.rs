//! Where a native sink writes, whatever its format is.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The settings that all sinks share.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OutputSpec {
    /// A file, a directory, a path with `{part}`, or `-` for standard output.
    pub(crate) path: PathBuf,
    /// Create the directory, with its parents, if it is not there.
    #[serde(default)]
    pub(crate) mkdir: bool,
    /// Fields whose values name the directories that a record goes to.
    #[serde(default)]
    pub(crate) partition_by: Vec<String>,
    /// These fields stay in the records.
    #[serde(default)]
    pub(crate) keep_partition_fields: bool,
    /// Files that one instance has open at once.
    #[serde(default = "default_max_open_files")]
    pub(crate) max_open_files: usize,
    /// A file is ended when it has about so many bytes.
    #[serde(default)]
    pub(crate) max_file_bytes: Option<u64>,
    /// A file has at most so many records.
    #[serde(default)]
    pub(crate) max_file_rows: Option<u64>,
    /// What happens to parts of an earlier run in the directory.
    #[serde(default)]
    pub(crate) existing: Existing,
}

/// What happens to files of an earlier run that this one would stand beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Existing {
    #[default]
    Error,
    /// They stay; the new files have other numbers.
    Add,
    /// They are removed when the new ones appear.
    Replace,
}

const NAMES: [&str; 8] = [
    "path",
    "mkdir",
    "partitionBy",
    "keepPartitionFields",
    "maxOpenFiles",
    "maxFileBytes",
    "maxFileRows",
    "existing",
];

const fn default_max_open_files() -> usize {
    64
}

impl OutputSpec {
    /// Takes its settings out of those of a sink; the others are those of its format.
    ///
    /// # Errors
    /// When one has a value that it cannot have.
    pub(crate) fn take_from(settings: &mut Map<String, Value>) -> Result<Self, String> {
        let own: Map<String, Value> = NAMES
            .iter()
            .filter_map(|&name| Some((name.to_owned(), settings.remove(name)?)))
            .collect();
        let spec: Self = serde_json::from_value(own.into()).map_err(|error| error.to_string())?;
        let limits = [spec.max_file_bytes, spec.max_file_rows];
        if spec.max_open_files == 0 || limits.contains(&Some(0)) {
            return Err("maxOpenFiles, maxFileBytes and maxFileRows must be at least 1".to_owned());
        }
        Ok(spec)
    }

    /// Whether a file is ended before its instance has ended.
    pub(crate) fn rolls(&self) -> bool {
        self.max_file_bytes.is_some() || self.max_file_rows.is_some()
    }
}
