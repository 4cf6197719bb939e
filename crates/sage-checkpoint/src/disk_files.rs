//! The file system of the machine.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sage_types::{ErrorCode, SageError};

use crate::{
    FAULT_POINT_VARIABLE, FaultHook, FaultPoint, FaultTarget, Files, HeldLock, LockFailure, PathKind,
    ReadFile, WrittenFile,
};

/// The file system of the machine.
#[derive(Clone, Default)]
pub struct DiskFiles {
    hook: Option<FaultHook>,
}

impl DiskFiles {
    /// The file system as it is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The file system for this process: it aborts at the [`FaultTarget`] that `SAGE_FAULT_POINT` names, where a test has set it.
    ///
    /// # Errors
    /// `SAGE_PLAN_CONFIG` when that is none: a process that was to be aborted must not go on unnoticed.
    pub fn of_process() -> sage_types::Result<Self> {
        let Some(text) = std::env::var_os("SAGE_FAULT_POINT") else {
            return Ok(Self::new());
        };
        match text.to_string_lossy().parse::<FaultTarget>() {
            Ok(target) => Ok(Self::with_hook(target.aborting())),
            Err(reason) => {
                let message = format!("the environment variable {FAULT_POINT_VARIABLE}: {reason}");
                Err(SageError::new(ErrorCode::PlanConfig, message))
            }
        }
    }

    /// The file system with a hook that is called at each fault point.
    #[must_use]
    pub fn with_hook(hook: FaultHook) -> Self {
        Self { hook: Some(hook) }
    }
}

impl fmt::Debug for DiskFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskFiles")
            .field("has_hook", &self.hook.is_some())
            .finish()
    }
}

#[derive(Debug)]
struct DiskFile(File);

impl WrittenFile for DiskFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl ReadFile for DiskFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        #[cfg(unix)]
        {
            std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, offset)
        }
        #[cfg(windows)]
        {
            let mut filled = 0;
            while filled < buffer.len() {
                let place = offset + filled as u64;
                match std::os::windows::fs::FileExt::seek_read(&self.0, &mut buffer[filled..], place) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        }
    }
}

/// A lock on a file that is open.
#[derive(Debug)]
struct DiskLock(File);

impl Drop for DiskLock {
    fn drop(&mut self) {
        // To close the file is not enough: a process that is being started has it open too, until it runs its own program.
        let _ = self.0.unlock();
    }
}

impl HeldLock for DiskLock {}

impl Files for DiskFiles {
    fn kind_of(&self, path: &Path) -> io::Result<Option<PathKind>> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(Some(PathKind::Directory)),
            Ok(_) => Ok(Some(PathKind::File)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)?;
        self.sync_directory(parent_of(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WrittenFile>> {
        Ok(Box::new(DiskFile(File::create(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(DiskFile(File::open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened, and its names are in the journal of the file system.
        #[cfg(unix)]
        File::open(directory)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = directory;
        Ok(())
    }

    fn lock(&self, path: &Path, owner: &str) -> Result<Box<dyn HeldLock>, LockFailure> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(LockFailure::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Where locks keep others from reading, the holder stays unnamed.
                let _ = file.read_to_string(&mut holder);
                return Err(LockFailure::Held(holder));
            }
            Err(TryLockError::Error(error)) => return Err(LockFailure::Io(error)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(owner.as_bytes())
        };
        write(&mut file).map_err(LockFailure::Io)?;
        Ok(Box::new(DiskLock(file)))
    }

    fn reached(&self, point: FaultPoint, epoch: u64) {
        if let Some(hook) = &self.hook {
            hook(point, epoch);
        }
    }
}

/// The directory that a path is in: of `a` it is the working directory.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_path_then_its_directory_is_the_one_before_it_or_the_working_directory() {
        let parents = ["a", "a/b", "/a", "/"].map(|path| parent_of(Path::new(path)));
        assert_eq!(parents, [".", "a", "/", "/"].map(Path::new));
    }
}
