//! The standard input of the process.

use std::fs::File;
use std::io::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sage_types::{ErrorCode, Result, SageError};

use crate::files::STANDARD_INPUT;
use crate::io_error::{IoAction, io_error};

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Held by the one that reads the standard input.
#[derive(Debug)]
pub(crate) struct StandardInputGuard(());

impl Drop for StandardInputGuard {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::SeqCst);
    }
}

/// Takes the standard input, for as long as the guard lives. The process keeps its own descriptor: what this job does not read is there for others.
///
/// # Errors
/// `SAGE_IO_READ` while somebody else reads it: each would get some of the bytes.
pub(crate) fn take_standard_input() -> Result<(File, StandardInputGuard)> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        let message =
            "the standard input is being read by another job of this process; wait until that has ended";
        return Err(SageError::new(ErrorCode::IoRead, message).with("file", STANDARD_INPUT));
    }
    let guard = StandardInputGuard(());
    let file =
        duplicate().map_err(|error| io_error(IoAction::Open, Path::new("the standard input"), &error))?;
    Ok((file, guard))
}

#[cfg(unix)]
fn duplicate() -> std::result::Result<File, Error> {
    use std::os::fd::AsFd;

    Ok(std::io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn duplicate() -> std::result::Result<File, Error> {
    use std::os::windows::io::AsHandle;

    Ok(std::io::stdin().as_handle().try_clone_to_owned()?.into())
}
