//! The net under every exported function.

use sage_types::{ErrorCode, Result, SageError};

/// Runs the body of the export `name`: errors and panics become JavaScript errors, whose message is the error's JSON.
pub(crate) fn guarded<T>(name: &'static str, body: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    sage_runtime::net::catch(name, body).map_err(|error| napi::Error::from_reason(error.to_json()))
}

/// An error of the N-API itself.
pub(crate) fn from_napi(error: &napi::Error) -> SageError {
    SageError::new(
        ErrorCode::Internal,
        format!("the Node API refused a call: {}", error.reason),
    )
}

/// For what must not happen.
pub(crate) fn internal(message: impl Into<String>) -> SageError {
    SageError::new(ErrorCode::Internal, message)
}
