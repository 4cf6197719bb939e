//! The net under every thread and every exported function.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sage_types::{ErrorCode, Result, SageError};

/// Runs `body`; a panic becomes a `SAGE_INTERNAL` error that names `place`, instead of the end of the process.
///
/// # Errors
/// Those of `body`, and `SAGE_INTERNAL` for a panic.
pub fn catch<T>(place: &'static str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    // Unwind safety: shared state behind the crates' locks is consistent at each step, and a job whose code has panicked
    // is failed and closed, not continued.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(from_panic(place, payload.as_ref())))
}

fn from_panic(place: &'static str, payload: &(dyn Any + Send)) -> SageError {
    let said = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned());
    SageError::new(ErrorCode::Internal, format!("{place}: {said}")).with("place", place)
}
