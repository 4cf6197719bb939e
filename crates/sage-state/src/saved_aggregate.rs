//! A keyed aggregate in a checkpoint.

use sage_types::Result;

use crate::KeyedAggregate;
use crate::keyed_payload::{KeyedPayload, saved_entries};
use crate::saved_bytes::{SavedBytes, damaged};

/// What an entry says of a key.
struct SavedKey<'a> {
    key: &'a [u8],
    /// The slot that it had: results come in the order of slots.
    slot: u32,
    /// Its place in the list of keys that have changed, from 1 on; 0 for others.
    changed: u32,
    words: &'a [u8],
}

/// The entry at hand, in memory that is used again.
#[derive(Default)]
struct EntryBytes {
    key: Vec<u8>,
    value: Vec<u8>,
}

impl KeyedAggregate {
    /// What there is of each key: `u32` slot, `u32` place among the keys that have changed (from 1 on, 0 for others), and the words
    /// of its aggregators, 8 bytes each.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` for a key of 4 GiB.
    pub fn save(&mut self, key_groups: u32) -> Result<Vec<u8>> {
        self.unsaved_mut().restart();
        let mut changed = vec![0_u32; self.keys().slot_count()];
        for (place, &slot) in (1_u32..).zip(self.changed_since_mark()) {
            changed[slot as usize] = place;
        }
        let mut payload = KeyedPayload::new(key_groups);
        let mut entry = EntryBytes::default();
        for slot in self.keys().live_slots() {
            self.save_key(slot, changed[slot as usize], &mut entry, &mut payload)?;
        }
        Ok(payload.into_bytes())
    }

    /// What has changed since the last call of this or of [`KeyedAggregate::save`]: first the keys that have gone, then those that are there,
    /// as `save` has them. None when everything is to be saved; always of an aggregate that tracks changes for results, as the list of those
    /// is in the entries of keys that have not changed since.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` for a key of 4 GiB.
    pub fn save_changes(&mut self, key_groups: u32) -> Result<Option<Vec<u8>>> {
        if self.tracks_changes() {
            return Ok(None);
        }
        let Some(changes) = self.take_unsaved() else {
            return Ok(None);
        };
        let mut payload = KeyedPayload::new(key_groups);
        for key in &changes.gone {
            payload.remove(key)?;
        }
        let mut entry = EntryBytes::default();
        for slot in changes.slots {
            self.save_key(slot, 0, &mut entry, &mut payload)?;
        }
        Ok(Some(payload.into_bytes()))
    }

    fn save_key(
        &self,
        slot: u32,
        changed: u32,
        EntryBytes { key, value }: &mut EntryBytes,
        payload: &mut KeyedPayload,
    ) -> Result<()> {
        key.clear();
        value.clear();
        self.keys().append_canonical(slot, key);
        value.extend_from_slice(&slot.to_le_bytes());
        value.extend_from_slice(&changed.to_le_bytes());
        self.accumulators().save(slot, value);
        payload.put(key, value)
    }

    /// Takes what [`KeyedAggregate::save`] gave, of one instance or several, into an aggregate that has had no batch.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`, also when it was saved by other aggregators; `SAGE_INTERNAL` when the aggregate has had a batch. It
    /// is of no use then.
    pub fn restore(&mut self, payload: &[u8]) -> Result<()> {
        self.keys().check_unused()?;
        self.unsaved_mut().stop();
        let mut saved = saved_entries(payload)?
            .into_iter()
            .map(|(key, value)| {
                let mut value = SavedBytes::new(value);
                let (slot, changed) = (value.u32()?, value.u32()?);
                let words = value.take(self.accumulators().saved_len())?;
                value.end()?;
                Ok(SavedKey {
                    key,
                    slot,
                    changed,
                    words,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        saved.sort_by_key(|saved| saved.slot);
        let mut changed = Vec::new();
        for saved in saved {
            let slot = self.restore_key(saved.key, saved.words)?;
            if saved.changed > 0 {
                changed.push((saved.changed, slot));
            }
        }
        changed.sort_unstable();
        let changed: Vec<u32> = changed.into_iter().map(|(_, slot)| slot).collect();
        self.note_changed(&changed);
        Ok(())
    }

    /// Which aggregators these are, so that nobody takes the state of others for theirs.
    #[must_use]
    pub fn signature(&self) -> String {
        let names: Vec<String> = self
            .specs()
            .iter()
            .map(|spec| match spec.input {
                Some(input) => format!("{}({input})", spec.kind.as_str()),
                None => spec.kind.as_str().to_owned(),
            })
            .collect();
        names.join(",")
    }

    /// Whether these are the aggregators of a [`KeyedAggregate::signature`].
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED` when they are not.
    pub fn check_signature(&self, signature: &[u8]) -> Result<()> {
        let own = self.signature();
        if signature == own.as_bytes() {
            return Ok(());
        }
        Err(damaged("it is that of other aggregators")
            .with("saved", String::from_utf8_lossy(signature).into_owned())
            .with("expected", own))
    }
}
