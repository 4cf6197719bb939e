//! Whether a file is still the one that was looked at.

use std::fs::Metadata;
use std::time::SystemTime;

/// What changes when somebody writes to a file, or puts another in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileVersion {
    pub(crate) bytes: u64,
    modified: Option<SystemTime>,
    /// Device and number of the file, where there are such.
    identity: Option<(u64, u64)>,
}

impl FileVersion {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let identity = None;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            identity,
        }
    }
}
