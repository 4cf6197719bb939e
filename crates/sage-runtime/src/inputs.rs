//! The gates of one task.

use std::sync::Arc;

use sage_frame::{Frame, FrameKind, FrameMeta};
use sage_queue::sync::Mutex;
use sage_queue::{EndKind, Peek, Pop};
use sage_types::{EdgeId, PlantedBug, SharedClock};

use crate::alignment::{Alignment, Logging};
use crate::edge::{Edge, SplitFrame};
use crate::feedback_loop::FeedbackLoop;
use crate::gate_times::{GateTime, GateTimes};
use crate::loop_log::LoopLog;
use crate::task_barrier::{Barrier, TaskBarrier};

/// One physical edge into a gate.
pub(crate) struct InputEdge {
    pub(crate) id: EdgeId,
    pub(crate) gate: u32,
    pub(crate) edge: Arc<dyn Edge>,
    /// Says nothing about event time.
    pub(crate) timeless: bool,
    /// Comes from a task of the same loop.
    pub(crate) is_inside: bool,
    /// Closes a loop.
    pub(crate) leads_back: bool,
}

/// A frame and where it came in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Gate of the task.
    pub gate: u32,
    /// Physical edge.
    pub edge: EdgeId,
    /// The records.
    pub frame: Frame,
}

/// What [`Inputs::next`] found.
#[derive(Debug)]
pub(crate) enum Found {
    Frame(Arrival),
    Time(GateTime),
    /// The barrier has come on all edges. Nothing else follows before [`Inputs::acknowledged`].
    Barrier(Barrier),
    Nothing,
    AllEnded(EndKind),
}

struct Progress {
    /// Edges that have not ended yet, in the order in which they are asked.
    open: Vec<usize>,
    /// Where in `open` the next look starts: one frame of each edge in turn.
    turn: usize,
    /// How the ended edges have ended.
    kind: EndKind,
    /// A frame that was taken and could not be handed over.
    put_back: Option<Arrival>,
    /// Frames that came from within the loop since one was let in.
    taken_inside: u32,
    times: GateTimes,
    alignment: Alignment,
}

/// All physical edges into one task. Every edge keeps its own queue, so that a barrier can block one of them alone.
pub(crate) struct Inputs {
    edges: Box<[InputEdge]>,
    /// The loop that the task is in.
    of: Option<Arc<FeedbackLoop>>,
    /// What the task is asked for.
    barrier: Arc<TaskBarrier>,
    clock: SharedClock,
    progress: Mutex<Progress>,
}

/// Of a loop that is not full: so many frames of its own come before a new one, so that new records are not shut out for ever
/// by some that go around and wait for them.
const INSIDE_BEFORE_NEW: u32 = 8;

impl Inputs {
    pub(crate) fn new(edges: Vec<InputEdge>, of: Option<Arc<FeedbackLoop>>, clock: SharedClock) -> Self {
        let open = (0..edges.len()).collect();
        let progress = Progress {
            open,
            turn: 0,
            kind: EndKind::Drained,
            put_back: None,
            taken_inside: 0,
            times: GateTimes::new(edges.iter().map(|input| (input.gate, input.timeless))),
            alignment: Alignment::new(edges.len()),
        };
        Self {
            edges: edges.into_boxed_slice(),
            of,
            barrier: Arc::new(TaskBarrier::default()),
            clock,
            progress: Mutex::new(progress),
        }
    }

    /// What the task is asked for.
    pub(crate) const fn barrier(&self) -> &Arc<TaskBarrier> {
        &self.barrier
    }

    /// Whether [`Inputs::next`] would find something else than nothing, given that an end is (not) of interest.
    pub(crate) fn is_ready(&self, end_delivered: bool) -> bool {
        let progress = self.progress.lock();
        if progress.alignment.is_handed() {
            return false;
        }
        if progress.put_back.is_some() || self.aligned_at(&progress).is_some() {
            return true;
        }
        let mut all_ended = true;
        let is_full = self.is_full();
        let awaits_ends =
            progress.times.in_use() || progress.alignment.awaits() || self.asked_in_loop().is_some();
        for &index in &progress.open {
            let input = &self.edges[index];
            if progress.alignment.is_blocked(index) {
                all_ended = false;
                continue;
            }
            match input.edge.peek() {
                Peek::Item if is_full && !input.is_inside => all_ended = false,
                Peek::Item => return true,
                // Whoever waited for its watermark, or its barrier, does so no longer.
                Peek::Ended(_) if awaits_ends => return true,
                Peek::Ended(_) => {}
                Peek::Empty | Peek::Closed => all_ended = false,
            }
        }
        all_ended && !end_delivered
    }

    /// How all edges have ended, when they have and nothing is left in them.
    pub(crate) fn ended(&self) -> Option<EndKind> {
        let progress = self.progress.lock();
        if progress.put_back.is_some() {
            return None;
        }
        progress.open.iter().try_fold(progress.kind, |kind, &index| {
            match self.edges[index].edge.peek() {
                Peek::Ended(other) => Some(kind.combine(other)),
                Peek::Item | Peek::Empty | Peek::Closed => None,
            }
        })
    }

    /// Whether records wait here.
    pub(crate) fn has_frames(&self) -> bool {
        let progress = self.progress.lock();
        let waits = |&index: &usize| self.edges[index].edge.peek() == Peek::Item;
        progress.put_back.is_some() || progress.open.iter().any(waits)
    }

    /// The next frame, one from each edge in turn; or how far event time has come, or that all edges have ended and are empty.
    pub(crate) fn next(&self) -> Found {
        self.next_part(u64::MAX, &|_, _| None)
    }

    /// As [`Inputs::next`], but only the first `max_rows` records of a frame that is longer. In a loop its own records come
    /// first, or it would fill up.
    pub(crate) fn next_part(&self, max_rows: u64, split: SplitFrame<'_>) -> Found {
        let mut progress = self.progress.lock();
        if progress.alignment.is_handed() {
            return Found::Nothing;
        }
        if let Some(arrival) = progress.put_back.take() {
            return Found::Frame(arrival);
        }
        if let Some(found) = self.hand_barrier(&mut progress) {
            return found;
        }
        let found = self.look_in_turn(&mut progress, max_rows, split);
        if matches!(found, Found::Nothing)
            && let Some(found) = self.hand_barrier(&mut progress)
        {
            return found;
        }
        found
    }

    fn look_in_turn(&self, progress: &mut Progress, max_rows: u64, split: SplitFrame<'_>) -> Found {
        if self.of.is_none() {
            return self.look(progress, max_rows, split, &|_| true);
        }
        let is_full = self.is_full();
        let new_first = !is_full && progress.taken_inside >= INSIDE_BEFORE_NEW;
        if new_first {
            progress.taken_inside = 0;
        }
        for inside in [!new_first, new_first] {
            if !inside && is_full {
                continue;
            }
            let found = self.look(progress, max_rows, split, &|input| input.is_inside == inside);
            if !matches!(found, Found::Nothing) {
                progress.taken_inside += u32::from(inside);
                return found;
            }
        }
        Found::Nothing
    }

    /// Whether new records are to wait, as the loop has more than it may. Not while a barrier is expected: it is behind them.
    fn is_full(&self) -> bool {
        self.of.as_ref().is_some_and(|of| of.is_full()) && self.barrier.asked().is_none()
    }

    /// What a task of a loop is asked for.
    fn asked_in_loop(&self) -> Option<Barrier> {
        self.of.as_ref().and_then(|_| self.barrier.asked())
    }

    /// The barrier, when all open edges have it that do not lead back. In a loop that gets nothing from outside any more, nobody sends
    /// one: then it is what the task is asked for.
    fn aligned_at(&self, progress: &Progress) -> Option<Barrier> {
        let barrier = progress.alignment.barrier().or_else(|| self.asked_in_loop())?;
        let is_missing = |&index: &usize| {
            !self.edges[index].leads_back
                && !progress.alignment.is_blocked(index)
                && !PlantedBug::AcknowledgedBeforeAligned.is_planted()
        };
        (!progress.open.is_empty() && !progress.open.iter().any(is_missing)).then_some(barrier)
    }

    fn hand_barrier(&self, progress: &mut Progress) -> Option<Found> {
        let barrier = self.aligned_at(progress)?;
        Some(Found::Barrier(
            progress.alignment.hand(barrier, self.clock.monotonic_nanos()),
        ))
    }

    /// The task has saved what it holds: its edges are read again. Whether there is a log to wait for, and how long the alignment took
    /// in nanoseconds.
    pub(crate) fn acknowledged(&self) -> (bool, u64) {
        let mut progress = self.progress.lock();
        let Progress { open, alignment, .. } = &mut *progress;
        let leading_back = open.iter().copied().filter(|&index| self.edges[index].leads_back);
        (alignment.acknowledged(leading_back), alignment.taken_nanos())
    }

    /// What came around a loop until its barrier did; told once, when all has.
    pub(crate) fn take_log(&self) -> Option<(Barrier, LoopLog)> {
        self.progress.lock().alignment.take_log()
    }

    /// Whether this is the end of event time, which records that still go around would be behind.
    fn is_early_end(&self, watermark: f64) -> bool {
        watermark == f64::INFINITY && self.of.as_ref().is_some_and(|of| !of.is_over())
    }

    fn look(
        &self,
        progress: &mut Progress,
        max_rows: u64,
        split: SplitFrame<'_>,
        is_asked: &dyn Fn(&InputEdge) -> bool,
    ) -> Found {
        let mut looks = progress.open.len();
        while looks > 0 {
            looks -= 1;
            if progress.turn >= progress.open.len() {
                progress.turn = 0;
            }
            let turn = progress.turn;
            let index = progress.open[turn];
            let input = &self.edges[index];
            if !is_asked(input) || progress.alignment.is_blocked(index) {
                progress.turn += 1;
                continue;
            }
            match input.edge.try_pop_part(max_rows, split) {
                Pop::Item(frame) if frame.is_time() => {
                    let FrameMeta { kind, watermark, .. } = frame.meta();
                    if self.is_early_end(watermark) {
                        progress.times.has_said();
                    } else if let Some(time) = progress.times.said(index, watermark, kind == FrameKind::Idle)
                    {
                        return Found::Time(time);
                    }
                    // What lies behind it is looked at in this call still.
                    looks += 1;
                }
                Pop::Item(frame) if frame.as_barrier().is_some() => {
                    if let Some((epoch, last)) = frame.as_barrier() {
                        let barrier = Barrier { epoch, last };
                        progress
                            .alignment
                            .came(index, barrier, || self.clock.monotonic_nanos());
                    }
                    // Behind a barrier that came around the edge is read on.
                    looks += 1;
                }
                Pop::Item(frame) => {
                    progress.turn += 1;
                    if progress.alignment.gave(index, input.gate, &frame) == Logging::Kept {
                        looks += 1;
                        continue;
                    }
                    if !input.timeless {
                        progress.times.gave_records(index);
                    }
                    return Found::Frame(Arrival {
                        gate: input.gate,
                        edge: input.id,
                        frame,
                    });
                }
                Pop::Ended(kind) => {
                    progress.kind = progress.kind.combine(kind);
                    progress.open.remove(turn);
                    progress.alignment.ended(index);
                    let news = progress.times.ended(index, kind);
                    let has_others = progress.open.iter().any(|&other| !self.edges[other].timeless);
                    match news {
                        // It is not the end of time, but the others need not wait for this gate. When it is the last one, all below wait
                        // where it has come to: what still goes around must not be late there.
                        Some(time) if self.is_early_end(time.watermark) => {
                            if has_others {
                                return Found::Time(GateTime {
                                    gate: time.gate,
                                    watermark: f64::NEG_INFINITY,
                                    idle: true,
                                });
                            }
                        }
                        Some(time) if !progress.open.is_empty() => return Found::Time(time),
                        Some(_) | None => {}
                    }
                }
                Pop::Empty | Pop::Closed => progress.turn += 1,
            }
        }
        if progress.open.is_empty() {
            Found::AllEnded(progress.kind)
        } else {
            Found::Nothing
        }
    }

    /// Keeps a frame that could not be handed over; [`Inputs::next`] gives it again, first.
    pub(crate) fn put_back(&self, arrival: Arrival) {
        self.progress.lock().put_back = Some(arrival);
    }
}
