//! Windows of built-in aggregates.

use sage_frame::{BatchView, Frame, LayoutRegistry};
use sage_state::{AggregateSpec, KeyTable, MergeableAggregates};
use sage_types::Result;

use crate::PaneAccumulators;
use crate::accumulator_ids::AccumulatorIds;
use crate::result_rows::ResultRows;

/// Rows that wait to be added together.
const MAX_WAITING: usize = 1 << 16;

/// Built-in aggregates by accumulator, as columns. Rows are added when something has to be read, or the batch is over, so that
/// each aggregator has a loop of its own over many rows.
#[derive(Debug)]
pub struct NativeAccumulators {
    ids: AccumulatorIds,
    aggregates: MergeableAggregates,
    waiting_rows: Vec<u32>,
    waiting_accumulators: Vec<u32>,
    results: ResultRows,
}

impl NativeAccumulators {
    /// No accumulators yet.
    ///
    /// # Errors
    /// As [`MergeableAggregates::new`].
    pub fn new(specs: Vec<AggregateSpec>) -> Result<Self> {
        Ok(Self {
            ids: AccumulatorIds::new(),
            aggregates: MergeableAggregates::new(specs)?,
            waiting_rows: Vec::new(),
            waiting_accumulators: Vec::new(),
            results: ResultRows::default(),
        })
    }

    /// Takes the next results, as many as make a batch. `keys` are those of the slots, for keyed streams.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` when the registry is full, `SAGE_LIMIT_BATCH` when a single key has 2 GiB.
    pub fn take_results(
        &mut self,
        keys: Option<&KeyTable>,
        max_rows: usize,
        registry: &LayoutRegistry,
    ) -> Result<Option<Frame>> {
        self.results
            .take(keys, self.aggregates.specs(), max_rows, registry)
    }

    #[inline]
    fn add_waiting(&mut self) {
        if !self.waiting_rows.is_empty() {
            self.aggregates
                .add(&self.waiting_rows, &self.waiting_accumulators);
            self.waiting_rows.clear();
            self.waiting_accumulators.clear();
        }
    }
}

impl PaneAccumulators for NativeAccumulators {
    fn merges_panes(&self) -> bool {
        true
    }

    fn max_panes_of_result(&self) -> i64 {
        // Neighbouring numbers are added up in no time.
        32
    }

    fn begin_batch(&mut self, view: &BatchView<'_>) -> Result<()> {
        self.aggregates.load(view)
    }

    fn end_batch(&mut self) {
        self.add_waiting();
    }

    fn key(&mut self, _: u32, _: u32) {}

    fn drop_key(&mut self, _: u32) {}

    fn ids(&mut self) -> &mut AccumulatorIds {
        &mut self.ids
    }

    #[inline]
    fn init(&mut self, accumulator: u32) {
        // No row waits for it: what waited for the one before was added when that was forgotten.
        self.aggregates.init(accumulator);
    }

    #[inline]
    fn add(&mut self, row: u32, accumulator: u32) {
        self.waiting_rows.push(row);
        self.waiting_accumulators.push(accumulator);
        if self.waiting_rows.len() >= MAX_WAITING {
            self.add_waiting();
        }
    }

    fn merge(&mut self, into: u32, from: u32) {
        self.add_waiting();
        self.aggregates.merge(into, from);
    }

    fn stands_for(&mut self, _: u32, _: u32, _: f64, _: f64) {}

    fn emit(&mut self, accumulators: &[u32], slot: u32, start: f64, end: f64) {
        self.add_waiting();
        self.results.push(slot, start, end);
        self.aggregates
            .append_results(accumulators, &mut self.results.values);
    }

    #[inline]
    fn forget(&mut self, _: u32) {
        self.add_waiting();
    }

    fn saved_len(&self) -> usize {
        self.aggregates.saved_len()
    }

    fn save(&self, accumulator: u32, into: &mut Vec<u8>) {
        // No row waits between batches.
        self.aggregates.save(accumulator, into);
    }

    fn restore(&mut self, accumulator: u32, saved: &[u8]) {
        self.aggregates.restore(accumulator, saved);
    }

    fn is_full(&self, max_results: usize) -> bool {
        self.results.len() >= max_results
    }

    fn is_taken(&self) -> bool {
        self.results.len() == 0
    }

    fn bytes_used(&self) -> usize {
        let waiting = self.waiting_rows.capacity() + self.waiting_accumulators.capacity();
        self.ids.bytes_used()
            + self.aggregates.bytes_used()
            + self.results.bytes_used()
            + waiting * size_of::<u32>()
    }
}
