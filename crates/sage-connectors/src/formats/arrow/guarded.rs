//! A net for the libraries that read files of columns.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a call of a library that panics on some corrupt files; the message of the panic. Whatever panicked must not be
/// used afterwards.
pub(crate) fn guarded<T>(read: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "the data contradict themselves".to_owned())
    })
}
