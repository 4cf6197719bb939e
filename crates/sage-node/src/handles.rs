//! Integer handles for what JavaScript holds of the core.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use sage_runtime::{Isolate, JobCore};
use sage_types::{ErrorCode, Result, SageError};

use crate::guard::internal;
use crate::keyed_state::KeyedState;

/// A table of shared values. A handle is used once in the life of the process, so that a stale one never finds another
/// value; what was removed leaves nothing behind, so that a process may run any number of jobs.
pub(crate) struct Handles<T> {
    name: &'static str,
    entries: RwLock<Entries<T>>,
}

struct Entries<T> {
    next: u32,
    live: BTreeMap<u32, Arc<T>>,
}

impl<T> Handles<T> {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            entries: RwLock::new(Entries {
                next: 0,
                live: BTreeMap::new(),
            }),
        }
    }

    pub(crate) fn insert(&self, value: impl Into<Arc<T>>) -> Result<u32> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let handle = entries.next;
        if handle >= i32::MAX.unsigned_abs() {
            return Err(internal(format!("no {} handle is left", self.name)));
        }
        entries.next += 1;
        entries.live.insert(handle, value.into());
        Ok(handle)
    }

    pub(crate) fn get(&self, handle: u32) -> Result<Arc<T>> {
        self.find(handle).ok_or_else(|| {
            internal(format!("{} handle {handle} is not there (any more)", self.name)).with("handle", handle)
        })
    }

    pub(crate) fn find(&self, handle: u32) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.live.get(&handle).cloned()
    }

    /// Forgets a value; dropping it happens with the last use.
    pub(crate) fn remove(&self, handle: u32) -> Option<Arc<T>> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.live.remove(&handle)
    }

    /// Forgets all values for which `drops` says so.
    pub(crate) fn remove_where(&self, drops: impl Fn(&T) -> bool) {
        let mut gone = Vec::new();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.live.retain(|_, value| {
            let drops = drops(value);
            if drops {
                gone.push(Arc::clone(value));
            }
            !drops
        });
        drop(entries);
    }
}

pub(crate) static JOBS: Handles<JobCore> = Handles::new("job");
pub(crate) static STATES: Handles<KeyedState> = Handles::new("state");
pub(crate) static ISOLATES: Handles<Isolate> = Handles::new("isolate");

/// The job of a handle.
pub(crate) fn job(handle: u32) -> Result<Arc<JobCore>> {
    JOBS.find(handle).ok_or_else(|| {
        SageError::new(
            ErrorCode::JobNotFound,
            format!("there is no job with handle {handle}"),
        )
        .with("handle", handle)
    })
}
