//! Directories that a sink makes for its files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sage_types::Result;

use crate::io_error::{IoAction, io_error};
use crate::output::sync_directories_of;

/// Those that were not there before, so that a sink that fails leaves none behind.
#[derive(Debug, Default)]
pub(crate) struct CreatedDirectories(Vec<PathBuf>);

impl CreatedDirectories {
    /// Makes sure that the directory of the sink is there.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` when it is not and `mkdir` is false; other `SAGE_IO_*`.
    pub(crate) fn check_root(&mut self, root: &Path, mkdir: bool) -> Result<()> {
        if mkdir {
            return self.create(root, Path::new(""));
        }
        match fs::metadata(root) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(io_error(IoAction::Create, root, &ErrorKind::NotADirectory.into())),
            Err(error) => {
                let mut failure = io_error(IoAction::Create, root, &error);
                if error.kind() == ErrorKind::NotFound {
                    failure.message = format!(
                        "the directory {} does not exist; create it, or give the option mkdir: true",
                        root.display()
                    );
                }
                Err(failure)
            }
        }
    }

    /// Creates a directory and those between it and `root`.
    ///
    /// # Errors
    /// `SAGE_IO_*`
    pub(crate) fn create(&mut self, directory: &Path, root: &Path) -> Result<()> {
        if directory == root || directory.as_os_str().is_empty() || directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent() {
            self.create(parent, root)?;
        }
        match fs::create_dir(directory) {
            Ok(()) => self.0.push(directory.to_owned()),
            // Another instance was first.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error(IoAction::Create, directory, &error)),
        }
        Ok(())
    }

    /// They are part of the result, or of a checkpoint: from now on they stay, also when the power fails.
    pub(crate) fn keep(&mut self) {
        sync_directories_of(self.0.drain(..));
    }

    /// Removes those that are empty.
    pub(crate) fn remove(&mut self) {
        for directory in self.0.drain(..).rev() {
            // Not empty: another instance, or somebody else, has written there.
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Drop for CreatedDirectories {
    fn drop(&mut self) {
        self.remove();
    }
}
