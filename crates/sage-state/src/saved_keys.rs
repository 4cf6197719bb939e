//! The keys of a table in a checkpoint.

use sage_types::{ErrorCode, Result, SageError};

use crate::KeyTable;
use crate::keyed_payload::{KeyedPayload, saved_entries};
use crate::pack_keys::split_canonical;
use crate::packed_key::PackedKey;
use crate::saved_bytes::{SavedBytes, damaged};

impl KeyTable {
    /// The slot of the key with these canonical bytes, which gets one if it has none; whether it is new.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED` when they are not those of a key, `SAGE_INTERNAL` when there are [`crate::MAX_SLOTS`] keys.
    pub fn slot_or_add(&mut self, canonical: &[u8]) -> Result<(u32, bool)> {
        let raw = split_canonical(canonical).ok_or_else(|| damaged("a key is not in canonical form"))?;
        if let Some(slot) = self.slot_of(canonical) {
            return Ok((slot, false));
        }
        let key = PackedKey::new(raw, self.seed());
        let hash = key.index_hash(self.seed());
        Ok((self.add(key, hash, || raw)?, true))
    }

    /// The slot of a key that is not there yet.
    ///
    /// # Errors
    /// As [`KeyTable::slot_or_add`]; also `SAGE_CHECKPOINT_DAMAGED` when it is there.
    pub fn add_new(&mut self, canonical: &[u8]) -> Result<u32> {
        match self.slot_or_add(canonical)? {
            (slot, true) => Ok(slot),
            (_, false) => Err(damaged("a key is there twice")),
        }
    }

    /// All keys, each with its slot.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` for a key of 4 GiB.
    pub fn save(&self, key_groups: u32) -> Result<Vec<u8>> {
        self.save_slots(key_groups, self.live_slots())
    }

    /// As [`KeyTable::save`], of some slots, in their order; nothing of those that have no key.
    ///
    /// # Errors
    /// As [`KeyTable::save`].
    pub fn save_slots(&self, key_groups: u32, slots: impl IntoIterator<Item = u32>) -> Result<Vec<u8>> {
        let mut payload = KeyedPayload::new(key_groups);
        let mut key = Vec::new();
        for slot in slots {
            key.clear();
            if self.append_key(slot, true, &mut key).is_some() {
                payload.put(&key, &slot.to_le_bytes())?;
            }
        }
        Ok(payload.into_bytes())
    }

    /// Gives the keys of [`KeyTable::save`] slots, in the order of those that they had; the slot of each entry. The table has
    /// never had keys.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`; `SAGE_INTERNAL` when the table has had keys. It is of no use then.
    pub fn restore(&mut self, payload: &[u8]) -> Result<Vec<u32>> {
        self.check_unused()?;
        let mut entries = Vec::new();
        for (key, value) in saved_entries(payload)? {
            let mut value = SavedBytes::new(value);
            let slot = value.u32()?;
            value.end()?;
            entries.push((slot, key, entries.len()));
        }
        // Several instances of before have the same slots: theirs follow one another in any order.
        entries.sort_by_key(|&(slot, ..)| slot);
        let mut slots = vec![0; entries.len()];
        for (_, key, index) in entries {
            slots[index] = self.add_new(key)?;
        }
        Ok(slots)
    }

    /// Slots that have a key.
    pub fn live_slots(&self) -> impl Iterator<Item = u32> + '_ {
        let slots = u32::try_from(self.slot_count()).unwrap_or(u32::MAX);
        (0..slots).filter(|&slot| self.is_live(slot))
    }

    /// State is restored before anything else comes to it.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when the table has had keys.
    pub fn check_unused(&self) -> Result<()> {
        if self.slot_count() == 0 {
            return Ok(());
        }
        Err(SageError::new(
            ErrorCode::Internal,
            "state was restored into what has had keys",
        ))
    }
}
