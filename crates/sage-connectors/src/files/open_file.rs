//! Files to read.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind};
use std::path::Path;

use sage_types::{ErrorCode, Result, SageError};

use crate::io_error::{IoAction, io_error};

/// Opens a file to read it.
///
/// # Errors
/// `SAGE_IO_NOT_FOUND`, `SAGE_IO_PERMISSION`, `SAGE_IO_NOT_A_FILE` (a directory), `SAGE_IO_READ`, each with the path.
pub(crate) fn open_file(path: &Path) -> Result<(File, Metadata)> {
    let failed = |error: Error| io_error(IoAction::Open, path, &error);
    // A directory can be opened on some systems and fails at the first read only.
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(Error::from(ErrorKind::IsADirectory)));
    }
    Ok((file, metadata))
}

/// Opens a file of a format that is not read from front to back.
///
/// # Errors
/// As [`open_file`]; `SAGE_IO_NOT_A_FILE` also for a pipe, which is not opened.
pub(crate) fn open_seekable(path: &Path, format: &str) -> Result<(File, Metadata)> {
    // Opening a pipe would wait for who writes into it.
    if let Ok(metadata) = path.metadata()
        && !metadata.is_file()
        && !metadata.is_dir()
    {
        let path = path.display().to_string();
        let message = format!(
            "{path} is not a regular file, and {format} has to be read at several places; write it to a file first"
        );
        return Err(SageError::new(ErrorCode::IoNotAFile, message).with("file", path));
    }
    open_file(path)
}
