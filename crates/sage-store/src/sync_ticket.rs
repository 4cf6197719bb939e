//! A promise that something is durable.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sage_types::{Result, SageError};

/// Told when everything that was submitted before it is durable, or why not. Clones are the same ticket.
#[derive(Debug, Clone, Default)]
pub struct SyncTicket {
    shared: Arc<(Mutex<Option<Outcome>>, Condvar)>,
}

type Outcome = Result<(), SageError>;

impl SyncTicket {
    /// The first result counts.
    pub(crate) fn settle(&self, result: Result<()>) {
        let (outcome, changed) = &*self.shared;
        outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(result);
        changed.notify_all();
    }

    /// The outcome, when there is one.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<()>> {
        self.shared
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the outcome; none when the time is over first. Closing the store ends the wait.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Option<Result<()>> {
        let (outcome, changed) = &*self.shared;
        let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(outcome, timeout, |outcome| outcome.is_none());
        let (outcome, _) = waited.unwrap_or_else(PoisonError::into_inner);
        outcome.clone()
    }
}
