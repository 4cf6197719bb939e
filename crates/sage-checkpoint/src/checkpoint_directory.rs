//! A locked directory of epochs: how a file becomes one of them, and how those that nobody needs leave.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sage_types::{Clock, ErrorCode, PlantedBug, Result, SageError, SystemClock};

use crate::checkpoint_error::{Action, io_error, misuse, no_parent, not_a_directory};
use crate::disk_files::parent_of;
use crate::epoch_catalog::EpochCatalog;
use crate::epoch_file::read_header;
use crate::epoch_file_writer::EpochFileWriter;
use crate::epoch_names::{
    LOCK_NAME, epoch_path, is_temporary, merged_path, unsynced_epoch_of, unsynced_path,
};
use crate::read_epoch::epochs_in;
use crate::{FaultPoint, Files, HeldLock, LockFailure, PathKind};

/// A file is copied in pieces of this size.
const COPIED_BYTES: usize = 256 << 10;

/// What all handles of one directory share.
#[derive(Debug)]
pub(crate) struct CheckpointDirectory {
    files: Arc<dyn Files>,
    path: PathBuf,
    retained: usize,
    /// Held while files get their names or are removed, so that whoever opens a chain finds all of it.
    catalog: Mutex<EpochCatalog>,
    /// One merge at a time.
    merging: Mutex<()>,
    /// Given back when the last handle is gone.
    _lock: Box<dyn HeldLock>,
}

impl CheckpointDirectory {
    pub(crate) fn open(files: Arc<dyn Files>, path: PathBuf, retained: usize) -> Result<Self> {
        make_directory(files.as_ref(), &path)?;
        let lock = take_lock(files.as_ref(), &path)?;
        let failed = |error: std::io::Error| io_error(Action::Write, &path, &error);
        let mut catalog = EpochCatalog::default();
        let mut unsynced = Vec::new();
        for name in files.list(&path).map_err(failed)? {
            if is_temporary(&name) {
                files.remove(&path.join(name)).map_err(failed)?;
            } else {
                unsynced.extend(unsynced_epoch_of(&name));
            }
        }
        for epoch in unsynced {
            name_again(files.as_ref(), &path, epoch)?;
        }
        for epoch in epochs_in(files.as_ref(), &path)? {
            match read_header(files.as_ref(), &epoch_path(&path, epoch)) {
                Ok(header) => catalog.found(epoch, header.base),
                Err(error) if error.code == ErrorCode::CheckpointDamaged => catalog.unsound(epoch),
                Err(error) => return Err(error),
            }
        }
        // A process that was killed may have left names that are not durable yet, and what comes next removes others.
        files.sync_directory(&path).map_err(failed)?;
        Ok(Self {
            files,
            path,
            retained: retained.max(1),
            catalog: Mutex::new(catalog),
            merging: Mutex::new(()),
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.files)
    }

    pub(crate) fn catalog(&self) -> MutexGuard<'_, EpochCatalog> {
        // Nothing that can panic stands between two changes that belong together.
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody merges.
    pub(crate) fn merge_turn(&self) -> MutexGuard<'_, ()> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a finished file an epoch, and removes what nobody needs any more. Gives what could not be removed.
    pub(crate) fn publish(&self, file: &mut EpochFileWriter, path: &Path) -> Result<Vec<SageError>> {
        let (epoch, base) = (file.epoch(), file.base());
        let mut catalog = self.catalog();
        if catalog.newest_seen() >= epoch {
            return Err(misuse(format!(
                "epoch {epoch} was committed after epoch {}",
                catalog.newest_seen()
            )));
        }
        self.files.reached(FaultPoint::BeforeRename, epoch);
        file.rename(path)?;
        self.files.reached(FaultPoint::AfterRename, epoch);
        self.files.reached(FaultPoint::BeforeDirectorySync, epoch);
        if let Err(error) = self.files.sync_directory(&self.path) {
            // It may be durable or not. A start from it would be right, but nothing may rely on it.
            if self.files.remove(path).is_err() {
                catalog.unsound(epoch);
                self.note_unsynced(&mut catalog, epoch);
            }
            return Err(io_error(Action::Write, path, &error));
        }
        self.files.reached(FaultPoint::AfterDirectorySync, epoch);
        catalog.committed(epoch, base);
        Ok(self.remove_old(&mut catalog, epoch))
    }

    /// Puts a finished file in the place of the same epoch that had bases; none when that was removed meanwhile.
    pub(crate) fn publish_merged(
        &self,
        file: &mut EpochFileWriter,
        path: &Path,
    ) -> Result<Option<Vec<SageError>>> {
        let epoch = file.epoch();
        let mut catalog = self.catalog();
        if catalog.base_of(epoch).is_none() {
            return Ok(None);
        }
        self.files.reached(FaultPoint::BeforeMergeRename, epoch);
        file.rename(path)?;
        self.files.reached(FaultPoint::AfterMergeRename, epoch);
        // When this fails a crash may bring the file back that needs the bases: they stay.
        if !PlantedBug::MergedNameNotSynced.is_planted()
            && let Err(error) = self.files.sync_directory(&self.path)
        {
            self.note_unsynced(&mut catalog, epoch);
            return Err(io_error(Action::Write, path, &error));
        }
        if catalog.merged(epoch) {
            let _ = self.files.remove(&unsynced_path(path));
        }
        Ok(Some(self.remove_old(&mut catalog, epoch)))
    }

    /// A crash may take an epoch its file, or bring back the one that it had. Whoever opens the directory next without one finds the file, and
    /// has to be told; where that cannot be written down there is not much of a disk.
    fn note_unsynced(&self, catalog: &mut EpochCatalog, epoch: u64) {
        let _ = self.files.create(&unsynced_path(&epoch_path(&self.path, epoch)));
        catalog.unsynced(epoch);
    }

    fn remove_old(&self, catalog: &mut EpochCatalog, epoch: u64) -> Vec<SageError> {
        let removable = catalog.removable(self.retained);
        if removable.is_empty() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        self.files.reached(FaultPoint::BeforeRetention, epoch);
        for old in removable {
            let path = epoch_path(&self.path, old);
            match self.files.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    warnings.push(io_error(Action::Write, &path, &error));
                }
                _ => {
                    if catalog.removed(old) {
                        let _ = self.files.remove(&unsynced_path(&path));
                    }
                }
            }
            self.files.reached(FaultPoint::DuringRetention, epoch);
        }
        self.files.reached(FaultPoint::AfterRetention, epoch);
        warnings
    }
}

/// Makes the name of a file durable that could not be made so when it got it: what is synced later does not count for a change that
/// had failed, and so the file gets its name anew.
fn name_again(files: &dyn Files, directory: &Path, epoch: u64) -> Result<()> {
    let path = epoch_path(directory, epoch);
    let failed = |error: std::io::Error| io_error(Action::Write, &path, &error);
    if files.kind_of(&path).map_err(failed)?.is_some() {
        let temporary = merged_path(&path);
        copy(files, &path, &temporary).map_err(failed)?;
        files.rename(&temporary, &path).map_err(failed)?;
        files.sync_directory(directory).map_err(failed)?;
    }
    files.remove(&unsynced_path(&path)).map_err(failed)
}

fn copy(files: &dyn Files, from: &Path, to: &Path) -> std::io::Result<()> {
    let source = files.open(from)?;
    let mut target = files.create(to)?;
    let mut left = source.length()?;
    let mut piece = vec![0; COPIED_BYTES];
    for offset in (0..left).step_by(COPIED_BYTES) {
        let bytes = usize::try_from(left).map_or(COPIED_BYTES, |left| left.min(COPIED_BYTES));
        source.read_exact_at(offset, &mut piece[..bytes])?;
        target.write_all(&piece[..bytes])?;
        left -= bytes as u64;
    }
    target.sync()
}

fn make_directory(files: &dyn Files, path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| io_error(Action::Open, path, &error);
    match files.kind_of(path).map_err(failed)? {
        Some(PathKind::Directory) => return Ok(()),
        Some(PathKind::File) => return Err(not_a_directory(path)),
        None => {}
    }
    match files.create_directory(path) {
        Ok(()) => Ok(()),
        // Somebody else was faster; the lock decides whose it is.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(no_parent(path, parent_of(path), &error))
        }
        Err(error) => Err(failed(error)),
    }
}

fn take_lock(files: &dyn Files, directory: &Path) -> Result<Box<dyn HeldLock>> {
    let path = directory.join(LOCK_NAME);
    // For people too, who look into the directory.
    let owner = format!(
        "pid={}\nstartedMs={:.0}\n",
        std::process::id(),
        SystemClock::new().epoch_millis()
    );
    files.lock(&path, &owner).map_err(|failure| match failure {
        LockFailure::Io(error) => io_error(Action::Write, &path, &error),
        LockFailure::Held(holder) => locked(directory, &holder),
    })
}

/// The error for a directory that somebody has, who wrote `holder` into the lock.
fn locked(directory: &Path, holder: &str) -> SageError {
    let number = |name: &str| -> Option<u64> {
        let value = holder.lines().find_map(|line| line.strip_prefix(name))?;
        value.parse().ok()
    };
    let pid = number("pid=");
    let who = match pid {
        Some(pid) if pid == u64::from(std::process::id()) => format!("another job of this process ({pid})"),
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    let error = SageError::new(
        ErrorCode::CheckpointLocked,
        format!(
            "the checkpoint directory {} is in use by {who}: end that job, or give each job a directory of its own",
            directory.display()
        ),
    )
    .with("directory", directory.display().to_string());
    let error = match pid {
        Some(pid) => error.with("pid", pid),
        None => error,
    };
    match number("startedMs=") {
        Some(started) => error.with("startedMs", started),
        None => error,
    }
}
