//! Writes one epoch.

use std::path::PathBuf;

use sage_types::{ErrorCode, Result, SageError};

use crate::{PartKey, PartKind};

/// A committed epoch.
#[derive(Debug, Clone)]
pub struct EpochSummary {
    /// Its number.
    pub epoch: u64,
    /// How long its file is.
    pub bytes: u64,
    /// Its file.
    pub path: PathBuf,
    /// What failed without harm to the epoch: older files that could not be removed.
    pub warnings: Vec<SageError>,
}

/// Writes one epoch. Dropped before the commit, nothing of it is left.
#[derive(Debug)]
pub struct EpochWriter {
    epoch: u64,
}

impl EpochWriter {
    pub(crate) const fn new(epoch: u64) -> Self {
        Self { epoch }
    }

    /// Adds a part. `is_full` is false when a keyed payload holds changes on top of the part of the base epoch.
    ///
    /// # Errors
    /// `SAGE_IO_DISK_FULL`, `SAGE_IO_WRITE`, `SAGE_FORMAT_BATCH`.
    pub fn add(&mut self, _key: &PartKey, _kind: PartKind, _is_full: bool, _payload: &[u8]) -> Result<()> {
        Err(SageError::new(
            ErrorCode::Internal,
            format!("epoch {} is not written yet", self.epoch),
        ))
    }

    /// Makes the epoch durable, and then removes the epochs that nobody needs any more.
    ///
    /// # Errors
    /// `SAGE_IO_DISK_FULL`, `SAGE_IO_WRITE`.
    pub fn commit(self, _metadata_json: &str) -> Result<EpochSummary> {
        Err(SageError::new(
            ErrorCode::Internal,
            format!("epoch {} is not written yet", self.epoch),
        ))
    }
}
