//! Whether a file is still the one that was looked at.

use std::fs::Metadata;

use serde::{Deserialize, Serialize};

use crate::files::FileStamp;

/// What changes when somebody writes to a file, or puts another in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FileVersion {
    pub(crate) bytes: u64,
    stamp: FileStamp,
}

impl FileVersion {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            stamp: FileStamp::of(metadata),
        }
    }

    /// Whether it is the same file, whatever was written to it.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.stamp.identity == other.stamp.identity
    }
}
