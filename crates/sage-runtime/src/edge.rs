//! A physical edge between two tasks, whatever carries it.

use std::sync::Arc;

use sage_frame::Frame;
use sage_queue::{Channel, ChannelCounts, EndKind, Limits, Peek, Pop, Waker};

/// What came of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// Taken, and there is room for more.
    Credit,
    /// Taken; the producer should wait until it is woken.
    Full,
    /// Dropped: the edge is closed.
    Closed,
}

/// What a feedback edge counts besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoopCounts {
    /// Records that were dropped because the loop had been ended.
    pub dropped_rows: u64,
    /// Records that were on disk on their way.
    pub spilled_rows: u64,
    /// Bytes on disk now.
    pub disk_bytes: u64,
}

/// Divides a frame behind so many rows; nothing when it cannot.
pub type SplitFrame<'a> = &'a dyn Fn(&Frame, u64) -> Option<(Frame, Frame)>;

/// A physical edge from one task to another: ordered, bounded, and counting on both sides. In memory today; the same
/// contract fits an exchange topic, which is why tasks hold the trait.
pub trait Edge: Send + Sync {
    /// Appends a frame whatever the fill (the caller looked at [`Edge::has_credit`] before it computed).
    fn push(&self, frame: Frame) -> Pushed;
    /// Says that nothing follows.
    fn end(&self, kind: EndKind);
    /// Takes the oldest frame, or says why there is none.
    fn try_pop(&self) -> Pop<Frame>;
    /// Takes the oldest frame, or the first `max_rows` records of one that is longer.
    fn try_pop_part(&self, max_rows: u64, split: SplitFrame<'_>) -> Pop<Frame>;
    /// Takes the youngest records out again, oldest first, as if they had never been sent here.
    fn take_back(&self, rows: u64, split: SplitFrame<'_>) -> Vec<Frame>;
    /// Appends what was taken back from another edge of the same producer, also when that has ended.
    fn adopt(&self, frame: Frame) -> Pushed;
    /// What [`Edge::try_pop`] would find.
    fn peek(&self) -> Peek;
    /// Whether the producer may compute more.
    fn has_credit(&self) -> bool;
    /// Drops what is queued, lets nothing in or out, wakes both sides. Idempotent, from any thread.
    fn close(&self);
    /// Everything sent and received so far.
    fn counts(&self) -> ChannelCounts;
    /// Records in flight.
    fn len_rows(&self) -> u64;
    /// Bytes in flight.
    fn len_bytes(&self) -> u64;
    /// What only edges of a loop count.
    fn loop_counts(&self) -> LoopCounts {
        LoopCounts::default()
    }
}

/// The form of [`Edge`] within a process.
#[derive(Debug)]
pub struct MemoryEdge(Channel<Frame>);

impl MemoryEdge {
    /// An empty edge between the owners of the two wakers.
    pub fn new(limits: Limits, consumer: Arc<dyn Waker>, producer: Arc<dyn Waker>) -> Self {
        Self(Channel::new(limits, consumer, producer))
    }
}

impl Edge for MemoryEdge {
    fn push(&self, frame: Frame) -> Pushed {
        match self.0.push_over(frame) {
            Ok(true) => Pushed::Credit,
            Ok(false) => Pushed::Full,
            Err(_) => Pushed::Closed,
        }
    }

    fn end(&self, kind: EndKind) {
        self.0.end(kind);
    }

    fn try_pop(&self) -> Pop<Frame> {
        self.0.try_pop()
    }

    fn try_pop_part(&self, max_rows: u64, split: SplitFrame<'_>) -> Pop<Frame> {
        self.0.try_pop_part(max_rows, split)
    }

    fn take_back(&self, rows: u64, split: SplitFrame<'_>) -> Vec<Frame> {
        self.0.take_back(rows, split)
    }

    fn adopt(&self, frame: Frame) -> Pushed {
        match self.0.adopt(frame) {
            Ok(()) => Pushed::Credit,
            Err(_) => Pushed::Closed,
        }
    }

    fn peek(&self) -> Peek {
        self.0.peek()
    }

    fn has_credit(&self) -> bool {
        self.0.has_credit()
    }

    fn close(&self) {
        self.0.close();
    }

    fn counts(&self) -> ChannelCounts {
        self.0.counts()
    }

    fn len_rows(&self) -> u64 {
        self.0.len_rows()
    }

    fn len_bytes(&self) -> u64 {
        self.0.len_bytes()
    }
}
