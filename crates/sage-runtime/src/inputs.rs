//! The gates of one task.

use std::sync::Arc;

use sage_frame::{Frame, FrameKind, FrameMeta};
use sage_queue::sync::Mutex;
use sage_queue::{EndKind, Peek, Pop};
use sage_types::EdgeId;

use crate::edge::{Edge, SplitFrame};
use crate::gate_times::{GateTime, GateTimes};

/// One physical edge into a gate.
pub(crate) struct InputEdge {
    pub(crate) id: EdgeId,
    pub(crate) gate: u32,
    pub(crate) edge: Arc<dyn Edge>,
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
    times: GateTimes,
}

/// All physical edges into one task. Every edge keeps its own queue, so that a barrier can block one of them alone.
pub(crate) struct Inputs {
    edges: Box<[InputEdge]>,
    progress: Mutex<Progress>,
}

impl Inputs {
    pub(crate) fn new(edges: Vec<InputEdge>) -> Self {
        let open = (0..edges.len()).collect();
        let progress = Progress {
            open,
            turn: 0,
            kind: EndKind::Drained,
            put_back: None,
            times: GateTimes::new(edges.iter().map(|input| input.gate)),
        };
        Self {
            edges: edges.into_boxed_slice(),
            progress: Mutex::new(progress),
        }
    }

    /// Whether [`Inputs::next`] would find something else than nothing, given that an end is (not) of interest.
    pub(crate) fn is_ready(&self, end_delivered: bool) -> bool {
        let progress = self.progress.lock();
        if progress.put_back.is_some() {
            return true;
        }
        let mut all_ended = true;
        for &index in &progress.open {
            match self.edges[index].edge.peek() {
                Peek::Item => return true,
                // Whoever waited for its watermark does so no longer.
                Peek::Ended(_) if progress.times.in_use() => return true,
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

    /// As [`Inputs::next`], but only the first `max_rows` records of a frame that is longer.
    pub(crate) fn next_part(&self, max_rows: u64, split: SplitFrame<'_>) -> Found {
        let mut progress = self.progress.lock();
        if let Some(arrival) = progress.put_back.take() {
            return Found::Frame(arrival);
        }
        let mut looks = progress.open.len();
        while looks > 0 {
            looks -= 1;
            if progress.turn >= progress.open.len() {
                progress.turn = 0;
            }
            let turn = progress.turn;
            let index = progress.open[turn];
            let input = &self.edges[index];
            match input.edge.try_pop_part(max_rows, split) {
                Pop::Item(frame) if frame.is_time() => {
                    let FrameMeta { kind, watermark, .. } = frame.meta();
                    if let Some(time) = progress.times.said(index, watermark, kind == FrameKind::Idle) {
                        return Found::Time(time);
                    }
                    // What lies behind it is looked at in this call still.
                    looks += 1;
                }
                Pop::Item(frame) => {
                    progress.turn += 1;
                    progress.times.gave_records(index);
                    return Found::Frame(Arrival {
                        gate: input.gate,
                        edge: input.id,
                        frame,
                    });
                }
                Pop::Ended(kind) => {
                    progress.kind = progress.kind.combine(kind);
                    progress.open.remove(turn);
                    if let Some(time) = progress.times.ended(index, kind)
                        && !progress.open.is_empty()
                    {
                        return Found::Time(time);
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
