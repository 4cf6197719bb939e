//! What goes wrong in a store, as an error with a code and the directory.

use std::io::{Error, ErrorKind};
use std::path::Path;

use sage_types::{ErrorCode, SageError};

const FIX_DIRECTORY: &str = "set SAGE_STATE_DIR to a directory on a local disk that this user may write to";

/// The error for a failed action of the operating system in a state directory.
pub(crate) fn io_error(action: &str, path: &Path, error: &Error) -> SageError {
    let place = path.display();
    let (code, fix) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => (
            ErrorCode::IoDiskFull,
            "free space there, or set SAGE_STATE_DIR to a directory with more",
        ),
        ErrorKind::NotFound
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists => (ErrorCode::StateDirectory, FIX_DIRECTORY),
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => return corrupt(path, error),
        _ => (
            ErrorCode::StateIo,
            "the cause is the message of the operating system",
        ),
    };
    SageError::new(code, format!("cannot {action} the state in {place}: {fix}"))
        .with("directory", place.to_string())
        .caused_by(error)
}

/// The error for files of a store that are not what was written.
pub(crate) fn corrupt(path: &Path, cause: impl std::fmt::Display) -> SageError {
    let place = path.display();
    SageError::new(
        ErrorCode::StateCorrupt,
        format!("a file of the state in {place} is damaged: remove the directory and run the job again"),
    )
    .with("directory", place.to_string())
    .caused_by(cause)
}

/// The error for what the store engine says.
pub(crate) fn fjall_error(action: &str, path: &Path, error: &fjall::Error) -> SageError {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => {
            io_error(action, path, error)
        }
        fjall::Error::Poisoned => poisoned(action, path),
        fjall::Error::Locked => SageError::new(
            ErrorCode::StateDirectory,
            format!(
                "the state in {} is in use by another process: give each job a directory of its own",
                path.display()
            ),
        )
        .with("directory", path.display().to_string()),
        _ => corrupt(path, error),
    }
}

/// The engine says only that something has failed in one of its threads: finds out whether it would fail again.
fn poisoned(action: &str, path: &Path) -> SageError {
    let probe = path.join("probe");
    // As much as the engine writes at once, so that a nearly full disk is found out.
    let tried = std::fs::write(&probe, vec![0_u8; 1 << 20]);
    // The probe is of no use to anybody, and the directory goes with the job.
    let _ = std::fs::remove_file(&probe);
    match tried {
        Err(error) => io_error(action, path, &error),
        Ok(()) => SageError::new(
            ErrorCode::StateIo,
            format!(
                "cannot {action} the state in {}: writing in the background has failed; run the job again",
                path.display()
            ),
        )
        .with("directory", path.display().to_string()),
    }
}

/// The error of everybody who still waits for a store that is being closed.
pub(crate) fn closed(path: &str) -> SageError {
    SageError::new(
        ErrorCode::JobCanceled,
        "the state store was closed, because its job has ended",
    )
    .with("directory", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_directory_and_a_fix() {
        let path = Path::new("state");
        let full = io_error("write", path, &ErrorKind::StorageFull.into());
        assert_eq!(full.code, ErrorCode::IoDiskFull);
        assert!(
            full.message.contains("state") && full.message.contains("SAGE_STATE_DIR"),
            "{full}"
        );
        let denied = fjall_error(
            "open",
            path,
            &fjall::Error::Io(ErrorKind::PermissionDenied.into()),
        );
        assert_eq!(denied.code, ErrorCode::StateDirectory);
        assert!(denied.message.contains("SAGE_STATE_DIR"), "{denied}");
        let damaged = fjall_error(
            "read",
            path,
            &fjall::Error::Storage(fjall::LsmError::Unrecoverable),
        );
        assert_eq!(damaged.code, ErrorCode::StateCorrupt);
        assert_eq!(damaged.context["directory"], "state".into());
        assert_eq!(
            fjall_error("open", path, &fjall::Error::Locked).code,
            ErrorCode::StateDirectory
        );
    }
}
