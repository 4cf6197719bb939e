//! The directory of the state of a job.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sage_types::{ErrorCode, Result, SageError};

use crate::store_error::io_error;

const JOB_PREFIX: &str = "sage-job-";
const LOCK_NAME: &str = "lock";
/// Held while a job directory comes into being or is taken over, so that nobody finds one without its lock.
const BASE_LOCK_NAME: &str = "sage-state.lock";

/// A directory that belongs to one job of one process, and is removed with this value.
///
/// A process that is killed leaves its directories behind: the next one that makes a directory in the same place removes
/// them. It tells them by their lock, which the operating system takes from a process that ends.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    /// Closed before the directory is removed: where a file in use cannot be removed, it would stay.
    lock: Option<File>,
}

impl StateDirectory {
    /// Makes a directory for a job in `base`, which is made when it is not there, and removes those of processes that were
    /// killed.
    ///
    /// # Errors
    /// `SAGE_STATE_DIRECTORY` when `base` cannot be used, `SAGE_IO_DISK_FULL`, `SAGE_STATE_IO`.
    pub fn create(base: &Path) -> Result<Self> {
        let failed = |action: &'static str, path: &Path| {
            let path = path.to_owned();
            move |error: std::io::Error| io_error(action, &path, &error)
        };
        private_folder(true)
            .create(base)
            .map_err(failed("make a directory for", base))?;
        check_owner(base)?;
        let base_lock = open_lock(&base.join(BASE_LOCK_NAME)).map_err(failed("lock", base))?;
        base_lock.lock().map_err(failed("lock", base))?;
        let abandoned = take_abandoned(base).map_err(failed("list", base))?;
        let path = base.join(unique_name());
        private_folder(false)
            .create(&path)
            .map_err(failed("make a directory for", base))?;
        let lock = open_lock(&path.join(LOCK_NAME)).map_err(failed("lock", &path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => io_error("lock", &path, &error),
            TryLockError::WouldBlock => io_error("lock", &path, &std::io::ErrorKind::AlreadyExists.into()),
        })?;
        drop(base_lock);
        // Outside of the lock: it may take long. What cannot be removed is tried again by the next one.
        for (folder, lock) in abandoned {
            drop(lock);
            let _ = std::fs::remove_dir_all(folder);
        }
        Ok(Self {
            path,
            lock: Some(lock),
        })
    }

    /// Where directories of jobs go when nobody says where: a folder of this user among the temporary files.
    #[must_use]
    pub fn default_base() -> PathBuf {
        #[cfg(unix)]
        let name = format!("sage-kernel-{}", rustix::process::geteuid().as_raw());
        #[cfg(not(unix))]
        let name = "sage-kernel";
        std::env::temp_dir().join(name)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        self.lock = None;
        // What cannot be removed now, the next process removes.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn open_lock(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn private_folder(recursive: bool) -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// The directory of a killed process, with its lock, which is ours now.
type Abandoned = (PathBuf, File);

fn take_abandoned(base: &Path) -> std::io::Result<Vec<Abandoned>> {
    let mut abandoned = Vec::new();
    for entry in std::fs::read_dir(base)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(JOB_PREFIX) || !entry.file_type()?.is_dir() {
            continue;
        }
        let path = entry.path();
        // One that is being removed by somebody else, or cannot be opened, is none of our business.
        match File::options().read(true).write(true).open(path.join(LOCK_NAME)) {
            Ok(lock) if lock.try_lock().is_ok() => abandoned.push((path, lock)),
            Ok(_) => {}
            // Killed before there was a lock: nothing else is there then, and what has content is not ours.
            Err(_) => drop(std::fs::remove_dir(&path)),
        }
    }
    Ok(abandoned)
}

/// Differs from all others: of this process by the number, of other processes by the process and a random part.
fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), number);
    format!("{JOB_PREFIX}{}-{number}-{random:016x}", std::process::id())
}

/// State is private, and the place of temporary files is everybody's: somebody else may have made the folder before us.
fn check_owner(base: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = std::fs::metadata(base)
            .map_err(|error| io_error("use", base, &error))?
            .uid();
        let own = rustix::process::geteuid().as_raw();
        if owner != own && base == StateDirectory::default_base() {
            return Err(SageError::new(
                ErrorCode::StateDirectory,
                format!(
                    "{} belongs to another user: set SAGE_STATE_DIR to a directory of your own",
                    base.display()
                ),
            )
            .with("directory", base.display().to_string()));
        }
    }
    Ok(())
}
