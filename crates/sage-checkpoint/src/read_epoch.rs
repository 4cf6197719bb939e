//! Finds the epoch that a path means, without a lock.

use std::path::Path;
use std::sync::Arc;

use sage_types::{ErrorCode, Result, SageError};

use crate::checkpoint_error::{Action, damaged, io_error};
use crate::epoch_chain::EpochChain;
use crate::epoch_names::{epoch_of, epoch_path};
use crate::{Files, PathKind, RestoredEpoch};

/// A job that writes to the directory may remove what was about to be opened; then it has written something newer.
const ATTEMPTS: usize = 5;

/// Reads the epoch of a file, or the newest one of a directory that is whole. Nothing is locked or written, so a job may be writing to
/// the directory.
///
/// # Errors
/// `SAGE_IO_NOT_FOUND` when there is no epoch; `SAGE_CHECKPOINT_DAMAGED` when none is whole; `SAGE_CHECKPOINT_VERSION`, `SAGE_IO_*`.
pub fn read_epoch(files: &Arc<dyn Files>, path: &Path) -> Result<RestoredEpoch> {
    let failed = |error: std::io::Error| io_error(Action::Open, path, &error);
    match files.kind_of(path).map_err(failed)? {
        None => Err(failed(std::io::ErrorKind::NotFound.into())),
        Some(PathKind::File) => {
            // Once more: a merge may have removed its bases while they were looked for.
            let chain =
                EpochChain::open(files.as_ref(), path).or_else(|_| EpochChain::open(files.as_ref(), path))?;
            RestoredEpoch::verified(Arc::clone(files), chain)
        }
        Some(PathKind::Directory) => newest_in(files, path)?.ok_or_else(|| {
            SageError::new(
                ErrorCode::IoNotFound,
                format!(
                    "the checkpoint directory {} has no epoch: correct the path, or start without one",
                    path.display()
                ),
            )
            .with("directory", path.display().to_string())
        }),
    }
}

fn newest_in(files: &Arc<dyn Files>, directory: &Path) -> Result<Option<RestoredEpoch>> {
    let mut epochs = epochs_in(files.as_ref(), directory)?;
    for _ in 1..ATTEMPTS {
        let found = newest_of(directory, epochs.iter().rev().copied(), &mut |epoch| {
            open_epoch(files, directory, epoch)
        });
        let now = epochs_in(files.as_ref(), directory)?;
        let is_clean =
            matches!(&found, Ok(found) if found.as_ref().is_none_or(|found| found.skipped().is_empty()));
        if is_clean || now == epochs {
            return found;
        }
        epochs = now;
    }
    newest_of(directory, epochs.into_iter().rev(), &mut |epoch| {
        open_epoch(files, directory, epoch)
    })
}

/// Opens the epoch of a directory and checks it.
fn open_epoch(files: &Arc<dyn Files>, directory: &Path, epoch: u64) -> Result<RestoredEpoch> {
    let chain = EpochChain::open(files.as_ref(), &epoch_path(directory, epoch))?;
    RestoredEpoch::verified(Arc::clone(files), chain)
}

/// The first of these epochs that is whole; none when there are none at all.
pub(crate) fn newest_of(
    directory: &Path,
    newest_first: impl Iterator<Item = u64>,
    open: &mut dyn FnMut(u64) -> Result<RestoredEpoch>,
) -> Result<Option<RestoredEpoch>> {
    let mut skipped = Vec::new();
    for epoch in newest_first {
        match open(epoch) {
            Ok(found) if found.epoch == epoch => return Ok(Some(found.with_skipped(skipped))),
            Ok(found) => skipped.push(damaged(
                found.path(),
                format_args!("it holds epoch {}", found.epoch),
            )),
            // Only what will never be readable is passed over: an older epoch undoes what happened since.
            Err(error) if error.code == ErrorCode::CheckpointDamaged => skipped.push(error),
            Err(error) => return Err(error),
        }
    }
    match skipped.first() {
        None => Ok(None),
        Some(first) => Err(SageError::new(
            ErrorCode::CheckpointDamaged,
            format!(
                "none of the {} epochs in the checkpoint directory {} is whole: start from a savepoint, or with an empty directory",
                skipped.len(),
                directory.display()
            ),
        )
        .with("directory", directory.display().to_string())
        .caused_by(first)),
    }
}

/// The epochs that have a file, the oldest first.
pub(crate) fn epochs_in(files: &dyn Files, directory: &Path) -> Result<Vec<u64>> {
    let names = files
        .list(directory)
        .map_err(|error| io_error(Action::Read, directory, &error))?;
    let mut epochs: Vec<u64> = names.iter().filter_map(|name| epoch_of(name)).collect();
    epochs.sort_unstable();
    Ok(epochs)
}
