//! Looking a state up from outside.

use sage_types::Result;

use crate::KeyedStateTable;

/// Where a state of a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundState {
    /// In memory, in this slot.
    Slot(u32),
    /// On disk, encoded.
    Bytes(Vec<u8>),
    /// It has no value.
    Absent,
}

impl KeyedStateTable {
    /// Where a state of a key is, whose canonical bytes are given.
    ///
    /// # Errors
    /// Those of the store; `SAGE_INTERNAL` when there is no such state.
    pub fn find(&self, now_ms: u64, canonical: &[u8], state: i32) -> Result<FoundState> {
        let state = self.state(state)?;
        let now_ms = self.now_ms.max(now_ms);
        if let Some(slot) = self.keys.slot_of(canonical) {
            let there = self.cells.cell(slot, state).present && self.cells.expiry(slot, state) > now_ms;
            return Ok(if there {
                FoundState::Slot(slot)
            } else {
                FoundState::Absent
            });
        }
        let mut found = FoundState::Absent;
        if let Some(disk) = &self.disk {
            disk.find(canonical, state, &mut |value| {
                if !value.is_expired(now_ms) {
                    found = FoundState::Bytes(value.bytes.to_vec());
                }
            })?;
        }
        Ok(found)
    }
}
