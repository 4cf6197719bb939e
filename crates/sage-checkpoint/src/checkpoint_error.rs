//! What goes wrong with files of epochs, as an error with a code, the path and what to do.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::Path;

use sage_types::{ErrorCode, SageError};

use crate::PartKey;

/// What was being done when the operating system failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Read,
    Write,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The error for what the operating system said.
pub(crate) fn io_error(action: Action, path: &Path, error: &Error) -> SageError {
    let (code, fix) = match error.kind() {
        ErrorKind::NotFound if action == Action::Write => (
            ErrorCode::IoChanged,
            "it, or its directory, was removed while it was in use: leave the directory of a running job alone, and start the job again",
        ),
        ErrorKind::NotFound => (ErrorCode::IoNotFound, "it does not exist: correct the path"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            ErrorCode::IoPermission,
            "allow this user to read and write there, or choose another directory",
        ),
        ErrorKind::NotADirectory | ErrorKind::IsADirectory => (
            ErrorCode::IoNotAFile,
            "there is a file where a directory is needed, or the other way round: correct the path",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => (
            ErrorCode::IoDiskFull,
            "free space there, or choose a directory with more",
        ),
        ErrorKind::UnexpectedEof => return damaged(path, "it ends before its data").caused_by(error),
        _ if action == Action::Write => (
            ErrorCode::IoWrite,
            "the cause is the message of the operating system",
        ),
        _ => (
            ErrorCode::IoRead,
            "the cause is the message of the operating system",
        ),
    };
    SageError::new(
        code,
        format!(
            "cannot {} the checkpoint {}: {fix}",
            action.as_str(),
            path.display()
        ),
    )
    .with("file", path.display().to_string())
    .caused_by(error)
}

/// The error for a directory that cannot be made, as what it should be in is not there.
pub(crate) fn no_parent(directory: &Path, parent: &Path, error: &Error) -> SageError {
    SageError::new(
        ErrorCode::IoNotFound,
        format!(
            "cannot make the checkpoint directory {}: {} does not exist: make it, or correct the path",
            directory.display(),
            parent.display()
        ),
    )
    .with("directory", directory.display().to_string())
    .caused_by(error)
}

/// The error for a path that is a file and has to be a directory.
pub(crate) fn not_a_directory(path: &Path) -> SageError {
    SageError::new(
        ErrorCode::IoNotAFile,
        format!(
            "the checkpoint directory {} is a file: remove it, or choose another directory",
            path.display()
        ),
    )
    .with("directory", path.display().to_string())
}

/// The error for a file that is not what was written.
pub(crate) fn damaged(path: &Path, what: impl fmt::Display) -> SageError {
    SageError::new(
        ErrorCode::CheckpointDamaged,
        format!(
            "the checkpoint {} is damaged: {what}; start from an earlier epoch or a savepoint",
            path.display()
        ),
    )
    .with("file", path.display().to_string())
}

/// The error for a part that is not what was written.
pub(crate) fn damaged_part(path: &Path, key: &PartKey, what: impl fmt::Display) -> SageError {
    damaged(path, format_args!("{key}: {what}"))
        .with("operator", key.operator.as_str())
        .with("part", key.name.as_str())
        .with("instance", key.instance)
}

/// The error for a file of a later version of this program.
pub(crate) fn newer_version(path: &Path, found: u32, known: u32) -> SageError {
    SageError::new(
        ErrorCode::CheckpointVersion,
        format!(
            "the checkpoint {} has format {found}, and this version of SAGE Kernel reads up to {known}: use the version that wrote it, or a newer one",
            path.display()
        ),
    )
    .with("file", path.display().to_string())
    .with("format", found)
}

/// The error for a use of this crate that its caller should have ruled out.
pub(crate) fn misuse(what: impl Into<String>) -> SageError {
    SageError::new(ErrorCode::Internal, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_what_the_operating_system_says_then_the_error_names_the_path_and_a_fix() {
        let path = Path::new("state/epoch.ckpt");
        for (action, kind, code, fix) in [
            (
                Action::Open,
                ErrorKind::NotFound,
                ErrorCode::IoNotFound,
                "correct the path",
            ),
            (
                Action::Write,
                ErrorKind::NotFound,
                ErrorCode::IoChanged,
                "start the job again",
            ),
            (
                Action::Write,
                ErrorKind::ReadOnlyFilesystem,
                ErrorCode::IoPermission,
                "another directory",
            ),
            (
                Action::Open,
                ErrorKind::NotADirectory,
                ErrorCode::IoNotAFile,
                "correct the path",
            ),
            (
                Action::Write,
                ErrorKind::StorageFull,
                ErrorCode::IoDiskFull,
                "free space",
            ),
            (
                Action::Read,
                ErrorKind::UnexpectedEof,
                ErrorCode::CheckpointDamaged,
                "earlier epoch",
            ),
            (Action::Write, ErrorKind::Other, ErrorCode::IoWrite, "the cause"),
            (Action::Read, ErrorKind::Other, ErrorCode::IoRead, "the cause"),
        ] {
            let error = io_error(action, path, &kind.into());
            assert_eq!(error.code, code, "{error}");
            assert!(
                error.message.contains("state/epoch.ckpt") && error.message.contains(fix),
                "{error}"
            );
            assert!(error.cause.is_some());
        }
    }
}
