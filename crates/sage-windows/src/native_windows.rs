//! Windows whose results are columns.

use sage_frame::{Frame, LayoutRegistry};
use sage_types::Result;

use crate::window_spec::malformed;
use crate::{NativeAccumulators, WindowSpec, WindowTable};

/// Windows of built-in aggregates.
///
/// Batches have the layout `{"key":K,"row":{"tup":[...]}}`, without the key on streams that have none; an aggregator's input is
/// the index of a column. Results have the layout `{"key":K,"row":{"tup":["f64","f64",...]}}`: start and end of the window,
/// and a column for each aggregator.
#[derive(Debug)]
pub struct NativeWindows {
    table: WindowTable<NativeAccumulators>,
}

impl NativeWindows {
    /// Windows without rows.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when the spec has no built-in aggregators, or one that cannot be merged.
    pub fn new(spec: &WindowSpec) -> Result<Self> {
        let aggregates = spec
            .aggregate_specs()?
            .ok_or_else(|| malformed("it has no built-in aggregators"))?;
        let table = WindowTable::new(spec, NativeAccumulators::new(aggregates)?)?;
        Ok(Self { table })
    }

    /// The bookkeeping.
    #[must_use]
    pub const fn table(&self) -> &WindowTable<NativeAccumulators> {
        &self.table
    }

    /// The bookkeeping, to add rows to.
    pub const fn table_mut(&mut self) -> &mut WindowTable<NativeAccumulators> {
        &mut self.table
    }

    /// The next results that are due, at most `max_results`, and fewer when keys are long; none when nothing is due.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` when the registry is full, `SAGE_LIMIT_BATCH` when a single key has 2 GiB, also
    /// `SAGE_FORMAT_BATCH` when a frame would have more rows than one can have.
    pub fn fire(&mut self, max_results: usize, registry: &LayoutRegistry) -> Result<Option<Frame>> {
        self.table.fire(max_results);
        self.table
            .take(|accumulators, keys| accumulators.take_results(keys, max_results, registry))
    }
}
