//! The ready tasks of one isolate.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sage_types::TaskId;

use crate::parker::{MAX_SLICE, Parker};
use crate::sync::Mutex;
use crate::waker::Waker;

/// Called when an idle isolate has to come back: from any thread, with no lock held; it must not block.
pub type WakeHook = Arc<dyn Fn() + Send + Sync>;

/// What [`RunQueue::pop`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A task to look at.
    Task(TaskId),
    /// Nothing within the time given.
    Idle,
    /// The queue is closed.
    Over,
}

#[derive(Default)]
struct State {
    ready: VecDeque<TaskId>,
    /// The owner has been told "nothing" since the last hook call: the next task calls the hook, once.
    owes_hook: bool,
    /// Paused: tasks stay queued and are not handed out.
    held: bool,
    closed: bool,
    hook: Option<WakeHook>,
}

/// The ready tasks of one isolate, first in first out. Filled from any thread (through [`crate::ReadySlot`], which sees
/// to it that each task is in at most once), emptied by the isolate's own thread.
pub struct RunQueue {
    state: Mutex<State>,
    parker: Parker,
}

impl RunQueue {
    /// An empty queue without a hook.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State::default()),
            parker: Parker::new(),
        }
    }

    /// Sets or takes away the hook that is called once per empty to non-empty edge after [`RunQueue::pop`] has said
    /// [`Next::Idle`], and once when the queue closes.
    pub fn set_hook(&self, hook: Option<WakeHook>) {
        let old = std::mem::replace(&mut self.state.lock().hook, hook);
        drop(old);
    }

    /// Appends a task.
    pub fn push(&self, task: TaskId) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.ready.push_back(task);
        if !state.held {
            self.notify(state);
        }
    }

    /// Calls the owner's hook, if it has been told that there is nothing: something else than a task is to be looked at.
    pub fn nudge(&self) {
        self.notify(self.state.lock());
    }

    /// The next task; waits up to `wait` when there is none (zero: does not wait).
    pub fn pop(&self, wait: Duration) -> Next {
        match self.pop_now(wait.is_zero()) {
            Next::Idle if !wait.is_zero() => self.pop_waiting(wait),
            found => found,
        }
    }

    /// Keeps all tasks back until [`RunQueue::release_hold`].
    pub fn hold(&self) {
        self.state.lock().held = true;
    }

    /// Hands tasks out again.
    pub fn release_hold(&self) {
        let mut state = self.state.lock();
        state.held = false;
        if !state.ready.is_empty() {
            self.notify(state);
        }
    }

    /// Lets nothing in or out any more and wakes the owner. Idempotent, from any thread.
    pub fn close(&self) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.closed = true;
        state.ready.clear();
        // The owner may be between two polls: it must learn of the end even if it was not idle.
        state.owes_hook = true;
        self.notify(state);
    }

    /// Whether [`RunQueue::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    fn pop_waiting(&self, wait: Duration) -> Next {
        // Real time, not the job's clock: it bounds how long a thread sleeps, and no result depends on it.
        let started = Instant::now();
        loop {
            let left = wait.saturating_sub(started.elapsed());
            self.parker.park(left.min(MAX_SLICE));
            // loom: waits for ever, so that a lost wake-up is the deadlock that it reports.
            let last = !cfg!(loom) && wait <= started.elapsed();
            match self.pop_now(last) {
                Next::Idle if !last => {}
                found => return found,
            }
        }
    }

    fn pop_now(&self, tells_owner: bool) -> Next {
        let mut state = self.state.lock();
        if state.closed {
            return Next::Over;
        }
        if !state.held
            && let Some(task) = state.ready.pop_front()
        {
            return Next::Task(task);
        }
        if tells_owner {
            state.owes_hook = true;
        }
        Next::Idle
    }

    fn notify(&self, mut state: crate::sync::MutexGuard<'_, State>) {
        let hook = if state.owes_hook { state.hook.clone() } else { None };
        state.owes_hook = false;
        drop(state);
        self.parker.wake();
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl Default for RunQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunQueue").finish_non_exhaustive()
    }
}
