//! Where a savepoint is to go.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};

use crate::checkpoint_error::{Action, io_error};
use crate::disk_files::parent_of;
use crate::{Files, PathKind};

/// Makes the directories that a savepoint at this path is in, as far as they are not there, and looks that nothing has the path.
///
/// # Errors
/// `SAGE_IO_EXISTS` when there is something; `SAGE_IO_*` when a directory cannot be made.
pub fn make_savepoint_place(files: &dyn Files, path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| io_error(Action::Open, path, &error);
    check_free(files, path)?;
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut directory = parent_of(path);
    while files.kind_of(directory).map_err(failed)?.is_none() {
        missing.push(directory.to_owned());
        let parent = parent_of(directory);
        if parent == directory {
            break;
        }
        directory = parent;
    }
    if files.kind_of(directory).map_err(failed)? == Some(PathKind::File) {
        return Err(SageError::new(
            ErrorCode::IoNotAFile,
            format!(
                "cannot write the savepoint {}: {} is a file; choose another path",
                path.display(),
                directory.display()
            ),
        )
        .with("file", path.display().to_string()));
    }
    for directory in missing.iter().rev() {
        match files.create_directory(directory) {
            Ok(()) => {}
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error(Action::Open, directory, &error)),
        }
    }
    Ok(())
}

/// # Errors
/// `SAGE_IO_EXISTS` when something has the path.
pub(crate) fn check_free(files: &dyn Files, path: &Path) -> Result<()> {
    let found = files
        .kind_of(path)
        .map_err(|error| io_error(Action::Open, path, &error))?;
    let Some(kind) = found else {
        return Ok(());
    };
    let what = match kind {
        PathKind::File => "exists already",
        PathKind::Directory => "is a directory",
    };
    Err(SageError::new(
        ErrorCode::IoExists,
        format!(
            "the savepoint {} {what}: remove it, or choose another path",
            path.display()
        ),
    )
    .with("file", path.display().to_string()))
}
