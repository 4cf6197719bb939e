//! States of user functions in a checkpoint.
//!
//! An entry is a key and, of one state, `u64` when it expires and the bytes of its value. States in memory and states on disk have the
//! same entries: those in memory are written by JavaScript, which has the values.

use sage_store::{StoredValue, WriteBatch};
use sage_types::{KeyGroups, Result};

use crate::KeyedStateTable;
use crate::keyed_payload::{KeyedPayload, saved_entries};
use crate::keyed_state_table::misused;
use crate::pack_keys::split_canonical;
use crate::saved_bytes::{SavedBytes, damaged};
use crate::state_cells::Cell;

/// What is given to the store at a time.
const BATCH_BYTES: usize = 1 << 20;

/// An entry of a state.
struct SavedState<'a> {
    key: &'a [u8],
    value: StoredValue<'a>,
}

fn saved_states(payload: &[u8]) -> Result<Vec<SavedState<'_>>> {
    saved_entries(payload)?
        .into_iter()
        .map(|(key, value)| {
            let mut value = SavedBytes::new(value);
            let expires_at_ms = value.u64()?;
            let bytes = value.take_rest();
            if split_canonical(key).is_none() {
                return Err(damaged("a key is not in canonical form"));
            }
            Ok(SavedState {
                key,
                value: StoredValue { bytes, expires_at_ms },
            })
        })
        .collect()
}

impl KeyedStateTable {
    /// The keys in memory that have a value of a state, of any state if none is named: `u32` slot and `u64` when it expires. Those of any
    /// state include keys that are held and have no value; they never expire.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` while a batch is at work, or when there is no such state.
    pub fn keys_of(&self, now_ms: u64, state: Option<i32>, key_groups: u32) -> Result<Vec<u8>> {
        self.check_open(false)?;
        let state = state.map(|state| self.state(state)).transpose()?;
        let now_ms = self.now_ms.max(now_ms);
        let mut payload = KeyedPayload::new(key_groups);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for slot in self.keys.live_slots() {
            let expires_at_ms = match state {
                None => u64::MAX,
                Some(state) if !self.cells.cell(slot, state).present => continue,
                Some(state) => self.cells.expiry(slot, state),
            };
            if expires_at_ms <= now_ms {
                continue;
            }
            key.clear();
            value.clear();
            self.keys.append_canonical(slot, &mut key);
            value.extend_from_slice(&slot.to_le_bytes());
            value.extend_from_slice(&expires_at_ms.to_le_bytes());
            payload.put(&key, &value)?;
        }
        Ok(payload.into_bytes())
    }

    /// The entries of a state on disk, of all keys of this instance. The store has all values before: [`KeyedStateTable::dirty`].
    ///
    /// # Errors
    /// `SAGE_INTERNAL` while a batch is at work, when there is no such state or no store, and when the store lacks a value; those of the
    /// store.
    pub fn entries(&mut self, now_ms: u64, state: i32, instance: u32, parallelism: u32) -> Result<Vec<u8>> {
        self.check_open(false)?;
        let state = self.state(state)?;
        let now_ms = self.now_ms.max(now_ms);
        if self.disk.is_none() {
            return Err(misused("states in memory are written by who has their values"));
        }
        self.check_stored(now_ms)?;
        let Some(disk) = &self.disk else {
            return Ok(Vec::new());
        };
        let mut payload = KeyedPayload::new(disk.key_groups());
        let groups = KeyGroups::new(disk.key_groups(), parallelism);
        let mut saved = Vec::new();
        for group in (0..groups.key_groups()).filter(|&group| groups.instance_of_group(group) == instance) {
            disk.scan_group(group, state, &mut |key, value| {
                if value.is_expired(now_ms) {
                    return Ok(());
                }
                saved.clear();
                saved.extend_from_slice(&value.expires_at_ms.to_le_bytes());
                saved.extend_from_slice(value.bytes);
                payload.put(key, &saved)
            })?;
        }
        Ok(payload.into_bytes())
    }

    /// Whether the store has all values of the keys in memory; what was removed is removed there. Found out once for all states and groups
    /// that are read behind each other.
    fn check_stored(&mut self, now_ms: u64) -> Result<()> {
        if self.is_stored {
            return Ok(());
        }
        for slot in 0..u32::try_from(self.keys.slot_count()).unwrap_or(u32::MAX) {
            if !self.keys.is_live(slot) {
                continue;
            }
            self.write_removals(slot);
            for state in 0..self.cells.states() {
                let cell = self.cells.cell(slot, state);
                if cell.present && cell.dirty && self.cells.expiry(slot, state) > now_ms {
                    return Err(misused("the store lacks a value that has to be saved").with("slot", slot));
                }
            }
        }
        self.submit()?;
        self.is_stored = true;
        Ok(())
    }

    /// Takes the entries of a state: into the store where there is one, else into memory, where each gets a slot; -1 for those that have
    /// expired and for those in the store. The owner of the values has those in memory.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`; `SAGE_INTERNAL` while a batch is at work, when there is no such state, and when keys are in memory of
    /// a table with a store; those of the store.
    pub fn restore(&mut self, now_ms: u64, state: i32, payload: &[u8]) -> Result<Vec<i32>> {
        self.check_open(false)?;
        let state = self.state(state)?;
        self.now_ms = self.now_ms.max(now_ms);
        let saved = saved_states(payload)?;
        if self.disk.is_some() {
            self.restore_to_disk(state, &saved)?;
            return Ok(vec![-1; saved.len()]);
        }
        self.resident.next_batch();
        let slots = saved
            .iter()
            .map(|saved| self.restore_to_memory(state, saved))
            .collect();
        self.resident.next_batch();
        slots
    }

    fn restore_to_disk(&mut self, state: u8, saved: &[SavedState<'_>]) -> Result<()> {
        if !self.keys.is_empty() {
            return Err(misused("states were restored after keys had come"));
        }
        let now_ms = self.now_ms;
        let Some(disk) = &mut self.disk else {
            return Ok(());
        };
        let mut batch = WriteBatch::new();
        for saved in saved.iter().filter(|saved| !saved.value.is_expired(now_ms)) {
            disk.check_key_bytes(saved.key.len())?;
            disk.put_into(&mut batch, saved.key, state, saved.value);
            if batch.byte_len() >= BATCH_BYTES {
                disk.submit_batch(std::mem::take(&mut batch))?;
            }
        }
        disk.submit_batch(batch)
    }

    fn restore_to_memory(&mut self, state: u8, saved: &SavedState<'_>) -> Result<i32> {
        let now_ms = self.now_ms;
        if saved.value.is_expired(now_ms) {
            return Ok(-1);
        }
        let (slot, _) = self.keys.slot_or_add(saved.key)?;
        self.grow();
        self.touch(slot);
        if self.cells.cell(slot, state).present {
            return Err(damaged("a key is there twice"));
        }
        let bytes = u32::try_from(saved.value.bytes.len()).unwrap_or(u32::MAX);
        *self.cells.cell_mut(slot, state) = Cell {
            bytes,
            present: true,
            dirty: true,
            stored: false,
        };
        let (expires_at_ms, _) = self
            .cells
            .expiry_of_loaded(state, saved.value.expires_at_ms, now_ms);
        self.cells.set_expiry(slot, state, expires_at_ms);
        self.resident.resize(slot, 0, bytes);
        Ok(slot.cast_signed())
    }

    /// As [`KeyedStateTable::begin`], of the keys of a payload: such as those of timers, which then can be held. How many there are.
    ///
    /// # Errors
    /// As [`KeyedStateTable::begin`]; `SAGE_CHECKPOINT_DAMAGED`.
    pub fn begin_keys(&mut self, now_ms: u64, payload: &[u8], slots: &mut [i32]) -> Result<usize> {
        let entries = saved_entries(payload)?;
        if slots.len() < entries.len() {
            return Err(misused("there is no room for the slots of keys").with("keys", entries.len()));
        }
        // Nothing has changed when a key makes no sense.
        if entries.iter().any(|(key, _)| split_canonical(key).is_none()) {
            return Err(damaged("a key is not in canonical form"));
        }
        self.begin_with(now_ms, entries.len(), slots, |keys, slots| {
            for ((key, _), slot) in entries.iter().zip(slots) {
                *slot = keys.slot_or_add(key)?.0.cast_signed();
            }
            Ok(())
        })?;
        Ok(entries.len())
    }
}
