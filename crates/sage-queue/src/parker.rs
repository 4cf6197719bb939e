//! A thread that waits.

use std::sync::OnceLock;
use std::time::Duration;

use crate::sync::{AtomicBool, AtomicU8, Condvar, Mutex, Ordering, spin_loop};
use crate::waker::Waker;

/// Longest sleep without looking up: a worker thread can be terminated, and turns its event loop, within this time.
pub const MAX_SLICE: Duration = Duration::from_millis(10);

/// About 20 to 40 microseconds of spinning: a hand-over while spinning costs 1.3 us, from sleep 6 to 11 us.
const SPINS: u32 = if cfg!(loom) { 0 } else { 4000 };

const EMPTY: u8 = 0;
const NOTIFIED: u8 = 1;
const PARKED: u8 = 2;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// Woken, now or since the last wait.
    Woken,
    /// The time is over.
    TimedOut,
    /// The parker is closed.
    Closed,
}

/// A place where one thread waits and any thread wakes it. A wake-up before the wait is kept (one, not a count), so
/// that "look, then wait" loses nothing.
#[derive(Debug)]
pub struct Parker {
    /// Any thread moves it to `NOTIFIED`; only the waiting thread moves it to `PARKED` and `EMPTY`.
    token: AtomicU8,
    closed: AtomicBool,
    /// The last wait ended with a wake-up, so that the next one is likely to be short too: worth a spin. Only the waiting
    /// thread uses it.
    busy: AtomicBool,
    lock: Mutex<()>,
    unparked: Condvar,
}

impl Parker {
    /// A parker without a pending wake-up.
    #[must_use]
    pub fn new() -> Self {
        Self {
            token: AtomicU8::new(EMPTY),
            closed: AtomicBool::new(false),
            busy: AtomicBool::new(true),
            lock: Mutex::new(()),
            unparked: Condvar::new(),
        }
    }

    /// Waits up to `timeout`, at most [`MAX_SLICE`]. One thread at a time.
    pub fn park(&self, timeout: Duration) -> Parked {
        if self.take_token() {
            self.busy.store(true, Ordering::Relaxed);
            return self.outcome(Parked::Woken);
        }
        if timeout.is_zero() {
            return self.outcome(Parked::TimedOut);
        }
        if self.busy.load(Ordering::Relaxed) && spinning_pays() {
            for _ in 0..SPINS {
                if self.token.load(Ordering::Acquire) == NOTIFIED && self.take_token() {
                    return self.outcome(Parked::Woken);
                }
                spin_loop();
            }
        }
        let outcome = self.sleep(timeout.min(MAX_SLICE));
        self.busy.store(outcome == Parked::Woken, Ordering::Relaxed);
        self.outcome(outcome)
    }

    /// Makes every wait, now and later, return [`Parked::Closed`]. Idempotent, from any thread.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether [`Parker::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn sleep(&self, slice: Duration) -> Parked {
        let mut guard = self.lock.lock();
        if self
            .token
            .compare_exchange(EMPTY, PARKED, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            self.token.store(EMPTY, Ordering::SeqCst);
            return Parked::Woken;
        }
        guard = self.unparked.wait_timeout(guard, slice);
        drop(guard);
        // Also covers a spurious wake-up of the condition variable: that counts as a slice that is over.
        if self.token.swap(EMPTY, Ordering::SeqCst) == NOTIFIED {
            Parked::Woken
        } else {
            Parked::TimedOut
        }
    }

    fn take_token(&self) -> bool {
        self.token
            .compare_exchange(NOTIFIED, EMPTY, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    fn outcome(&self, otherwise: Parked) -> Parked {
        if self.is_closed() {
            Parked::Closed
        } else {
            otherwise
        }
    }
}

impl Waker for Parker {
    fn wake(&self) {
        if self.token.swap(NOTIFIED, Ordering::SeqCst) == PARKED {
            // The waiting thread holds the lock from setting PARKED until it sleeps: taking it here makes sure that the
            // notification does not come in between.
            drop(self.lock.lock());
            self.unparked.notify_one();
        }
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a waiting thread should spin before it sleeps: only while there are no more engine threads than cores,
/// because otherwise the spinning takes the core from the thread that is waited for.
pub fn spinning_pays() -> bool {
    !cfg!(loom) && ENGINE_THREADS.load(std::sync::atomic::Ordering::Relaxed) <= cores()
}

/// Whether there is a core that no engine thread of this process needs.
#[must_use]
pub fn core_to_spare() -> bool {
    ENGINE_THREADS.load(std::sync::atomic::Ordering::Relaxed) < cores()
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// Threads of all jobs of this process that run tasks (std, not loom: a heuristic, and statics cannot be loom's).
static ENGINE_THREADS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Counts the holder's thread as one that runs tasks, until it is dropped.
#[derive(Debug)]
pub struct EngineThread(());

impl EngineThread {
    /// Counts one more thread.
    #[must_use]
    pub fn enter() -> Self {
        ENGINE_THREADS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Self(())
    }
}

impl Drop for EngineThread {
    fn drop(&mut self) {
        ENGINE_THREADS.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}
