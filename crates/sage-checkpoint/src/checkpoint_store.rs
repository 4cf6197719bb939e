//! A directory of epochs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_types::{ErrorCode, Result};

use crate::checkpoint_directory::CheckpointDirectory;
use crate::checkpoint_error::{damaged, misuse};
use crate::epoch_chain::EpochChain;
use crate::epoch_file::EpochFile;
use crate::epoch_names::epoch_path;
use crate::read_epoch::newest_of;
use crate::{ChainLimits, EpochSummary, EpochWriter, Files, PartKey, PartKind, RestoredEpoch, read_epoch};

/// A directory of epochs, locked for one job. Clones are handles of the same directory, for other threads; the lock is given back when
/// the last of them, and of the writers, is gone.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    directory: Arc<CheckpointDirectory>,
    limits: ChainLimits,
}

impl CheckpointStore {
    /// Opens a directory, which is made when only its parent is there, locks it, and removes what a process left that was ended while
    /// it wrote. The newest `retained` epochs are kept, at least one, and whatever they hold changes of.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_LOCKED` when a job has it already; `SAGE_IO_*` when it cannot be used.
    pub fn open(files: Arc<dyn Files>, directory: impl Into<PathBuf>, retained: usize) -> Result<Self> {
        let directory = CheckpointDirectory::open(files, directory.into(), retained)?;
        Ok(Self {
            directory: Arc::new(directory),
            limits: ChainLimits::default(),
        })
    }

    /// The same directory with other limits, for this handle and its clones.
    #[must_use]
    pub fn with_limits(self, limits: ChainLimits) -> Self {
        Self { limits, ..self }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The epochs that have a file, the newest first, also those that are damaged.
    #[must_use]
    pub fn epochs(&self) -> Vec<u64> {
        self.directory.catalog().newest_first()
    }

    /// The number for the epoch that comes next: one more than the newest that has a file or was begun here.
    #[must_use]
    pub fn next_epoch(&self) -> u64 {
        self.directory.catalog().newest_used() + 1
    }

    /// The newest epoch that is whole; none when there is no epoch. Damaged ones are in its `skipped()`.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED` when there are epochs and none is whole; `SAGE_CHECKPOINT_VERSION`; `SAGE_IO_*`.
    pub fn newest(&self) -> Result<Option<RestoredEpoch>> {
        loop {
            let mut was_removed = false;
            let found = newest_of(self.directory(), self.epochs().into_iter(), &mut |epoch| {
                let path = epoch_path(self.directory(), epoch);
                let found = self.open_file(&path);
                let mut catalog = self.directory.catalog();
                match found {
                    Err(error) if error.code == ErrorCode::IoNotFound => {
                        was_removed |= catalog.base_of(epoch).is_none();
                        catalog.unsound_if_known(epoch);
                        Err(damaged(&path, "it was removed by somebody else"))
                    }
                    Err(error) if error.code == ErrorCode::CheckpointDamaged => {
                        catalog.unsound_if_known(epoch);
                        Err(error)
                    }
                    found => found,
                }
            });
            // A commit has removed it meanwhile, so there is a newer one.
            if !was_removed {
                return found;
            }
        }
    }

    /// The epoch of a file, or the newest one of a directory, this one or another.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` when there is none; `SAGE_CHECKPOINT_DAMAGED`, `SAGE_CHECKPOINT_VERSION`, `SAGE_IO_*`.
    pub fn read(&self, path: &Path) -> Result<RestoredEpoch> {
        if path.parent() == Some(self.directory()) {
            return self.open_file(path);
        }
        read_epoch(&self.directory.files(), path)
    }

    fn open_file(&self, path: &Path) -> Result<RestoredEpoch> {
        let files = self.directory.files();
        let chain = {
            // Nothing is removed while the files of the chain are opened; open files can be read for as long as it takes.
            let _catalog = self.directory.catalog();
            EpochChain::open(files.as_ref(), path)?
        };
        RestoredEpoch::verified(files, chain)
    }

    /// Begins an epoch of which each part stands alone.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when the number is not larger than those that were used; `SAGE_IO_*` when its file cannot be made.
    pub fn begin(&self, epoch: u64) -> Result<EpochWriter> {
        self.begin_with(epoch, 0, HashMap::new())
    }

    /// Begins an epoch whose keyed parts may hold changes on top of those of `base`, which is [`CheckpointStore::base_for_changes`].
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when that is another epoch, or the number is not larger than those that were used; `SAGE_IO_*` when the base
    /// cannot be read, or the file cannot be made.
    pub fn begin_changes(&self, epoch: u64, base: u64) -> Result<EpochWriter> {
        if self.base_for_changes() != Some(base) {
            return Err(misuse(format!(
                "epoch {epoch} cannot hold changes of epoch {base}: that is not the newest one, or consists of too many files"
            )));
        }
        let file = EpochFile::open(
            self.directory.files().as_ref(),
            &epoch_path(self.directory(), base),
        )?;
        let parts = file.index().parts.iter();
        let parts = parts.map(|part| (part.key.clone(), part.kind)).collect();
        self.begin_with(epoch, base, parts)
    }

    fn begin_with(&self, epoch: u64, base: u64, parts: HashMap<PartKey, PartKind>) -> Result<EpochWriter> {
        if !self.directory.catalog().begin(epoch, base) {
            return Err(misuse(format!(
                "epoch {epoch} was begun, and the directory {} has used that number already",
                self.directory().display()
            )));
        }
        EpochWriter::in_directory(Arc::clone(&self.directory), epoch, base, parts)
    }

    /// The epoch that changes may be put on top of: the newest one, when it was committed since the directory was opened and does not
    /// consist of too many files. When there is none the next epoch has to stand alone.
    #[must_use]
    pub fn base_for_changes(&self) -> Option<u64> {
        let catalog = self.directory.catalog();
        let newest = catalog.newest_of_ours()?;
        (catalog.chain_length(newest) < self.limits.max_files).then_some(newest)
    }

    /// The epoch that should be merged, as it consists of many files. A merge may run in a thread of its own, beside commits.
    #[must_use]
    pub fn needs_merge(&self) -> Option<u64> {
        let catalog = self.directory.catalog();
        let newest = catalog.newest_sound()?;
        (catalog.chain_length(newest) >= self.limits.merge_files).then_some(newest)
    }

    /// Replaces the file of an epoch by one that stands alone, and removes the bases that nobody needs any more. None when there is
    /// nothing to do, because it stands alone already or is gone.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`, `SAGE_IO_*`. The epoch is of as much use as before then.
    pub fn merge(&self, epoch: u64) -> Result<Option<EpochSummary>> {
        let _turn = self.directory.merge_turn();
        let chain = {
            let catalog = self.directory.catalog();
            if catalog.base_of(epoch).unwrap_or(0) == 0 {
                return Ok(None);
            }
            EpochChain::open(
                self.directory.files().as_ref(),
                &epoch_path(self.directory(), epoch),
            )?
        };
        let restored = RestoredEpoch::verified(self.directory.files(), chain)?;
        let mut writer = EpochWriter::for_merge(Arc::clone(&self.directory), epoch)?;
        restored.copy_to(&mut writer)?;
        writer.publish(restored.metadata())
    }

    /// Writes an epoch of this directory to a file of its own, which needs no other and can be moved anywhere.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` when there is no such epoch; `SAGE_IO_EXISTS` when there is such a file; `SAGE_CHECKPOINT_DAMAGED`,
    /// `SAGE_IO_*`.
    pub fn write_savepoint(&self, epoch: u64, path: &Path) -> Result<EpochSummary> {
        self.open_file(&epoch_path(self.directory(), epoch))?
            .write_savepoint(path)
    }
}
