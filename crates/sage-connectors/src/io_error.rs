//! What the operating system says, as an error with a code and the path.

use std::io::{Error, ErrorKind};
use std::path::Path;

use sage_types::{ErrorCode, SageError};

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoAction {
    List,
    Open,
    Read,
    Remove,
    Create,
    Write,
    Append,
    Commit,
}

impl IoAction {
    const fn verb(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Open => "open",
            Self::Read => "read",
            Self::Remove => "remove",
            Self::Create => "create",
            Self::Write => "write",
            Self::Append => "append to",
            Self::Commit => "complete",
        }
    }

    const fn fallback(self) -> ErrorCode {
        match self {
            Self::List | Self::Open | Self::Read => ErrorCode::IoRead,
            Self::Remove | Self::Create | Self::Write | Self::Append | Self::Commit => ErrorCode::IoWrite,
        }
    }
}

/// The error for a failed action on `path`, with `file` in its context.
pub(crate) fn io_error(action: IoAction, path: &Path, error: &Error) -> SageError {
    let code = match error.kind() {
        ErrorKind::NotFound => ErrorCode::IoNotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorCode::IoPermission,
        ErrorKind::IsADirectory | ErrorKind::NotADirectory => ErrorCode::IoNotAFile,
        ErrorKind::AlreadyExists => ErrorCode::IoExists,
        // FileTooLarge: a limit of the process or of the file system, which is full for this file too.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => ErrorCode::IoDiskFull,
        ErrorKind::UnexpectedEof if action == IoAction::Read => ErrorCode::IoTruncated,
        _ => action.fallback(),
    };
    let path = path.display();
    SageError::new(
        code,
        format!("cannot {} {path}: {}", action.verb(), reason(error)),
    )
    .with("file", path.to_string())
    .caused_by(error)
}

fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it does not exist".to_owned(),
        ErrorKind::PermissionDenied => "the operating system refuses access".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
        ErrorKind::StorageFull => "there is no space left on the device".to_owned(),
        ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        ErrorKind::FileTooLarge => {
            "it would be larger than the file system or the process is allowed".to_owned()
        }
        _ => error.to_string(),
    }
}
