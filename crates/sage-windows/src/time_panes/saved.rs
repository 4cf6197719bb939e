//! Time panes in a checkpoint: number of the key, the windows that fire and close next, and its panes.

use sage_state::SavedBytes;
use sage_types::Result;

use super::{NONE, TimePanes};
use crate::PaneAccumulators;
use crate::key_panes::KeyPanes;
use crate::saved_key::{KeySink, saved_number};

impl TimePanes {
    /// Writes what there is of a key.
    pub(crate) fn save_key(&self, slot: u32, sink: &mut impl KeySink) {
        let key = self.keys.get(slot);
        sink.word(key.number);
        sink.signed(key.next_fire);
        sink.signed(key.next_close);
        key.panes.save(sink);
    }

    /// Reads what [`TimePanes::save_key`] wrote behind the number, for a slot that there is room for.
    pub(crate) fn restore_key<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<()> {
        let next_fire = saved_window(saved)?;
        let next_close = saved_window(saved)?;
        let panes = KeyPanes::restore(true, saved, accumulators)?;
        let key = self.keys.get_mut(slot);
        key.number = self.next_number;
        (key.next_fire, key.next_close) = (next_fire, next_close);
        key.panes = panes;
        self.next_number += 1;
        if next_fire != NONE {
            self.fires.push(next_fire, slot);
        }
        if next_close != NONE {
            self.closes.push(next_close, slot);
        }
        Ok(())
    }
}

/// The number of a window, or none.
fn saved_window(saved: &mut SavedBytes<'_>) -> Result<i64> {
    if saved.clone().i64()? == NONE {
        return saved.i64();
    }
    saved_number(saved)
}
