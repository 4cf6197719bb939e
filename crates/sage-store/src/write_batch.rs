//! What is written at once.

use crate::stored_value::{NEVER_MS, StoredValue};

/// Puts and removals that become visible together or not at all. Of several for one key the last one counts.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    entries: Vec<Entry>,
    data: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    key_end: usize,
    end: usize,
    expires_at_ms: u64,
    removes: bool,
}

/// One entry of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOp<'a> {
    /// The key has this value from now on.
    Put(StoredValue<'a>),
    /// The key has no value from now on.
    Remove,
}

impl WriteBatch {
    /// Nothing to write.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key given in pieces. A value that expires may be dropped by the store from then on.
    pub fn put(&mut self, key: &[&[u8]], value: StoredValue<'_>) {
        let (start, key_end) = self.append_key(key);
        self.data.extend_from_slice(value.bytes);
        self.entries.push(Entry {
            start,
            key_end,
            end: self.data.len(),
            expires_at_ms: value.expires_at_ms,
            removes: false,
        });
    }

    /// Removes a key given in pieces; one that is not there is ignored.
    pub fn remove(&mut self, key: &[&[u8]]) {
        let (start, key_end) = self.append_key(key);
        self.entries.push(Entry {
            start,
            key_end,
            end: key_end,
            expires_at_ms: NEVER_MS,
            removes: true,
        });
    }

    fn append_key(&mut self, key: &[&[u8]]) -> (usize, usize) {
        let start = self.data.len();
        for piece in key {
            self.data.extend_from_slice(piece);
        }
        (start, self.data.len())
    }

    /// Number of puts and removals.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of memory that the batch needs, spare room not included.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.data.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Sorts by key, and keeps only the last entry of each: [`WriteBatch::find`] needs it.
    pub(crate) fn sort(&mut self) {
        let data = &self.data;
        // Stable: of one key, the last stays last.
        self.entries
            .sort_by(|a, b| data[a.start..a.key_end].cmp(&data[b.start..b.key_end]));
        let mut kept: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            match kept.last_mut() {
                Some(last) if data[last.start..last.key_end] == data[entry.start..entry.key_end] => {
                    *last = *entry;
                }
                _ => kept.push(*entry),
            }
        }
        self.entries = kept;
    }

    /// What the batch, which is sorted, does to a key.
    pub(crate) fn find(&self, key: &[u8]) -> Option<WriteOp<'_>> {
        let found = self
            .entries
            .binary_search_by(|entry| self.data[entry.start..entry.key_end].cmp(key));
        found.ok().map(|index| self.op(&self.entries[index]))
    }

    fn op(&self, entry: &Entry) -> WriteOp<'_> {
        if entry.removes {
            WriteOp::Remove
        } else {
            WriteOp::Put(StoredValue {
                bytes: &self.data[entry.key_end..entry.end],
                expires_at_ms: entry.expires_at_ms,
            })
        }
    }

    /// All entries with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], WriteOp<'_>)> {
        self.entries
            .iter()
            .map(|entry| (&self.data[entry.start..entry.key_end], self.op(entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_entries_of_one_key_the_last_counts() {
        let mut batch = WriteBatch::new();
        batch.put(&[b"b"], StoredValue::lasting(b"1"));
        batch.put(&[b"a", b"x"], StoredValue::lasting(b"2"));
        batch.remove(&[b"b"]);
        batch.put(&[b"ax"], StoredValue::lasting(b"3"));
        assert_eq!(batch.len(), 4);

        batch.sort();

        assert_eq!(batch.find(b"ax"), Some(WriteOp::Put(StoredValue::lasting(b"3"))));
        assert_eq!(batch.find(b"b"), Some(WriteOp::Remove));
        assert_eq!(batch.find(b"a"), None);
        assert_eq!(
            batch.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            [&b"ax"[..], b"b"]
        );
    }
}
