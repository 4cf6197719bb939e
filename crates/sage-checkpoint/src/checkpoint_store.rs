//! A directory of epochs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_types::{ErrorCode, Result, SageError};

use crate::{EpochSummary, EpochWriter, Files, RestoredEpoch};

/// A directory of epochs, locked for one job.
#[derive(Debug)]
pub struct CheckpointStore {
    directory: PathBuf,
}

impl CheckpointStore {
    /// Opens a directory, which is made when only its parent is there, and locks it. `retained` epochs are kept, at least one.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_LOCKED` when a job has it already; `SAGE_IO_*` when it cannot be used.
    pub fn open(files: Arc<dyn Files>, directory: impl Into<PathBuf>, _retained: usize) -> Result<Self> {
        let _ = files;
        Ok(Self {
            directory: directory.into(),
        })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The number for the epoch that comes next: one more than the newest that was ever seen here.
    #[must_use]
    pub fn next_epoch(&self) -> u64 {
        1
    }

    /// The newest epoch that is whole; none when there is no epoch. Damaged ones are in its `skipped()`.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED` when there are epochs and none is whole, `SAGE_CHECKPOINT_VERSION`, `SAGE_IO_*`.
    pub fn newest(&self) -> Result<Option<RestoredEpoch>> {
        Ok(None)
    }

    /// The epoch of a file, or the newest one of a directory, this one or another.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`, `SAGE_CHECKPOINT_VERSION`, `SAGE_IO_*`.
    pub fn read(&self, _path: &Path) -> Result<RestoredEpoch> {
        Err(SageError::new(ErrorCode::Internal, "not written yet"))
    }

    /// Begins an epoch of which each part stands alone.
    ///
    /// # Errors
    /// `SAGE_IO_*` when its file cannot be made.
    pub fn begin(&self, epoch: u64) -> Result<EpochWriter> {
        Ok(EpochWriter::new(epoch))
    }

    /// Begins an epoch whose keyed parts may hold changes on top of those of `base`, see [`CheckpointStore::base_for_changes`].
    ///
    /// # Errors
    /// `SAGE_IO_*` when its file cannot be made; `SAGE_INTERNAL` when nothing can be put on top of that epoch.
    pub fn begin_changes(&self, epoch: u64, _base: u64) -> Result<EpochWriter> {
        Ok(EpochWriter::new(epoch))
    }

    /// The epoch that changes may be put on top of: the newest, when it was committed since the directory was opened and its chain is not too long.
    #[must_use]
    pub fn base_for_changes(&self) -> Option<u64> {
        None
    }

    /// The epoch that should be merged, because its chain is long. A merge may run in a thread of its own, beside commits.
    #[must_use]
    pub fn needs_merge(&self) -> Option<u64> {
        None
    }

    /// Replaces the file of an epoch by a whole one, and removes the bases that nobody needs any more.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`, `SAGE_IO_*`; the epoch is as it was then.
    pub fn merge(&self, _epoch: u64) -> Result<Option<EpochSummary>> {
        Ok(None)
    }
}
