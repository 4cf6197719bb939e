//! Dense panes in a checkpoint: number of the key, how many panes, and of each its number and its accumulator.

use sage_state::{SavedBytes, damaged};
use sage_types::Result;

use super::{DensePane, DensePanes};
use crate::PaneAccumulators;
use crate::saved_key::{KeySink, saved_number, saved_some};

impl DensePanes {
    /// Writes what there is of a key.
    pub(crate) fn save_key(&self, slot: u32, sink: &mut impl KeySink) {
        let key = self.keys.get(slot);
        sink.word(key.number);
        sink.word(u64::from(key.panes));
        for pane in &self.panes {
            if let Some(accumulator) = pane.find(slot, &self.pages) {
                sink.signed(pane.number);
                sink.accumulator(accumulator, pane.number as f64, pane.number as f64);
            }
        }
    }

    /// Reads what [`DensePanes::save_key`] wrote behind the number, for a slot that there is room for.
    pub(crate) fn restore_key<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<()> {
        let mut before = i64::MIN;
        let count = saved_some(saved)?;
        for _ in 0..count {
            let number = saved_number(saved)?;
            if number <= before {
                return Err(damaged("panes are out of order"));
            }
            before = number;
            let bytes = saved.take(accumulators.saved_len())?;
            let at = self.panes.partition_point(|pane| pane.number < number);
            if self.panes.get(at).is_none_or(|pane| pane.number != number) {
                self.panes.insert(at, DensePane::new(number));
            }
            let accumulator = self.panes[at].add(slot, &mut self.pages);
            accumulators.restore(accumulator, bytes);
        }
        let key = self.keys.get_mut(slot);
        key.number = self.next_number;
        key.panes = u32::try_from(count).map_err(|_| damaged("a key has too many panes"))?;
        self.next_number += 1;
        Ok(())
    }
}
