//! What keyed state needs of a store.

use std::fmt;
use std::ops::ControlFlow;

use sage_types::{ErrorCode, Result, SageError};

use crate::{KeyList, StoredValue, WriteBatch};

/// Longest key of a store, in bytes.
pub const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// A sorted map of bytes, written in atomic batches and read by many keys at once.
///
/// Every method may be called from any thread; those that write may take long, and belong on a thread of the store
/// ([`WriteBehind`](crate::WriteBehind)).
pub trait StateStore: Send + Sync + fmt::Debug {
    /// Calls `found` with the number and the value of each key that has one, in an order that the store likes. Values that
    /// have expired may or may not be among them.
    ///
    /// # Errors
    /// `SAGE_STATE_IO`, `SAGE_STATE_CORRUPT`; `SAGE_KEY_UNSUPPORTED` for a key of more than [`MAX_KEY_BYTES`].
    fn read(&self, keys: &KeyList, found: &mut dyn FnMut(usize, StoredValue<'_>)) -> Result<()>;

    /// Writes a batch: all of it or nothing, also when the process ends in between.
    ///
    /// # Errors
    /// `SAGE_IO_DISK_FULL`, `SAGE_STATE_IO`; `SAGE_JOB_CANCELED` when the store is being closed.
    fn write(&self, batch: &WriteBatch) -> Result<()>;

    /// Calls `visit` with each key that begins with `prefix` and its value, in order, as of the moment of the call.
    ///
    /// # Errors
    /// As [`StateStore::read`], and those of `visit`.
    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()>;

    /// Makes everything that was written durable: it survives the end of the process and of the machine.
    ///
    /// # Errors
    /// As [`StateStore::write`].
    fn sync(&self) -> Result<()>;

    /// Says what time it is, in milliseconds since 1970: values that have expired may be dropped for good. Does not wait
    /// for that.
    ///
    /// # Errors
    /// That of dropping values earlier.
    fn advance_to(&self, now_ms: u64) -> Result<()>;

    /// About how many bytes of disk or memory the store uses.
    ///
    /// # Errors
    /// `SAGE_STATE_IO`.
    fn approximate_bytes(&self) -> Result<u64>;

    /// Ends waits of [`StateStore::write`] from another thread, for ever.
    fn stop(&self);
}

/// What a scan calls with a key and its value.
pub type Visit<'a> = dyn FnMut(&[u8], StoredValue<'_>) -> Result<ControlFlow<()>> + 'a;

/// Refuses keys that no store can hold.
pub(crate) fn check_key(key: &[u8]) -> Result<()> {
    if key.len() <= MAX_KEY_BYTES {
        return Ok(());
    }
    Err(SageError::new(
        ErrorCode::KeyUnsupported,
        format!(
            "a key needs {} bytes, and state on disk can have keys of {MAX_KEY_BYTES} bytes; use a shorter key, such as a hash, or state in memory",
            key.len()
        ),
    )
    .with("keyBytes", key.len()))
}
