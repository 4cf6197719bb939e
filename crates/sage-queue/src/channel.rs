//! One physical edge in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use sage_types::PlantedBug;

use crate::credited::Credited;
use crate::end_kind::EndKind;
use crate::sync::Mutex;
use crate::waker::Waker;

/// How much a channel holds before its producer has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records; at least 1.
    pub max_rows: u64,
    /// Bytes; at least 1.
    pub max_bytes: u64,
}

/// Everything that went through a channel since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// Records pushed.
    pub sent_rows: u64,
    /// Frames pushed.
    pub sent_batches: u64,
    /// Bytes pushed.
    pub sent_bytes: u64,
    /// Records popped.
    pub received_rows: u64,
    /// Frames popped.
    pub received_batches: u64,
    /// Bytes popped.
    pub received_bytes: u64,
}

/// Why a push was refused; the item comes back.
#[derive(Debug, PartialEq, Eq)]
pub enum PushError<T> {
    /// No credit: the producer is woken when the channel is below half.
    Full(T),
    /// The channel is closed or has been ended; nothing will be taken any more.
    Closed(T),
}

/// What [`Channel::try_pop`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Pop<T> {
    /// The oldest item.
    Item(T),
    /// Nothing now; the consumer is woken when that changes.
    Empty,
    /// Everything was taken and nothing follows.
    Ended(EndKind),
    /// The channel was closed; what it held is gone.
    Closed,
}

/// What [`Channel::peek`] found: [`Pop`] without taking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peek {
    /// There is an item.
    Item,
    /// Nothing now.
    Empty,
    /// Everything was taken and nothing follows.
    Ended(EndKind),
    /// The channel was closed.
    Closed,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    rows: u64,
    bytes: u64,
    ended: Option<EndKind>,
    closed: bool,
    /// Set when the channel reaches a limit, cleared when the producer is woken below half: so a producer that has seen
    /// "no credit" always has a wake-up coming.
    owes_wake: bool,
    counts: ChannelCounts,
}

/// One physical edge in memory: a FIFO bounded by rows and bytes. Used by one producer and one consumer, safe from any
/// thread.
///
/// A mutex is enough: a hop is paid per batch of about a thousand records, so that it costs around one nanosecond a record.
pub struct Channel<T> {
    state: Mutex<State<T>>,
    limits: Limits,
    consumer: Arc<dyn Waker>,
    producer: Arc<dyn Waker>,
}

impl<T: Credited> Channel<T> {
    /// An empty channel. `consumer` is woken on empty to non-empty, end and close; `producer` when a full channel falls
    /// below half, and on close. Limits below 1 are taken as 1.
    pub fn new(limits: Limits, consumer: Arc<dyn Waker>, producer: Arc<dyn Waker>) -> Self {
        let limits = Limits {
            max_rows: limits.max_rows.max(1),
            max_bytes: limits.max_bytes.max(1),
        };
        let state = State {
            items: VecDeque::new(),
            rows: 0,
            bytes: 0,
            ended: None,
            closed: false,
            owes_wake: false,
            counts: ChannelCounts::default(),
        };
        Self {
            state: Mutex::new(state),
            limits,
            consumer,
            producer,
        }
    }

    /// Whether a push would be taken now: rows and bytes are both below their limits, so that an over-large item passes
    /// too. A closed or ended channel has no credit.
    pub fn has_credit(&self) -> bool {
        self.credit_left(&self.state.lock())
    }

    /// Appends `item`, or gives it back.
    ///
    /// # Errors
    /// [`PushError::Full`] without credit, [`PushError::Closed`] after [`Channel::close`] or [`Channel::end`].
    pub fn try_push(&self, item: T) -> Result<(), PushError<T>> {
        let mut state = self.state.lock();
        if state.closed || state.ended.is_some() {
            return Err(PushError::Closed(item));
        }
        if !self.credit_left(&state) {
            return Err(PushError::Full(item));
        }
        let was_empty = self.append(&mut state, item);
        drop(state);
        if was_empty {
            self.consumer.wake();
        }
        Ok(())
    }

    /// Appends `item` whatever the fill: for what a task had already computed when the credit ran out. Returns whether
    /// there is credit left; `Err` gives the item back when the channel is closed or ended.
    ///
    /// # Errors
    /// [`PushError::Closed`], never [`PushError::Full`].
    pub fn push_over(&self, item: T) -> Result<bool, PushError<T>> {
        let mut state = self.state.lock();
        if state.closed || state.ended.is_some() {
            return Err(PushError::Closed(item));
        }
        let was_empty = self.append(&mut state, item);
        let credit = self.credit_left(&state);
        drop(state);
        if was_empty {
            self.consumer.wake();
        }
        Ok(credit)
    }

    /// Says that nothing follows. The first call counts; later ones, and calls after a close, do nothing.
    pub fn end(&self, kind: EndKind) {
        let mut state = self.state.lock();
        if state.closed || state.ended.is_some() {
            return;
        }
        state.ended = Some(kind);
        drop(state);
        self.consumer.wake();
    }

    /// Takes the oldest item, or says why there is none.
    pub fn try_pop(&self) -> Pop<T> {
        self.try_pop_part(u64::MAX, |_, _| None)
    }

    /// Takes the oldest item; of one that has more than `max_rows`, only that many, if `split` can divide it there. The rest
    /// stays the oldest.
    pub fn try_pop_part(&self, max_rows: u64, split: impl FnOnce(&T, u64) -> Option<(T, T)>) -> Pop<T> {
        let mut state = self.state.lock();
        let Some(item) = state.items.pop_front() else {
            return match Self::without_items(&state) {
                Peek::Closed => Pop::Closed,
                Peek::Ended(kind) => Pop::Ended(kind),
                Peek::Item | Peek::Empty => Pop::Empty,
            };
        };
        let item = match split_above(item, max_rows, split) {
            Split::Whole(item) => item,
            Split::Parts { bytes, first, rest } => {
                let parts_bytes = first.credit_bytes() + rest.credit_bytes();
                state.bytes = state.bytes - bytes + parts_bytes;
                state.counts.sent_bytes = state.counts.sent_bytes - bytes + parts_bytes;
                state.counts.sent_batches += 1;
                state.items.push_front(rest);
                first
            }
        };
        let (rows, bytes) = (item.credit_rows(), item.credit_bytes());
        state.rows -= rows;
        state.bytes -= bytes;
        state.counts.received_rows += rows;
        state.counts.received_bytes += bytes;
        state.counts.received_batches += 1;
        let wake = self.settles_wake(&mut state);
        drop(state);
        if wake {
            self.producer.wake();
        }
        Pop::Item(item)
    }

    /// Takes the youngest `rows` records out again, oldest first, as if they had never been sent here; fewer where `split`
    /// cannot divide an item.
    pub fn take_back(&self, rows: u64, split: impl Fn(&T, u64) -> Option<(T, T)>) -> Vec<T> {
        let mut taken = Vec::new();
        let mut left = rows;
        let mut state = self.state.lock();
        while left > 0 {
            let Some(item) = state.items.pop_back() else { break };
            let stays = item.credit_rows().saturating_sub(left);
            let item = if stays == 0 {
                state.counts.sent_batches -= 1;
                item
            } else if let Some((first, rest)) = split(&item, stays) {
                state.bytes = state.bytes - item.credit_bytes() + first.credit_bytes() + rest.credit_bytes();
                state.counts.sent_bytes = state.counts.sent_bytes - item.credit_bytes()
                    + first.credit_bytes()
                    + rest.credit_bytes();
                state.items.push_back(first);
                rest
            } else {
                state.items.push_back(item);
                break;
            };
            let (item_rows, bytes) = (item.credit_rows(), item.credit_bytes());
            left = left.saturating_sub(item_rows);
            state.rows -= item_rows;
            state.bytes -= bytes;
            state.counts.sent_rows -= item_rows;
            state.counts.sent_bytes -= bytes;
            taken.push(item);
        }
        let wake = self.settles_wake(&mut state);
        drop(state);
        if wake {
            self.producer.wake();
        }
        taken.reverse();
        taken
    }

    /// Appends what [`Channel::take_back`] gave of another channel of the same producer, also when that has ended.
    ///
    /// # Errors
    /// [`PushError::Closed`] after [`Channel::close`].
    pub fn adopt(&self, item: T) -> Result<(), PushError<T>> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(PushError::Closed(item));
        }
        let was_empty = self.append(&mut state, item);
        drop(state);
        if was_empty {
            self.consumer.wake();
        }
        Ok(())
    }

    /// What [`Channel::try_pop`] would find.
    pub fn peek(&self) -> Peek {
        let state = self.state.lock();
        if state.items.is_empty() {
            Self::without_items(&state)
        } else {
            Peek::Item
        }
    }

    /// Drops what is queued and lets nothing in or out any more; both sides are woken. Idempotent, from any thread.
    pub fn close(&self) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.closed = true;
        state.rows = 0;
        state.bytes = 0;
        let dropped = std::mem::take(&mut state.items);
        drop(state);
        // Frames go back to their pool here: not under the lock.
        drop(dropped);
        self.consumer.wake();
        self.producer.wake();
    }

    /// Whether [`Channel::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Records in the channel.
    pub fn len_rows(&self) -> u64 {
        self.state.lock().rows
    }

    /// Bytes in the channel.
    pub fn len_bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    /// Everything sent and received so far, read at one moment.
    pub fn counts(&self) -> ChannelCounts {
        self.state.lock().counts
    }

    /// The limits it was made with.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    fn credit_left(&self, state: &State<T>) -> bool {
        !state.closed
            && state.ended.is_none()
            && (state.rows < self.limits.max_rows
                || (state.rows == self.limits.max_rows && PlantedBug::QueueTakesOneMore.is_planted()))
            && state.bytes < self.limits.max_bytes
    }

    /// Whether the producer is to be woken, as the channel has fallen below half.
    fn settles_wake(&self, state: &mut State<T>) -> bool {
        // Two parts may have more bytes than the whole had.
        self.note_full(state);
        let below_half = state.rows <= self.limits.max_rows / 2 && state.bytes <= self.limits.max_bytes / 2;
        let wake = state.owes_wake && below_half;
        if wake || PlantedBug::LostWakeUp.is_planted() {
            state.owes_wake = false;
        }
        wake
    }

    /// Whether the channel was empty before.
    fn append(&self, state: &mut State<T>, item: T) -> bool {
        let was_empty = state.items.is_empty();
        let superseded = state.items.back().is_some_and(|older| item.supersedes(older));
        if superseded && let Some(older) = state.items.pop_back() {
            let (rows, bytes) = (older.credit_rows(), older.credit_bytes());
            state.rows -= rows;
            state.bytes -= bytes;
            state.counts.sent_rows -= rows;
            state.counts.sent_bytes -= bytes;
            state.counts.sent_batches -= 1;
        }
        let (rows, bytes) = (item.credit_rows(), item.credit_bytes());
        state.rows += rows;
        state.bytes += bytes;
        state.counts.sent_rows += rows;
        state.counts.sent_bytes += bytes;
        state.counts.sent_batches += 1;
        let place = state.items.len();
        state.items.push_back(item);
        if rows == 0 && place > 0 && PlantedBug::BarrierOvertakesRecords.is_planted() {
            state.items.swap(place - 1, place);
        }
        self.note_full(state);
        was_empty
    }

    fn note_full(&self, state: &mut State<T>) {
        if state.rows >= self.limits.max_rows || state.bytes >= self.limits.max_bytes {
            state.owes_wake = true;
        }
    }

    fn without_items(state: &State<T>) -> Peek {
        match (state.closed, state.ended) {
            (true, _) => Peek::Closed,
            (false, Some(kind)) => Peek::Ended(kind),
            (false, None) => Peek::Empty,
        }
    }
}

/// What [`split_above`] gives.
enum Split<T> {
    Whole(T),
    /// And how many bytes the whole had.
    Parts {
        bytes: u64,
        first: T,
        rest: T,
    },
}

fn split_above<T: Credited>(
    item: T,
    max_rows: u64,
    split: impl FnOnce(&T, u64) -> Option<(T, T)>,
) -> Split<T> {
    if item.credit_rows() > max_rows
        && let Some((first, rest)) = split(&item, max_rows)
    {
        return Split::Parts {
            bytes: item.credit_bytes(),
            first,
            rest,
        };
    }
    Split::Whole(item)
}

impl<T> std::fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
