//! The only door to locks and atomics in this crate: `std` in production, `loom` under `--cfg loom`.
//!
//! Reference counts stay `std::sync::Arc` in both worlds: loom's cannot hold trait objects, and the counts themselves
//! are not what the models are about.

#[cfg(loom)]
mod imp {
    pub use loom::hint::spin_loop;
    pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
    pub use loom::sync::{Condvar as RawCondvar, Mutex as RawMutex, MutexGuard};
}

#[cfg(not(loom))]
mod imp {
    pub use std::hint::spin_loop;
    pub use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
    pub use std::sync::{Condvar as RawCondvar, Mutex as RawMutex, MutexGuard};
}

use std::sync::PoisonError;
use std::time::Duration;

pub use imp::{AtomicBool, AtomicU8, AtomicUsize, MutexGuard, Ordering, spin_loop};

/// A mutex that a panic of another thread does not take away: every user of this crate leaves its data consistent at
/// each step, and a job whose thread has panicked must still be able to close its queues.
#[derive(Debug)]
pub struct Mutex<T>(imp::RawMutex<T>);

impl<T> Mutex<T> {
    /// A mutex around `value`.
    pub fn new(value: T) -> Self {
        Self(imp::RawMutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// The condition variable that goes with [`Mutex`].
#[derive(Debug)]
pub struct Condvar(imp::RawCondvar);

impl Condvar {
    /// A condition variable nobody waits for.
    #[must_use]
    pub fn new() -> Self {
        Self(imp::RawCondvar::new())
    }

    /// Waits for a notification or until `timeout` is over (loom: never times out, so that a lost wake-up is a
    /// deadlock, which it reports). May wake without a reason.
    pub fn wait_timeout<'a, T>(&self, guard: MutexGuard<'a, T>, timeout: Duration) -> MutexGuard<'a, T> {
        self.0
            .wait_timeout(guard, timeout)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Wakes one waiting thread.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all waiting threads.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}
