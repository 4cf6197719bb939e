//! The states of all aggregators of all slots.

use crate::aggregate_inputs::Input;
use crate::aggregate_kernels::{Avg, Count, First, Kernel, Last, Max, Min, Sum, accumulate, add_rows};
use crate::slot_rows::SlotRows;
use crate::{AggregateKind, AggregateSpec};

/// One aggregator: what it is, and where its state is among the words of a slot.
#[derive(Debug, Clone, Copy)]
struct Member {
    kind: AggregateKind,
    at: usize,
}

/// The states of all aggregators of all slots, those of one slot side by side: a row touches one or two cache lines,
/// however many aggregators there are.
#[derive(Debug)]
pub(crate) struct Accumulators {
    members: Vec<Member>,
    /// The words of a slot without input.
    start: Vec<f64>,
    states: SlotRows<f64>,
    /// Where the words are whether a slot is in `changed`.
    mark_at: Option<usize>,
    /// Slots that changed since they were last taken, in the order of their first change.
    changed: Vec<u32>,
    /// The words of a slot while it is merged.
    merging: Vec<f64>,
}

/// Calls `$call` with the kernel of a kind.
macro_rules! with_kernel {
    ($kind:expr, $call:ident $arguments:tt) => {
        match $kind {
            AggregateKind::Count => $call::<Count, 1> $arguments,
            AggregateKind::Sum => $call::<Sum, 1> $arguments,
            AggregateKind::Avg => $call::<Avg, 2> $arguments,
            AggregateKind::Min => $call::<Min, 1> $arguments,
            AggregateKind::Max => $call::<Max, 1> $arguments,
            AggregateKind::First => $call::<First, 1> $arguments,
            AggregateKind::Last => $call::<Last, 1> $arguments,
        }
    };
}

fn append_start<K: Kernel<N>, const N: usize>(words: &mut Vec<f64>) {
    words.extend_from_slice(&K::START);
}

fn result_of<K: Kernel<N>, const N: usize>(words: &[f64]) -> f64 {
    K::result(words)
}

fn merge_at<K: Kernel<N>, const N: usize>(at: usize, into: &mut [f64], from: &[f64]) {
    K::merge(&mut into[at..at + N], &from[at..at + N]);
}

fn merged_result<K: Kernel<N>, const N: usize>(states: &SlotRows<f64>, at: usize, slots: &[u32]) -> f64 {
    if let [slot] = *slots {
        return K::result(&states.row(slot)[at..at + N]);
    }
    let mut merged = K::START;
    for &slot in slots {
        K::merge(&mut merged, &states.row(slot)[at..at + N]);
    }
    K::result(&merged)
}

impl Accumulators {
    /// No slots yet.
    pub(crate) fn new(specs: &[AggregateSpec]) -> Self {
        let mut start = Vec::new();
        let mut members = Vec::with_capacity(specs.len());
        for spec in specs {
            members.push(Member {
                kind: spec.kind,
                at: start.len(),
            });
            with_kernel!(spec.kind, append_start(&mut start));
        }
        Self {
            members,
            states: SlotRows::new(start.len()),
            start,
            mark_at: None,
            changed: Vec::new(),
            merging: Vec::new(),
        }
    }

    /// Notes from now on which slots change. Before the first slot only.
    pub(crate) fn track_changes(&mut self) {
        if self.mark_at.is_none() && self.states.len() == 0 {
            self.mark_at = Some(self.start.len());
            self.start.push(0.0);
            self.states = SlotRows::new(self.start.len());
        }
    }

    /// Whether changes are noted.
    pub(crate) const fn tracks_changes(&self) -> bool {
        self.mark_at.is_some()
    }

    /// Number of slots.
    pub(crate) const fn len(&self) -> usize {
        self.states.len()
    }

    /// Makes room for slots up to `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        self.states.grow_to(slots, &self.start);
    }

    /// Adds a batch to one aggregator; see [`accumulate`]. There is room for all slots.
    pub(crate) fn accumulate(
        &mut self,
        member: usize,
        slots: &[u32],
        input: &Input<'_>,
        emit: impl FnMut(f64),
    ) {
        let Member { kind, at } = self.members[member];
        with_kernel!(kind, accumulate(&mut self.states, at, slots, input, emit));
    }

    /// Adds rows of a column of inputs, empty for none, each to the state of a slot. There is room for all slots.
    pub(crate) fn add_rows(&mut self, member: usize, rows: &[u32], slots: &[u32], column: &[f64]) {
        let Member { kind, at } = self.members[member];
        with_kernel!(kind, add_rows(&mut self.states, at, rows, slots, column));
    }

    /// Adds what a slot has to another, as if it had come later.
    pub(crate) fn merge(&mut self, into: u32, from: u32) {
        let mut words = std::mem::take(&mut self.merging);
        words.clear();
        words.extend_from_slice(self.states.row(from));
        let row = self.states.row_mut(into);
        for &Member { kind, at } in &self.members {
            with_kernel!(kind, merge_at(at, row, &words));
        }
        self.merging = words;
    }

    /// Appends the results of some slots taken together, in this order; empty for null.
    pub(crate) fn append_results(&self, slots: &[u32], results: &mut Vec<f64>) {
        for &Member { kind, at } in &self.members {
            results.push(with_kernel!(kind, merged_result(&self.states, at, slots)));
        }
    }

    /// Notes that these slots have changed.
    pub(crate) fn note_changed(&mut self, slots: &[u32]) {
        let Some(at) = self.mark_at else {
            return;
        };
        for &slot in slots {
            let mark = &mut self.states.part_mut::<1>(slot, at)[0];
            if *mark == 0.0 {
                *mark = 1.0;
                self.changed.push(slot);
            }
        }
    }

    /// Slots that changed since they were last taken.
    pub(crate) fn changed(&self) -> &[u32] {
        &self.changed
    }

    /// Takes the first `count` changed slots off the list.
    pub(crate) fn forget_changed(&mut self, count: usize) {
        let Some(at) = self.mark_at else {
            return;
        };
        for slot in self.changed.drain(..count) {
            self.states.part_mut::<1>(slot, at)[0] = 0.0;
        }
    }

    /// The result of an aggregator for a slot; empty for null.
    pub(crate) fn result(&self, member: usize, slot: u32) -> f64 {
        let Member { kind, at } = self.members[member];
        let words = &self.states.row(slot)[at..];
        with_kernel!(kind, result_of(words))
    }

    /// Makes a slot as if it had never had input. It stays in the list of changed slots, so that it is there once when
    /// it is used again.
    pub(crate) fn reset(&mut self, slot: u32) {
        if slot as usize >= self.states.len() {
            return;
        }
        let words = self.mark_at.unwrap_or(self.start.len());
        for (at, &word) in self.start[..words].iter().enumerate() {
            self.states.part_mut::<1>(slot, at)[0] = word;
        }
    }

    /// Words of the aggregators of a slot.
    fn words(&self) -> usize {
        self.mark_at.unwrap_or(self.start.len())
    }

    /// Bytes that [`Accumulators::save`] appends.
    pub(crate) fn saved_len(&self) -> usize {
        self.words() * size_of::<f64>()
    }

    /// Appends the words of a slot, bit by bit.
    pub(crate) fn save(&self, slot: u32, into: &mut Vec<u8>) {
        for word in &self.states.row(slot)[..self.words()] {
            into.extend_from_slice(&word.to_bits().to_le_bytes());
        }
    }

    /// Takes what [`Accumulators::save`] gave. There is room for the slot.
    pub(crate) fn restore(&mut self, slot: u32, saved: &[u8]) {
        let words = saved.as_chunks::<8>().0;
        for (place, word) in self.states.row_mut(slot).iter_mut().zip(words) {
            *place = f64::from_bits(u64::from_le_bytes(*word));
        }
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        self.states.bytes_used()
            + self.members.capacity() * size_of::<Member>()
            + self.start.capacity() * size_of::<f64>()
            + self.changed.capacity() * size_of::<u32>()
            + self.merging.capacity() * size_of::<f64>()
    }
}
