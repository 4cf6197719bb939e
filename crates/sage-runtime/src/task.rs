//! One parallel task while its job runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use sage_frame::{Frame, LayoutRegistry, partition};
use sage_queue::{EndKind, Parker, ReadySlot, Waker};
use sage_types::TaskId;

use crate::feedback_loop::LoopMember;
use crate::gate_times::GateTime;
use crate::graph::TaskPlan;
use crate::inputs::{Arrival, Found, Inputs};
use crate::outputs::Output;
use crate::status::Wakefulness;
use crate::task_barrier::{Barrier, TaskBarrier};
use crate::task_metrics::TaskMetrics;

/// What a task is told to do next.
#[derive(Debug)]
pub enum Take {
    /// Nothing now: give the task back.
    Nothing,
    /// Process these records.
    Batch(Arrival),
    /// Event time has come further at a gate.
    Time(GateTime),
    /// The task is a source: produce a batch.
    Source,
    /// The task is in a loop that has come to rest: it is to give what it holds back, as far as that can go around again.
    Flush,
    /// Save what the task holds, and acknowledge ([`crate::Isolate::acknowledge`]): nothing more comes before.
    Barrier {
        /// Number of the checkpoint.
        epoch: u64,
        /// Behind it the task stops.
        last: bool,
    },
    /// No input follows. Told once; finish the task when everything has been emitted.
    End(EndKind),
}

/// Who is told that a task may have something to do.
pub(crate) enum Doorbell {
    /// A task of an isolate: goes into the run queue of isolate `isolate` (index in the job's list).
    Isolate { slot: Arc<ReadySlot>, isolate: usize },
    /// A task with a thread of its own.
    Thread(Arc<Parker>),
}

impl Doorbell {
    pub(crate) fn waker(&self) -> Arc<dyn Waker> {
        match self {
            Self::Isolate { slot, .. } => Arc::clone(slot) as Arc<dyn Waker>,
            Self::Thread(parker) => Arc::clone(parker) as Arc<dyn Waker>,
        }
    }

    pub(crate) fn ring(&self) {
        match self {
            Self::Isolate { slot, .. } => slot.wake(),
            Self::Thread(parker) => parker.wake(),
        }
    }
}

/// Longer portions would let an instance that comes wait for too long; shorter ones cost copies.
const PORTION_NANOS: u64 = 20_000_000;
/// What is taken before anything is known.
const FIRST_PORTION_ROWS: u64 = 1;

const NO_STOP: u8 = 0;
const STOP: u8 = 1;
const STOP_AND_DRAIN: u8 = 2;

/// One parallel task.
pub(crate) struct Task {
    pub(crate) plan: TaskPlan,
    pub(crate) inputs: Inputs,
    pub(crate) outputs: Vec<Output>,
    pub(crate) doorbell: Doorbell,
    pub(crate) metrics: TaskMetrics,
    /// The other instances of an elastic stage.
    pub(crate) siblings: Box<[TaskId]>,
    /// The loop that it is in.
    pub(crate) member: Option<LoopMember>,
    /// Where it stands with the checkpoint under way.
    pub(crate) barrier: Arc<TaskBarrier>,
    /// Sources: set by the thread that stops the job.
    stop: AtomicU8,
    /// The host says that the task holds work of its own: it is ready whenever there is credit.
    keeps_work: AtomicBool,
    end_delivered: AtomicBool,
    /// How the task's input has ended; valid once `end_delivered`.
    ended_as: AtomicU8,
    finished: AtomicBool,
}

impl Task {
    pub(crate) fn new(
        plan: TaskPlan,
        inputs: Inputs,
        outputs: Vec<Output>,
        doorbell: Doorbell,
        metrics: TaskMetrics,
        siblings: Box<[TaskId]>,
        member: Option<LoopMember>,
    ) -> Self {
        let barrier = Arc::clone(inputs.barrier());
        Self {
            plan,
            inputs,
            outputs,
            doorbell,
            metrics,
            siblings,
            member,
            barrier,
            stop: AtomicU8::new(NO_STOP),
            keeps_work: AtomicBool::new(false),
            end_delivered: AtomicBool::new(false),
            ended_as: AtomicU8::new(STOP_AND_DRAIN),
            finished: AtomicBool::new(false),
        }
    }

    /// Whether it takes records when the job begins.
    pub(crate) fn first_wakefulness(&self) -> Wakefulness {
        if self.plan.dormant {
            Wakefulness::Dormant
        } else {
            Wakefulness::Awake
        }
    }

    /// Position of its isolate in the job's list; none for a task with a thread of its own.
    pub(crate) fn isolate_place(&self) -> Option<usize> {
        match &self.doorbell {
            Doorbell::Isolate { isolate, .. } => Some(*isolate),
            Doorbell::Thread(_) => None,
        }
    }

    /// Whether the task may compute: there is room behind every output.
    pub(crate) fn has_credit(&self) -> bool {
        self.outputs.iter().all(Output::has_credit)
    }

    /// Whether the task has something to do and room for what comes of it.
    pub(crate) fn is_ready(&self) -> bool {
        if self.is_finished() || !self.has_credit() {
            return false;
        }
        if self.keeps_work.load(Ordering::SeqCst) {
            return true;
        }
        if self.barrier.handed().is_some() {
            return false;
        }
        if self.member.as_ref().is_some_and(LoopMember::is_asked) {
            return true;
        }
        let end_delivered = self.end_delivered.load(Ordering::SeqCst);
        if self.plan.is_source {
            !end_delivered
        } else {
            self.inputs.is_ready(end_delivered)
        }
    }

    /// What to do next. Without credit: nothing, so that the queues behind keep their bounds.
    pub(crate) fn take(&self, registry: &LayoutRegistry, now_nanos: u64) -> Take {
        if self.is_finished() || !self.has_credit() || self.barrier.handed().is_some() {
            return Take::Nothing;
        }
        if self.plan.is_source {
            if !self.is_end_delivered()
                && let Some(barrier) = self.barrier.asked()
            {
                return self.hand(barrier);
            }
            return match (self.end_delivered.load(Ordering::SeqCst), self.stop_requested()) {
                (true, _) => Take::Nothing,
                (false, Some(kind)) => self.deliver_end(kind),
                (false, None) => Take::Source,
            };
        }
        let Some(member) = &self.member else {
            return self.take_input(registry, now_nanos);
        };
        if member.is_told() {
            return Take::Flush;
        }
        let taken = self.take_input(registry, now_nanos);
        if !matches!(taken, Take::Nothing) {
            member.took();
        }
        taken
    }

    fn take_input(&self, registry: &LayoutRegistry, now_nanos: u64) -> Take {
        match self
            .inputs
            .next_part(self.portion_rows(now_nanos), &|frame, rows| {
                split_frame(frame, rows, registry)
            }) {
            Found::Frame(arrival) => Take::Batch(arrival),
            Found::Time(time) => Take::Time(time),
            Found::Barrier(barrier) => self.hand(barrier),
            Found::AllEnded(kind) if !self.end_delivered.load(Ordering::SeqCst) => self.deliver_end(kind),
            Found::Nothing | Found::AllEnded(_) => Take::Nothing,
        }
    }

    fn hand(&self, barrier: Barrier) -> Take {
        self.barrier.hand(barrier);
        Take::Barrier {
            epoch: barrier.epoch,
            last: barrier.last,
        }
    }

    /// How many records an instance of an elastic stage takes at once: what it needs about [`PORTION_NANOS`] for, by what they
    /// have cost so far. The others stay in the queue, where an instance that comes can have them.
    fn portion_rows(&self, now_nanos: u64) -> u64 {
        if self.siblings.is_empty() {
            return u64::MAX;
        }
        let rows = self.metrics.records_in.load(Ordering::Relaxed);
        if rows == 0 {
            return FIRST_PORTION_ROWS;
        }
        let nanos_per_row = self.metrics.time_split(now_nanos).busy_nanos / rows;
        PORTION_NANOS
            .checked_div(nanos_per_row)
            .map_or(u64::MAX, |rows| rows.max(1))
    }

    /// Says whether the task holds work of its own, so that it is handed out as soon as there is credit.
    pub(crate) fn keep(&self, keeps_work: bool) {
        self.keeps_work.store(keeps_work, Ordering::SeqCst);
        let in_hand = matches!(&self.doorbell, Doorbell::Isolate { slot, .. } if slot.is_running());
        // In hand, the task is looked at when it is given back.
        if keeps_work && !in_hand {
            self.doorbell.ring();
        }
    }

    /// Tells a source to end.
    pub(crate) fn request_stop(&self, kind: EndKind) {
        let stop = if kind == EndKind::Drained {
            STOP_AND_DRAIN
        } else {
            STOP
        };
        self.stop.store(stop, Ordering::SeqCst);
        self.doorbell.ring();
    }

    pub(crate) fn stop_requested(&self) -> Option<EndKind> {
        kind_of(self.stop.load(Ordering::SeqCst))
    }

    /// Whether the task has been told that no input follows.
    pub(crate) fn is_end_delivered(&self) -> bool {
        self.end_delivered.load(Ordering::SeqCst)
    }

    /// How the end markers downstream are to be: as the task's own input ended; a source that ended by itself is drained.
    pub(crate) fn end_kind(&self) -> EndKind {
        kind_of(self.ended_as.load(Ordering::SeqCst)).unwrap_or(EndKind::Drained)
    }

    /// Marks the task finished; `false` when it was already.
    pub(crate) fn finish(&self) -> bool {
        !self.finished.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    /// Remembers how the input ended; every path that ends a task goes through here. Behind the last barrier nothing fires, also where the
    /// records of a loop had come to their end right before it.
    pub(crate) fn deliver_end(&self, kind: EndKind) -> Take {
        let kind = if self.barrier.is_sealed() {
            EndKind::Stopped
        } else {
            kind
        };
        let ended_as = if kind == EndKind::Drained {
            STOP_AND_DRAIN
        } else {
            STOP
        };
        self.ended_as.store(ended_as, Ordering::SeqCst);
        self.end_delivered.store(true, Ordering::SeqCst);
        Take::End(kind)
    }
}

pub(crate) fn split_frame(frame: &Frame, rows: u64, registry: &LayoutRegistry) -> Option<(Frame, Frame)> {
    let rows = usize::try_from(rows).ok()?;
    // What cannot be divided is taken whole; whoever reads it says what is wrong with it.
    let view = frame.view(registry).ok()?;
    partition::split_at(&view, rows, frame.meta()).ok()?
}

fn kind_of(stop: u8) -> Option<EndKind> {
    match stop {
        STOP => Some(EndKind::Stopped),
        STOP_AND_DRAIN => Some(EndKind::Drained),
        _ => None,
    }
}
