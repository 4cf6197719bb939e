//! Writing states to the store that stay in memory.

use sage_types::Result;

use crate::KeyedStateTable;
use crate::keyed_state_table::misused;

impl KeyedStateTable {
    /// Writes slot and state of values that the store does not have yet to `pairs`, two numbers each, from a slot on. How
    /// many values, and the slot to go on with, if there may be more. What was removed is removed from the store.
    ///
    /// # Errors
    /// Those of the store; `SAGE_INTERNAL` while a batch is at work, or when `pairs` has no room for the states of a slot.
    pub fn dirty(&mut self, from_slot: u32, pairs: &mut [i32]) -> Result<(usize, Option<u32>)> {
        self.check_open(false)?;
        let states = usize::from(self.cells.states());
        if pairs.len() < states * 2 {
            return Err(misused("there is no room for the states of a slot"));
        }
        let mut found = 0;
        let slots = u32::try_from(self.keys.slot_count()).unwrap_or(u32::MAX);
        let mut next = None;
        for slot in from_slot..slots {
            if (found + states) * 2 > pairs.len() {
                next = Some(slot);
                break;
            }
            self.write_removals(slot);
            for state in 0..self.cells.states() {
                let cell = self.cells.cell(slot, state);
                if cell.present && cell.dirty {
                    pairs[found * 2] = slot.cast_signed();
                    pairs[found * 2 + 1] = i32::from(state);
                    found += 1;
                }
            }
        }
        self.submit()?;
        Ok((found, next))
    }

    /// Writes values that [`KeyedStateTable::dirty`] gave to the store; they stay in memory.
    ///
    /// # Errors
    /// As [`KeyedStateTable::finish`].
    pub fn store(&mut self, pairs: &[i32], ends: &[i32], data: &[u8]) -> Result<()> {
        self.check_open(false)?;
        let pairs: Vec<(u32, u8)> = pairs
            .chunks(2)
            .map(|pair| {
                let &[slot, state] = pair else {
                    return Err(misused("a value has no slot and state"));
                };
                let (slot, state) = (slot.cast_unsigned(), self.state(state)?);
                if !self.keys.is_live(slot) || !self.cells.cell(slot, state).present {
                    return Err(misused("a slot has no such value").with("slot", slot));
                }
                Ok((slot, state))
            })
            .collect::<Result<_>>()?;
        self.write_values(&pairs, ends, data)?;
        self.submit()
    }
}
