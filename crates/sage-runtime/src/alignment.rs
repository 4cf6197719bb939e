//! Which inputs of a task wait for the barriers of its others.
//!
//! A task is aligned when the barrier has come on all of its open edges. Edges that lead back are left out: their barrier comes
//! around only when the task has sent its own. What they give until then belongs to the checkpoint, and is logged.

use sage_frame::Frame;
use sage_types::PlantedBug;

use crate::loop_log::LoopLog;
use crate::task_barrier::Barrier;

/// What there is to do with a frame from an edge that leads back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logging {
    /// It is handed out.
    None,
    /// It was logged, and is handed out.
    Logged,
    /// It was logged, and is not handed out: the task has stopped.
    Kept,
}

#[derive(Debug)]
struct Log {
    barrier: Barrier,
    /// By edge of the task: its barrier is still to come around.
    is_expected: Box<[bool]>,
    frames: LoopLog,
}

/// Which inputs of one task wait.
#[derive(Debug)]
pub(crate) struct Alignment {
    /// By edge of the task: its barrier has come, and it is not read until the task has acknowledged.
    is_blocked: Box<[bool]>,
    /// The barrier that has come on some edges.
    barrier: Option<Barrier>,
    /// When it came first.
    since_nanos: u64,
    /// How long it took from the first to the last.
    taken_nanos: u64,
    is_handed: bool,
    log: Option<Box<Log>>,
    complete: Option<(Barrier, LoopLog)>,
}

impl Alignment {
    pub(crate) fn new(edges: usize) -> Self {
        Self {
            is_blocked: vec![false; edges].into(),
            barrier: None,
            since_nanos: 0,
            taken_nanos: 0,
            is_handed: false,
            log: None,
            complete: None,
        }
    }

    /// The task has the barrier in hand: nothing else is for it.
    pub(crate) const fn is_handed(&self) -> bool {
        self.is_handed
    }

    /// Whether the end of a single edge may be what is waited for.
    pub(crate) const fn awaits(&self) -> bool {
        self.barrier.is_some() || self.log.is_some()
    }

    pub(crate) fn is_blocked(&self, edge: usize) -> bool {
        // Most tasks at most times: one look.
        self.barrier.is_some() && self.is_blocked.get(edge) == Some(&true)
    }

    pub(crate) const fn barrier(&self) -> Option<Barrier> {
        self.barrier
    }

    /// From the first barrier to the last, of the last time.
    pub(crate) const fn taken_nanos(&self) -> u64 {
        self.taken_nanos
    }

    /// A barrier has come.
    pub(crate) fn came(&mut self, edge: usize, barrier: Barrier, now_nanos: impl FnOnce() -> u64) {
        if let Some(log) = &mut self.log
            && log.barrier.epoch == barrier.epoch
        {
            log.is_expected[edge] = false;
            self.complete_log();
            return;
        }
        if self.barrier.is_none() {
            self.barrier = Some(barrier);
            self.since_nanos = now_nanos();
        }
        self.is_blocked[edge] = true;
    }

    /// An edge has ended: no barrier comes on it.
    pub(crate) fn ended(&mut self, edge: usize) {
        if let Some(log) = &mut self.log {
            log.is_expected[edge] = false;
            self.complete_log();
        }
    }

    /// A frame with records was taken.
    pub(crate) fn gave(&mut self, edge: usize, gate: u32, frame: &Frame) -> Logging {
        let Some(log) = &mut self.log else {
            return Logging::None;
        };
        if !log.is_expected[edge] {
            return Logging::None;
        }
        if !PlantedBug::LoopLogForgotten.is_planted() {
            log.frames.push(gate, frame.clone());
        }
        if log.barrier.last {
            Logging::Kept
        } else {
            Logging::Logged
        }
    }

    /// All barriers are there.
    pub(crate) fn hand(&mut self, barrier: Barrier, now_nanos: u64) -> Barrier {
        self.taken_nanos = match self.barrier {
            Some(_) => now_nanos.saturating_sub(self.since_nanos),
            None => 0,
        };
        self.barrier = Some(barrier);
        self.is_handed = true;
        barrier
    }

    /// The task has saved what it holds: all edges are read again. `leading_back` are the open edges that lead back. Whether there is
    /// a log to wait for.
    pub(crate) fn acknowledged(&mut self, leading_back: impl Iterator<Item = usize>) -> bool {
        self.is_handed = false;
        let Some(barrier) = self.barrier.take() else {
            return false;
        };
        let mut is_expected = vec![false; self.is_blocked.len()];
        for edge in leading_back {
            is_expected[edge] = !self.is_blocked[edge];
        }
        self.is_blocked.fill(false);
        let logs = is_expected.contains(&true);
        if logs {
            self.log = Some(Box::new(Log {
                barrier,
                is_expected: is_expected.into(),
                frames: LoopLog::default(),
            }));
        }
        logs
    }

    /// The log, told once, when all barriers have come around.
    pub(crate) const fn take_log(&mut self) -> Option<(Barrier, LoopLog)> {
        self.complete.take()
    }

    fn complete_log(&mut self) {
        if let Some(log) = self.log.take_if(|log| !log.is_expected.contains(&true)) {
            self.complete = Some((log.barrier, log.frames));
        }
    }
}
