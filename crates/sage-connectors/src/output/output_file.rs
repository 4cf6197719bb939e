//! A file that appears under its name when it is complete.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};

use crate::io_error::{IoAction, io_error};

/// Writes to `<path>.<random>.tmp` beside the result; `commit` renames it, everything else removes it.
///
/// A device or pipe is written directly: there is nothing to rename.
#[derive(Debug)]
pub(crate) struct OutputFile {
    file: File,
    path: PathBuf,
    /// `None` once it is renamed or removed, and for devices.
    temporary: Option<PathBuf>,
    bytes: u64,
    /// Something could not be written: what is there is not the result.
    incomplete: bool,
    /// Everything that was written is durable.
    synced: bool,
}

impl OutputFile {
    /// Creates the temporary file.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` when the directory is missing and `mkdir` is false, other `SAGE_IO_*`.
    pub(crate) fn create(path: &Path, mkdir: bool) -> Result<Self> {
        // A link keeps being one: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let failed = |error: io::Error| io_error(IoAction::Create, &path, &error);
        if let Ok(metadata) = fs::metadata(&path) {
            if metadata.is_dir() {
                return Err(failed(ErrorKind::IsADirectory.into()));
            }
            if !metadata.is_file() {
                let file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
                return Ok(Self {
                    file,
                    path,
                    temporary: None,
                    bytes: 0,
                    incomplete: false,
                    synced: false,
                });
            }
        }
        if mkdir && let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|error| io_error(IoAction::Create, directory, &error))?;
        }
        let mut name = path.as_os_str().to_owned();
        // Keyed with random numbers of the operating system.
        name.push(format!(
            ".{:016x}.tmp",
            RandomState::new().hash_one(std::process::id())
        ));
        let temporary = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => Ok(Self {
                file,
                path,
                temporary: Some(temporary),
                bytes: 0,
                incomplete: false,
                synced: false,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing_directory(&path, &error)),
            Err(error) => Err(failed(error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers that something could not be written, so that the file never appears.
    pub(crate) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `SAGE_IO_DISK_FULL`, other `SAGE_IO_*`.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes)
            .map_err(|error| io_error(IoAction::Write, &self.path, &error))
    }

    /// Makes the bytes so far durable. (A device or pipe has nothing that could be made so.)
    ///
    /// # Errors
    /// `SAGE_IO_DISK_FULL`, other `SAGE_IO_*`.
    pub(crate) fn sync(&mut self) -> Result<()> {
        if self.temporary.is_some() && !self.synced {
            let synced = self.file.sync_all();
            synced.map_err(|error| io_error(IoAction::Write, &self.path, &error))?;
            self.synced = true;
        }
        Ok(())
    }

    /// Makes the file durable and gives it its name; its size.
    ///
    /// # Errors
    /// `SAGE_IO_*`; the temporary file is removed and the path is as it was.
    pub(crate) fn commit(&mut self) -> Result<u64> {
        if self.incomplete {
            let message = "a sink was committed although writing to it had failed";
            return Err(
                SageError::new(ErrorCode::Internal, message).with("file", self.path.display().to_string())
            );
        }
        self.sync()?;
        if let Some(temporary) = &self.temporary {
            let renamed = fs::rename(temporary, &self.path);
            renamed.map_err(|error| io_error(IoAction::Commit, &self.path, &error))?;
            self.temporary = None;
            sync_directory(&self.path);
        }
        Ok(self.bytes)
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).inspect_err(|error| {
            self.incomplete |= error.kind() != ErrorKind::Interrupted;
        })?;
        self.bytes += written as u64;
        self.synced = false;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            // Nobody is left to tell; the file is recognisable by its name.
            let _ = fs::remove_file(temporary);
        }
    }
}

fn missing_directory(path: &Path, error: &io::Error) -> SageError {
    let mut failure = io_error(IoAction::Create, path, error);
    let directory = path.parent().unwrap_or(path).display();
    failure.message = format!(
        "cannot create {}: the directory {directory} does not exist; create it, or give the option mkdir: true",
        path.display()
    );
    failure
}

/// Makes the new name durable. The file is complete without it, so that an error (of file systems that cannot do this) is
/// no failure.
fn sync_directory(path: &Path) {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}
