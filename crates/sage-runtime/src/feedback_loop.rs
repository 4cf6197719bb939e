//! When a loop has come to its end.
//!
//! Nobody in a loop can be told that no input follows: its input is also what it will still give itself. A loop has ended
//! when the edges that lead into it have, and nothing is in flight: no frame waits in a queue of the loop, and no task has
//! anything left of what it took. Then each task is asked to give what it still holds (a batch that is not full, results
//! that are due with the end). When all have, and none of it came back, the feedback edges end, and with them all else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sage_queue::sync::Mutex;
use sage_queue::{EndKind, Peek};
use sage_types::{PlantedBug, TaskId};

use crate::edge::Edge;
use crate::feedback_edge::FeedbackEdge;
use crate::job_core::JobCore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Records go around.
    Running,
    /// All tasks were asked to give what they hold, when so many frames had been taken.
    Flushing {
        taken_before: u64,
    },
    Over,
}

/// Where one task of a loop stands.
#[derive(Debug, Default)]
struct Standing {
    /// It may have something left of what it took.
    works: AtomicBool,
    /// It is to give what it holds, and has not been told yet.
    is_asked: AtomicBool,
}

/// One loop of a job: all tasks that can reach each other through feedback edges.
pub(crate) struct FeedbackLoop {
    pub(crate) tasks: Box<[TaskId]>,
    standings: Box<[Standing]>,
    /// Edges that lead from outside into it, between its tasks, and back.
    pub(crate) entering: Box<[Arc<dyn Edge>]>,
    pub(crate) inside: Box<[Arc<dyn Edge>]>,
    pub(crate) feedback: Box<[Arc<FeedbackEdge>]>,
    /// Looks for a frame, whether or not there was one: one that changes under a look at all tasks and queues makes that
    /// look worthless.
    looks: AtomicU64,
    taken: AtomicU64,
    phase: Mutex<Phase>,
    is_over: AtomicBool,
}

impl FeedbackLoop {
    pub(crate) fn new(
        tasks: Vec<TaskId>,
        entering: Vec<Arc<dyn Edge>>,
        inside: Vec<Arc<dyn Edge>>,
        feedback: Vec<Arc<FeedbackEdge>>,
    ) -> Self {
        Self {
            standings: tasks.iter().map(|_| Standing::default()).collect(),
            tasks: tasks.into(),
            entering: entering.into(),
            inside: inside.into(),
            feedback: feedback.into(),
            looks: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            phase: Mutex::new(Phase::Running),
            is_over: AtomicBool::new(false),
        }
    }

    /// Whether new records are to wait until others have left.
    pub(crate) fn is_full(&self) -> bool {
        !self.is_over() && self.feedback.iter().any(|edge| edge.budget().is_full())
    }

    /// Whether nothing goes around any more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Ends it at once: what comes around from now on is dropped and counted.
    pub(crate) fn discard(&self, kind: EndKind) {
        *self.phase.lock() = Phase::Over;
        self.is_over.store(true, Ordering::SeqCst);
        for edge in &self.feedback {
            edge.discard(kind);
        }
    }

    /// One of its tasks had finished in the epoch that the job goes on from: then nothing went around any more, and nobody reads what
    /// is sent back to that task.
    pub(crate) fn had_ended(&self) {
        if PlantedBug::EndedLoopWaits.is_planted() {
            return;
        }
        *self.phase.lock() = Phase::Over;
        self.is_over.store(true, Ordering::SeqCst);
        for edge in &self.feedback {
            edge.end(EndKind::Drained);
        }
    }

    /// Looks whether the loop has come to rest, and goes on from there; gives the tasks that have something to do because
    /// of it. Not while an epoch is under way in it: what some of its tasks have logged is for others that have not saved yet, and
    /// those that have are to see their barrier come around.
    pub(crate) fn look(&self, has_barrier: impl Fn(TaskId) -> bool) -> Option<&[TaskId]> {
        // Most calls end here: there is more to come.
        let end = self.entering_ended()?;
        let mut phase = self.phase.lock();
        // Barriers behind: whoever is asked for one later finds nothing on its way.
        if *phase == Phase::Over || !self.is_at_rest() || self.tasks.iter().copied().any(has_barrier) {
            return None;
        }
        let taken = self.taken.load(Ordering::SeqCst);
        if *phase == (Phase::Flushing { taken_before: taken }) {
            *phase = Phase::Over;
            self.is_over.store(true, Ordering::SeqCst);
            drop(phase);
            for edge in &self.feedback {
                edge.end(end);
            }
            return None;
        }
        *phase = Phase::Flushing { taken_before: taken };
        for standing in &self.standings {
            standing.is_asked.store(true, Ordering::SeqCst);
        }
        drop(phase);
        Some(&self.tasks)
    }

    /// How the edges into the loop have ended, when all of them have and are empty.
    fn entering_ended(&self) -> Option<EndKind> {
        self.entering
            .iter()
            .try_fold(EndKind::Drained, |kind, edge| match edge.peek() {
                Peek::Ended(other) => Some(kind.combine(other)),
                Peek::Item | Peek::Empty | Peek::Closed => None,
            })
    }

    /// No task works, and no queue has anything. First the tasks, then the queues: whoever is found resting has taken
    /// nothing since, or `looks` has changed; so that nobody fills a queue while the queues are looked at.
    fn is_at_rest(&self) -> bool {
        let looks = self.looks.load(Ordering::SeqCst);
        let rests = |standing: &Standing| {
            !standing.works.load(Ordering::SeqCst) && !standing.is_asked.load(Ordering::SeqCst)
        };
        self.standings.iter().all(rests)
            && self.inside.iter().all(|edge| edge.peek() == Peek::Empty)
            && self.feedback.iter().all(|edge| edge.peek() == Peek::Empty)
            && self.looks.load(Ordering::SeqCst) == looks
    }
}

/// A task's place in its loop.
#[derive(Clone)]
pub(crate) struct LoopMember {
    pub(crate) of: Arc<FeedbackLoop>,
    pub(crate) place: usize,
}

impl LoopMember {
    fn standing(&self) -> &Standing {
        &self.of.standings[self.place]
    }

    /// The task looks for a frame: from now on, also when there is none, it counts as working until it settles. What it does
    /// may be due by the clock.
    pub(crate) fn begin(&self) {
        self.standing().works.store(true, Ordering::SeqCst);
        self.of.looks.fetch_add(1, Ordering::SeqCst);
    }

    /// There was one.
    pub(crate) fn took(&self) {
        self.of.taken.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the task is to give what it holds; told once, to a task that counts as working.
    pub(crate) fn is_told(&self) -> bool {
        self.standing().is_asked.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.standing().is_asked.load(Ordering::SeqCst)
    }

    /// The task has nothing left of what it took.
    fn settle(&self) {
        self.standing().works.store(false, Ordering::SeqCst);
    }
}

impl JobCore {
    /// A task of a loop has nothing left of what it took, and everything that came of it is on its way.
    pub(crate) fn settle_task(&self, member: &LoopMember) {
        member.settle();
        self.look_at_loop(&member.of);
    }

    /// Called whenever something has happened that may be the last thing in a loop.
    pub(crate) fn look_at_loop(&self, of: &FeedbackLoop) {
        let has_barrier = |task: TaskId| {
            let task = &self.tasks[task.index()];
            !task.is_finished()
                && task.barrier.is_under_way()
                && !PlantedBug::LoopEndsUnderBarrier.is_planted()
        };
        for task in of.look(has_barrier).into_iter().flatten() {
            self.tasks[task.index()].doorbell.ring();
        }
    }

    /// The loops that a task leads into have one end marker more.
    pub(crate) fn look_at_loops(&self) {
        for of in &self.loops {
            self.look_at_loop(of);
        }
    }
}
