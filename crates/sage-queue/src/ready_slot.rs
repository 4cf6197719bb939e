//! Where one task stands: waiting, queued, or in somebody's hands.

use std::sync::Arc;

use sage_types::TaskId;

use crate::run_queue::RunQueue;
use crate::sync::{AtomicU8, Ordering};
use crate::waker::Waker;

/// Nobody looks at the task; an event queues it.
const IDLE: u8 = 0;
/// In the run queue, once.
const QUEUED: u8 = 1;
/// With the isolate: being looked at, or handed out.
const RUNNING: u8 = 2;
/// With the isolate, and an event has come since it was claimed.
const NOTIFIED: u8 = 3;
/// Finished: events no longer matter.
const RETIRED: u8 = 4;

/// What [`ReadySlot::rest`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The task waits for an event.
    Idle,
    /// An event had come in the meantime: the task is back in the queue.
    Queued,
}

/// Where one task stands; the waker of all its channels.
///
/// The protocol that loses no wake-up: the isolate *claims* the task, then looks whether it is ready, and only then lets
/// it *rest*. An event between the claim and the rest is remembered and sends the task back to the queue; an event
/// after the rest queues it by itself. At most one of queue and isolate has the task at any time, so that it is never handed out
/// twice.
pub struct ReadySlot {
    task: TaskId,
    stand: AtomicU8,
    queue: Arc<RunQueue>,
}

impl ReadySlot {
    /// A task that waits for its first event.
    #[must_use]
    pub fn new(task: TaskId, queue: Arc<RunQueue>) -> Self {
        Self {
            task,
            stand: AtomicU8::new(IDLE),
            queue,
        }
    }

    /// Which task.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// The isolate has taken the task from the queue. Events from here on are remembered. `false` when the task was
    /// retired meanwhile.
    pub fn claim(&self) -> bool {
        self.stand
            .compare_exchange(QUEUED, RUNNING, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// The isolate gives back a task that it found not ready.
    pub fn rest(&self) -> Rest {
        if self
            .stand
            .compare_exchange(RUNNING, IDLE, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
        {
            return Rest::Idle;
        }
        self.requeue();
        Rest::Queued
    }

    /// The isolate gives back a task that has more to do.
    pub fn requeue(&self) {
        let mut stand = self.stand.load(Ordering::SeqCst);
        while stand == RUNNING || stand == NOTIFIED {
            match self
                .stand
                .compare_exchange_weak(stand, QUEUED, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => return self.queue.push(self.task),
                Err(now) => stand = now,
            }
        }
    }

    /// Whether the isolate has the task now.
    pub fn is_running(&self) -> bool {
        matches!(self.stand.load(Ordering::SeqCst), RUNNING | NOTIFIED)
    }

    /// The task is finished and never queued again.
    pub fn retire(&self) {
        self.stand.store(RETIRED, Ordering::SeqCst);
    }
}

impl Waker for ReadySlot {
    fn wake(&self) {
        let mut stand = self.stand.load(Ordering::SeqCst);
        loop {
            let next = match stand {
                IDLE => QUEUED,
                RUNNING => NOTIFIED,
                _ => return,
            };
            match self
                .stand
                .compare_exchange_weak(stand, next, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => {
                    if next == QUEUED {
                        self.queue.push(self.task);
                    }
                    return;
                }
                Err(now) => stand = now,
            }
        }
    }
}

impl std::fmt::Debug for ReadySlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadySlot")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}
