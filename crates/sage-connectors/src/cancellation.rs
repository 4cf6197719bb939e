//! How a sink that waits learns that nobody wants its result any more.

use std::fmt;
use std::sync::Arc;

/// Asks whether the job is being closed. Only what waits for others, such as a write to a pipe, asks.
#[derive(Clone)]
pub struct Cancellation(Arc<dyn Fn() -> bool + Send + Sync>);

impl Cancellation {
    /// One that asks `is_canceled`.
    pub fn new(is_canceled: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_canceled))
    }

    /// Whether what is waited for is of no use any more.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        (self.0)()
    }
}

impl Default for Cancellation {
    /// One that never happens.
    fn default() -> Self {
        Self::new(|| false)
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cancellation")
    }
}
