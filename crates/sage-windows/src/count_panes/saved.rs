//! Windows of elements in a checkpoint: number of the key, its elements so far, and its panes. The rest follows from the elements.

use sage_state::{SavedBytes, damaged};
use sage_types::Result;

use super::{CountPanes, CountedKey, element};
use crate::PaneAccumulators;
use crate::key_panes::KeyPanes;
use crate::saved_key::{KeySink, saved_some};

impl CountPanes {
    /// Writes what there is of a key.
    pub(crate) fn save_key(&self, slot: u32, sink: &mut impl KeySink) {
        let key = self.keys.get(slot);
        sink.word(key.number);
        sink.word(key.elements);
        key.panes.save(sink);
    }

    /// Reads what [`CountPanes::save_key`] wrote behind the number, for a slot that there is room for.
    pub(crate) fn restore_key<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<()> {
        let elements = saved_some(saved)?;
        let panes = KeyPanes::restore(false, saved, accumulators)?;
        let (pane, _, until) = self.grid.pane_at((elements - 1) as f64);
        let pane_until = element(until);
        let has_windows = self.grid.first_window(pane) <= self.grid.last_window(pane);
        let accumulator = panes.find(pane).filter(|_| has_windows);
        if accumulator.is_none() && has_windows && elements < pane_until {
            return Err(damaged("the pane at hand is not there"));
        }
        let completed = elements / self.slide;
        *self.keys.get_mut(slot) = CountedKey {
            panes,
            number: self.next_number,
            elements,
            pane,
            accumulator,
            pane_until,
            // Below 2^53.
            window: self.first_window + completed.cast_signed(),
            window_until: (completed + 1) * self.slide,
        };
        self.next_number += 1;
        Ok(())
    }
}
