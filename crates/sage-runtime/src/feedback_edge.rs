//! An edge that leads back.

use std::collections::VecDeque;
use std::sync::Arc;

use sage_frame::Frame;
use sage_queue::sync::Mutex;
use sage_queue::{ChannelCounts, EndKind, Peek, Pop, Waker};
use sage_store::SpillQueue;
use sage_types::Result;

use crate::edge::{Edge, LoopCounts, Pushed, SplitFrame};
use crate::loop_budget::{LoopBudget, LoopHost};

struct State {
    /// Oldest first; all of them are older than what is on disk.
    frames: VecDeque<Frame>,
    spill: Option<SpillQueue>,
    /// Rows of the frames on disk, oldest first.
    spilled: VecDeque<u64>,
    rows: u64,
    bytes: u64,
    ended: Option<EndKind>,
    closed: bool,
    counts: ChannelCounts,
    loop_counts: LoopCounts,
}

impl State {
    fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.spilled.is_empty()
    }
}

/// A queue whose producer never waits: a full one goes on on disk. A loop whose producer waited for its own consumer would
/// stand still.
pub(crate) struct FeedbackEdge {
    state: Mutex<State>,
    consumer: Arc<dyn Waker>,
    budget: Arc<LoopBudget>,
    host: Arc<LoopHost>,
}

impl FeedbackEdge {
    pub(crate) fn new(consumer: Arc<dyn Waker>, budget: Arc<LoopBudget>, host: Arc<LoopHost>) -> Self {
        let state = State {
            frames: VecDeque::new(),
            spill: None,
            spilled: VecDeque::new(),
            rows: 0,
            bytes: 0,
            ended: None,
            closed: false,
            counts: ChannelCounts::default(),
            loop_counts: LoopCounts::default(),
        };
        Self {
            state: Mutex::new(state),
            consumer,
            budget,
            host,
        }
    }

    pub(crate) fn budget(&self) -> &Arc<LoopBudget> {
        &self.budget
    }

    /// Ends it at once: what waits is dropped and counted, as is what still comes.
    pub(crate) fn discard(&self, kind: EndKind) {
        let mut state = self.state.lock();
        if state.closed || state.ended.is_some() {
            return;
        }
        state.ended = Some(kind);
        // As if it had never been sent: what is compared at the end is what went around.
        state.loop_counts.dropped_rows += state.rows;
        state.counts.sent_rows = state.counts.received_rows;
        state.counts.sent_batches = state.counts.received_batches;
        state.counts.sent_bytes = state.counts.received_bytes;
        let dropped = self.empty(&mut state);
        drop(state);
        drop(dropped);
        self.budget.settle();
        self.consumer.wake();
    }

    /// Forgets what is queued; it is dropped outside of the lock.
    fn empty(&self, state: &mut State) -> (VecDeque<Frame>, Option<SpillQueue>) {
        let frames = std::mem::take(&mut state.frames);
        self.budget
            .taken(frames.iter().map(|frame| frame.byte_len() as u64).sum());
        let spill = state.spill.take();
        if let Some(spill) = &spill {
            self.budget.unspilled(state.spilled.iter().sum(), spill.bytes());
        }
        state.spilled.clear();
        state.loop_counts.disk_bytes = 0;
        state.rows = 0;
        state.bytes = 0;
        (frames, spill)
    }

    /// Appends a frame in memory, or on disk when the loop has no memory left.
    fn append(&self, state: &mut State, frame: Frame) -> Result<()> {
        let (rows, bytes) = (frame.rows() as u64, frame.byte_len() as u64);
        let on_disk = state.spill.as_ref().is_some_and(|spill| !spill.is_empty());
        // One frame, however large, always gets through.
        if !on_disk && (state.frames.is_empty() || self.budget.has_memory_for(bytes)) {
            self.budget.kept(bytes);
            state.frames.push_back(frame);
        } else {
            let spill = match &mut state.spill {
                Some(spill) => spill,
                none => none.insert(self.host.spill_queue(self.budget.name())?),
            };
            let before = spill.bytes();
            // 8 bytes more are written for each: the budget counts what the queue counts.
            self.budget.spilled(rows, bytes + 8)?;
            spill.push(frame.as_bytes())?;
            state.loop_counts.disk_bytes += spill.bytes() - before;
            state.loop_counts.spilled_rows += rows;
            state.spilled.push_back(rows);
        }
        state.rows += rows;
        state.bytes += bytes;
        state.counts.sent_rows += rows;
        state.counts.sent_bytes += bytes;
        state.counts.sent_batches += 1;
        Ok(())
    }

    fn take(&self, state: &mut State) -> Result<Option<Frame>> {
        let frame = if let Some(frame) = state.frames.pop_front() {
            self.budget.taken(frame.byte_len() as u64);
            frame
        } else {
            let Some(spill) = &mut state.spill else {
                return Ok(None);
            };
            let (before, mut bytes) = (spill.bytes(), Vec::new());
            if !spill.pop(&mut bytes)? {
                return Ok(None);
            }
            let taken = before - spill.bytes();
            state.loop_counts.disk_bytes -= taken;
            self.budget
                .unspilled(state.spilled.pop_front().unwrap_or_default(), taken);
            Frame::from_bytes(&bytes)?
        };
        let (rows, bytes) = (frame.rows() as u64, frame.byte_len() as u64);
        state.rows -= rows;
        state.bytes -= bytes;
        state.counts.received_rows += rows;
        state.counts.received_bytes += bytes;
        state.counts.received_batches += 1;
        Ok(Some(frame))
    }
}

impl Edge for FeedbackEdge {
    fn push(&self, frame: Frame) -> Pushed {
        // What is said about event time does not go around.
        if frame.is_time() {
            return Pushed::Credit;
        }
        let mut state = self.state.lock();
        if state.closed {
            return Pushed::Closed;
        }
        if state.ended.is_some() {
            state.loop_counts.dropped_rows += frame.rows() as u64;
            return Pushed::Closed;
        }
        let was_empty = state.is_empty();
        let appended = self.append(&mut state, frame);
        drop(state);
        match appended {
            Ok(()) if was_empty => self.consumer.wake(),
            Ok(()) => {}
            Err(error) => self.host.fail(&error),
        }
        Pushed::Credit
    }

    fn end(&self, kind: EndKind) {
        let mut state = self.state.lock();
        if state.closed || state.ended.is_some() {
            return;
        }
        state.ended = Some(kind);
        drop(state);
        self.consumer.wake();
    }

    fn try_pop(&self) -> Pop<Frame> {
        let mut state = self.state.lock();
        if state.closed {
            return Pop::Closed;
        }
        let taken = self.take(&mut state);
        let ended = state.ended;
        drop(state);
        match taken {
            Ok(Some(frame)) => {
                self.budget.settle();
                Pop::Item(frame)
            }
            Ok(None) => ended.map_or(Pop::Empty, Pop::Ended),
            Err(error) => {
                self.host.fail(&error);
                Pop::Closed
            }
        }
    }

    fn try_pop_part(&self, _: u64, _: SplitFrame<'_>) -> Pop<Frame> {
        // Portions are for elastic stages, which are in no loop.
        self.try_pop()
    }

    fn take_back(&self, _: u64, _: SplitFrame<'_>) -> Vec<Frame> {
        Vec::new()
    }

    fn adopt(&self, frame: Frame) -> Pushed {
        self.push(frame)
    }

    fn peek(&self) -> Peek {
        let state = self.state.lock();
        match (state.closed, !state.is_empty(), state.ended) {
            (true, _, _) => Peek::Closed,
            (false, true, _) => Peek::Item,
            (false, false, Some(kind)) => Peek::Ended(kind),
            (false, false, None) => Peek::Empty,
        }
    }

    fn has_credit(&self) -> bool {
        true
    }

    fn close(&self) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.closed = true;
        let dropped = self.empty(&mut state);
        drop(state);
        drop(dropped);
        self.consumer.wake();
    }

    fn counts(&self) -> ChannelCounts {
        self.state.lock().counts
    }

    fn len_rows(&self) -> u64 {
        self.state.lock().rows
    }

    fn len_bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    fn loop_counts(&self) -> LoopCounts {
        self.state.lock().loop_counts
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use sage_frame::FrameMeta;
    use sage_queue::NoWaker;

    use super::*;

    /// A frame that can be told from others: it has as many bytes as any but the one with 0, and no rows.
    fn frame(number: u32) -> Frame {
        Frame::control(FrameMeta {
            epoch: u64::from(number),
            ..FrameMeta::default()
        })
    }

    fn edge(memory_bytes: u64, spill_bytes: u64, directory: &std::path::Path) -> FeedbackEdge {
        FeedbackEdge::new(
            Arc::new(NoWaker),
            Arc::new(LoopBudget::new("again", memory_bytes, spill_bytes)),
            Arc::new(LoopHost::new(directory.to_str())),
        )
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order_over_memory_and_disk(
            steps in prop::collection::vec(any::<bool>(), 1..200),
            memory_frames in 0_u64..6,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let size = frame(1).byte_len() as u64;
            let edge = edge(memory_frames * size, 1 << 30, directory.path());
            let mut model = VecDeque::new();
            for (number, push) in (1_u32..).zip(steps) {
                if push {
                    edge.push(frame(number));
                    model.push_back(u64::from(number));
                } else {
                    let popped = match edge.try_pop() {
                        Pop::Item(frame) => Some(frame.meta().epoch),
                        _ => None,
                    };
                    prop_assert_eq!(popped, model.pop_front());
                }
                prop_assert_eq!(edge.len_bytes(), model.len() as u64 * size);
                let over_memory = (model.len() as u64).saturating_sub(memory_frames.max(1));
                prop_assert!(edge.loop_counts().disk_bytes >= over_memory * size);
            }
            edge.end(EndKind::Drained);
            while let Some(number) = model.pop_front() {
                let Pop::Item(frame) = edge.try_pop() else {
                    return Err(TestCaseError::fail("a frame is missing"));
                };
                prop_assert_eq!(frame.meta().epoch, number);
            }
            prop_assert!(matches!(edge.try_pop(), Pop::Ended(EndKind::Drained)));
            let counts = edge.counts();
            prop_assert_eq!((counts.sent_batches, counts.sent_bytes), (counts.received_batches, counts.received_bytes));
            prop_assert!(!edge.budget().is_full());
            prop_assert_eq!(edge.loop_counts().disk_bytes, 0);
        }
    }

    #[test]
    fn after_the_limit_on_disk_nothing_more_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let size = frame(1).byte_len() as u64;
        let edge = edge(size, 2 * (size + 8), directory.path());
        for number in 1..5 {
            edge.push(frame(number));
        }
        assert_eq!(edge.counts().sent_batches, 3, "one in memory, two on disk");
    }
}
