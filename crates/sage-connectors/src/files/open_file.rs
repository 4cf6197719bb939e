//! Files to read.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind};
use std::path::Path;

use sage_types::Result;

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
