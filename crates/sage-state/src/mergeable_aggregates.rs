//! Built-in aggregates by accumulator, which can be merged: what windows are made of.

use sage_frame::BatchView;
use sage_frame::presence::VALUE;
use sage_types::{ErrorCode, Result, SageError};

use crate::accumulators::Accumulators;
use crate::aggregate_inputs::{Input, aggregate_input};
use crate::aggregate_kernels::{EMPTY, is_empty};
use crate::{AggregateKind, AggregateSpec};

/// Whether a result stands for null. No input and no number that is computed from inputs looks like it.
#[must_use]
pub const fn is_no_result(result: f64) -> bool {
    is_empty(result)
}

/// The states of `count`, `sum`, `avg`, `min` and `max` by accumulator, a dense number that the caller gives. Unlike
/// [`crate::KeyedAggregate`] it knows no keys, and two states can be made one.
///
/// Sums are taken in the order of the rows, and of merged states in the order in which they are merged.
#[derive(Debug)]
pub struct MergeableAggregates {
    specs: Vec<AggregateSpec>,
    states: Accumulators,
    /// For each aggregator the inputs of the batch at hand; empty where every row counts.
    columns: Vec<Vec<f64>>,
}

impl MergeableAggregates {
    /// No accumulators yet.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when an aggregator other than `count` has no input, and for `first` and `last`: which input came
    /// first cannot be told from two states.
    pub fn new(specs: Vec<AggregateSpec>) -> Result<Self> {
        AggregateSpec::check_inputs(&specs)?;
        let by_arrival =
            |spec: &&AggregateSpec| matches!(spec.kind, AggregateKind::First | AggregateKind::Last);
        if let Some(spec) = specs.iter().find(by_arrival) {
            return Err(SageError::new(
                ErrorCode::FormatGraph,
                format!("malformed aggregate: {} cannot be merged", spec.kind.as_str()),
            ));
        }
        Ok(Self {
            states: Accumulators::new(&specs),
            columns: vec![Vec::new(); specs.len()],
            specs,
        })
    }

    /// The aggregators, one result for each.
    #[must_use]
    pub fn specs(&self) -> &[AggregateSpec] {
        &self.specs
    }

    /// Takes the inputs of a batch, the rows of [`MergeableAggregates::add`].
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` when the batch lacks a column, `SAGE_AGGREGATE_INPUT` when a column does not hold numbers. The
    /// batch before is then still there.
    pub fn load(&mut self, view: &BatchView<'_>) -> Result<()> {
        let inputs = self
            .specs
            .iter()
            .map(|spec| aggregate_input(view, spec))
            .collect::<Result<Vec<_>>>()?;
        for (column, input) in self.columns.iter_mut().zip(inputs) {
            column.clear();
            match input {
                Input::Rows => {}
                Input::Absent => column.resize(view.rows(), EMPTY),
                Input::Numbers { values, presence } => fill(column, &values, presence),
            }
        }
        Ok(())
    }

    /// Makes an accumulator empty, whatever it was before.
    pub fn init(&mut self, accumulator: u32) {
        let accumulators = accumulator as usize + 1;
        if self.states.len() < accumulators {
            self.states.grow_to(accumulators);
        } else {
            self.states.reset(accumulator);
        }
    }

    /// Adds rows of the batch at hand, each to an accumulator that has been made, in order.
    pub fn add(&mut self, rows: &[u32], accumulators: &[u32]) {
        for (member, column) in self.columns.iter().enumerate() {
            self.states.add_rows(member, rows, accumulators, column);
        }
    }

    /// Adds the state of an accumulator to another, as if its rows had come later.
    pub fn merge(&mut self, into: u32, from: u32) {
        self.states.merge(into, from);
    }

    /// Appends the results of some accumulators taken together, one for each aggregator; see [`is_no_result`].
    pub fn append_results(&self, accumulators: &[u32], results: &mut Vec<f64>) {
        self.states.append_results(accumulators, results);
    }

    /// Bytes of an accumulator in a checkpoint.
    #[must_use]
    pub fn saved_len(&self) -> usize {
        self.states.saved_len()
    }

    /// Appends the state of an accumulator, bit by bit.
    pub fn save(&self, accumulator: u32, into: &mut Vec<u8>) {
        self.states.save(accumulator, into);
    }

    /// Makes an accumulator of what [`MergeableAggregates::save`] gave, whatever it was before.
    pub fn restore(&mut self, accumulator: u32, saved: &[u8]) {
        self.init(accumulator);
        self.states.restore(accumulator, saved);
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        let columns: usize = self.columns.iter().map(Vec::capacity).sum();
        self.states.bytes_used() + columns * size_of::<f64>()
    }
}

fn fill(column: &mut Vec<f64>, values: &[f64], presence: Option<&[u8]>) {
    // A NaN of the user may have any bits, and must not look like no value.
    let own = |value: f64| if value.is_nan() { f64::NAN } else { value };
    match presence {
        None => column.extend(values.iter().map(|&value| own(value))),
        Some(presence) => {
            let input = |(&value, &presence): (&f64, &u8)| if presence == VALUE { own(value) } else { EMPTY };
            column.extend(values.iter().zip(presence).map(input));
        }
    }
}
