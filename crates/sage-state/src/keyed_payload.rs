//! What a state has of its keys, as the entries of a checkpoint.

use sage_checkpoint::{EntryReader, EntryWriter};
use sage_frame::hash_canonical;
use sage_types::{KeyGroups, Result};

use crate::saved_bytes::damaged;

/// Writes the entries of one instance of an operator, each in the group of its key.
#[derive(Debug)]
pub struct KeyedPayload {
    groups: KeyGroups,
    writer: EntryWriter,
}

impl KeyedPayload {
    /// No entries, of a job with so many key groups.
    #[must_use]
    pub fn new(key_groups: u32) -> Self {
        Self {
            groups: KeyGroups::new(key_groups, 1),
            writer: EntryWriter::new(),
        }
    }

    /// The key group of a key. What has no key, of a stream that has none, is in the first.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are 65,536 key groups at most"
    )]
    fn group_of(&self, key: &[u8]) -> u16 {
        if key.is_empty() {
            0
        } else {
            self.groups.group_of(hash_canonical(key)) as u16
        }
    }

    /// Appends the value of a key, which is there in canonical bytes.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` for a key or value of 4 GiB.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.writer.put(self.group_of(key), key, value)
    }

    /// Says that there is nothing of a key any more, on top of what was saved before.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` for a key of 4 GiB.
    pub fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.writer.delete(self.group_of(key), key)
    }

    /// The entries.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_bytes()
    }
}

/// Keys and values of the entries of a whole part: none of them is one that removes.
///
/// # Errors
/// `SAGE_CHECKPOINT_DAMAGED`.
pub fn saved_entries(payload: &[u8]) -> Result<Vec<(&[u8], &[u8])>> {
    EntryReader::new(payload)
        .map(|entry| {
            let entry = entry?;
            let value = entry
                .value
                .ok_or_else(|| damaged("a part that is whole removes a key"))?;
            Ok((entry.key, value))
        })
        .collect()
}
