//! Errors of the Parquet library, as errors with a code and the path.

use std::io;
use std::path::Path;

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use sage_types::{ErrorCode, SageError};

use crate::io_error::{IoAction, io_error};

/// The error for a failed action on `path`.
pub(crate) fn parquet_error(action: IoAction, path: &Path, error: &ParquetError) -> SageError {
    if let Some(error) = io_cause(error) {
        return io_error(action, path, error);
    }
    match action {
        IoAction::List | IoAction::Open | IoAction::Read => corrupt(path, error),
        IoAction::Remove | IoAction::Create | IoAction::Write | IoAction::Append | IoAction::Commit => {
            let path = path.display().to_string();
            SageError::new(ErrorCode::IoWrite, format!("cannot write {path}: {error}"))
                .with("file", path)
                .caused_by(error)
        }
    }
}

/// The error for a file that is not what it should be.
pub(crate) fn corrupt(path: &Path, cause: impl std::fmt::Display) -> SageError {
    let path = path.display().to_string();
    SageError::new(
        ErrorCode::FormatParquet,
        format!("{path} is corrupt or not a Parquet file: {cause}"),
    )
    .with("file", path)
    .caused_by(cause)
}

/// What the operating system said, if it is behind this error.
fn io_cause(error: &ParquetError) -> Option<&io::Error> {
    let ParquetError::External(cause) = error else {
        return None;
    };
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return Some(error);
    }
    match cause.downcast_ref::<ArrowError>()? {
        ArrowError::IoError(_, error) => Some(error),
        ArrowError::ExternalError(cause) => cause
            .downcast_ref::<io::Error>()
            .or_else(|| io_cause(cause.downcast_ref::<ParquetError>()?)),
        _ => None,
    }
}
