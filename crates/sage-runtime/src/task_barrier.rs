//! Where one task stands with the barrier of a checkpoint.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A barrier: the number of its epoch, and whether tasks stop behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Barrier {
    pub(crate) epoch: u64,
    pub(crate) last: bool,
}

impl Barrier {
    /// In one word; epochs begin at 1, so that 0 is none.
    const fn packed(self) -> u64 {
        (self.epoch << 1) | (self.last as u64)
    }

    const fn unpacked(word: u64) -> Option<Self> {
        if word == 0 {
            return None;
        }
        Some(Self {
            epoch: word >> 1,
            last: word & 1 == 1,
        })
    }
}

/// What a task is asked for by the coordinator, and what it was handed.
#[derive(Debug, Default)]
pub(crate) struct TaskBarrier {
    /// The epoch under way, until the task has acknowledged it. Who has inputs waits for their barriers nevertheless.
    asked: AtomicU64,
    /// Handed to the task, which has not acknowledged it yet: nothing else is handed out.
    handed: AtomicU64,
    /// It has acknowledged, and what comes around its loop is logged.
    logs: AtomicBool,
    /// It has acknowledged the last barrier, behind which the job stops.
    is_sealed: AtomicBool,
}

impl TaskBarrier {
    pub(crate) fn ask(&self, barrier: Barrier) {
        self.asked.store(barrier.packed(), Ordering::SeqCst);
    }

    pub(crate) fn asked(&self) -> Option<Barrier> {
        Barrier::unpacked(self.asked.load(Ordering::SeqCst))
    }

    pub(crate) fn hand(&self, barrier: Barrier) {
        self.handed.store(barrier.packed(), Ordering::SeqCst);
    }

    pub(crate) fn handed(&self) -> Option<Barrier> {
        Barrier::unpacked(self.handed.load(Ordering::SeqCst))
    }

    /// `logs` says whether there is a log to wait for.
    pub(crate) fn acknowledged(&self, barrier: Barrier, logs: bool) {
        if barrier.last {
            self.is_sealed.store(true, Ordering::SeqCst);
        }
        self.logs.store(logs, Ordering::SeqCst);
        self.asked.store(0, Ordering::SeqCst);
        self.handed.store(0, Ordering::SeqCst);
    }

    pub(crate) fn log_is_complete(&self) {
        self.logs.store(false, Ordering::SeqCst);
    }

    /// The task is asked for a barrier, or logs behind it. The last one stays under way: what was logged behind it is still to go around,
    /// in a job that goes on, so that a loop never comes to its end by itself any more.
    pub(crate) fn is_under_way(&self) -> bool {
        self.asked().is_some() || self.logs.load(Ordering::SeqCst) || self.is_sealed()
    }

    /// The task has acknowledged the last barrier: the job stops behind it.
    pub(crate) fn is_sealed(&self) -> bool {
        self.is_sealed.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Barrier = Barrier {
        epoch: 1,
        last: false,
    };
    const LAST: Barrier = Barrier { epoch: 2, last: true };

    #[test]
    fn given_no_barrier_then_nothing_is_asked_handed_or_under_way() {
        let task = TaskBarrier::default();
        assert_eq!(
            (task.asked(), task.handed(), task.is_under_way()),
            (None, None, false)
        );
    }

    #[test]
    fn given_a_barrier_then_it_is_under_way_from_the_question_to_the_answer() {
        let task = TaskBarrier::default();
        task.ask(FIRST);
        assert!(task.is_under_way());
        task.hand(FIRST);
        assert_eq!((task.asked(), task.handed()), (Some(FIRST), Some(FIRST)));
        task.acknowledged(FIRST, false);
        assert_eq!(
            (task.asked(), task.handed(), task.is_under_way()),
            (None, None, false)
        );
    }

    #[test]
    fn given_a_loop_then_a_barrier_is_under_way_until_its_log_is_complete() {
        let task = TaskBarrier::default();
        task.ask(FIRST);
        task.acknowledged(FIRST, true);
        assert!(task.is_under_way());
        task.log_is_complete();
        assert!(!task.is_under_way() && !task.is_sealed());
    }

    #[test]
    fn given_the_last_barrier_then_it_stays_under_way() {
        let task = TaskBarrier::default();
        task.ask(LAST);
        assert_eq!(task.asked(), Some(LAST));
        task.acknowledged(LAST, true);
        task.log_is_complete();
        assert!(task.is_under_way() && task.is_sealed());
        assert_eq!((task.asked(), task.handed()), (None, None));
    }
}
