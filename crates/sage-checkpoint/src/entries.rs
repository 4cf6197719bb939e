//! The payload of a keyed part: entries one behind the other.
//!
//! `u16 key group, u8 op (0 put, 1 delete), u32 key length, u32 value length, key, value`, little endian.

use sage_types::{ErrorCode, Result, SageError};

use crate::byte_reader::ByteReader;

const PUT: u8 = 0;
const DELETE: u8 = 1;
/// Bytes of an entry before its key.
pub(crate) const ENTRY_HEADER_BYTES: usize = 11;

/// One key of a keyed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry<'a> {
    /// The key group, which says to which instance the key belongs.
    pub key_group: u16,
    /// What decides that two keys are the same.
    pub key: &'a [u8],
    /// What is kept for it; none when the key is deleted.
    pub value: Option<&'a [u8]>,
}

impl Entry<'_> {
    /// How many bytes it takes in a payload.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        ENTRY_HEADER_BYTES + self.key.len() + self.value.map_or(0, <[u8]>::len)
    }
}

/// Reads the entries of a payload. After an error there is no further entry.
#[derive(Debug, Clone)]
pub struct EntryReader<'a> {
    bytes: ByteReader<'a>,
    total: usize,
}

impl<'a> EntryReader<'a> {
    /// Reads `payload` from its beginning.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self {
            bytes: ByteReader::new(payload),
            total: payload.len(),
        }
    }

    /// Where the next entry begins.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.total - self.bytes.remaining()
    }

    fn read(&mut self) -> Option<Entry<'a>> {
        let (key_group, op, key_length, value_length) = entry_header(&mut self.bytes)?;
        let key = self.bytes.bytes(key_length)?;
        let value = self.bytes.bytes(value_length)?;
        Some(Entry {
            key_group,
            key,
            value: (op == PUT).then_some(value),
        })
    }
}

/// Key group, op, and the lengths of key and value; none when it is cut off or cannot be.
pub(crate) fn entry_header(bytes: &mut ByteReader<'_>) -> Option<(u16, u8, usize, usize)> {
    let key_group = bytes.u16()?;
    let op = bytes.u8()?;
    let key_length = usize::try_from(bytes.u32()?).ok()?;
    let value_length = usize::try_from(bytes.u32()?).ok()?;
    let is_sound = op == PUT || (op == DELETE && value_length == 0);
    is_sound.then_some((key_group, op, key_length, value_length))
}

impl<'a> Iterator for EntryReader<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.remaining() == 0 {
            return None;
        }
        let offset = self.offset();
        Some(self.read().ok_or_else(|| {
            self.bytes = ByteReader::new(&[]);
            SageError::new(
                ErrorCode::FormatBatch,
                format!(
                    "the entry at byte {offset} of {} of a keyed part is malformed",
                    self.total
                ),
            )
            .with("byte", offset)
        }))
    }
}

/// Writes the payload of a keyed part.
#[derive(Debug, Clone, Default)]
pub struct EntryWriter {
    bytes: Vec<u8>,
    count: u64,
}

impl EntryWriter {
    /// An empty payload.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty payload with room for `bytes`.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            count: 0,
        }
    }

    /// Adds the value of a key.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` when key or value are 4 GiB or larger.
    pub fn put(&mut self, key_group: u16, key: &[u8], value: &[u8]) -> Result<()> {
        self.push(Entry {
            key_group,
            key,
            value: Some(value),
        })
    }

    /// Says that a key of the part below is gone.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` when the key is 4 GiB or larger.
    pub fn delete(&mut self, key_group: u16, key: &[u8]) -> Result<()> {
        self.push(Entry {
            key_group,
            key,
            value: None,
        })
    }

    /// Adds an entry as it is.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` when key or value are 4 GiB or larger.
    pub fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        let value = entry.value.unwrap_or_default();
        let key_length = length_of(entry.key)?;
        let value_length = length_of(value)?;
        self.bytes.reserve(entry.encoded_bytes());
        self.bytes.extend_from_slice(&entry.key_group.to_le_bytes());
        self.bytes.push(if entry.value.is_some() { PUT } else { DELETE });
        self.bytes.extend_from_slice(&key_length.to_le_bytes());
        self.bytes.extend_from_slice(&value_length.to_le_bytes());
        self.bytes.extend_from_slice(entry.key);
        self.bytes.extend_from_slice(value);
        self.count += 1;
        Ok(())
    }

    /// Forgets all entries, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// How many entries were added.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What was written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A length in 32 bits.
pub(crate) fn length_of(bytes: &[u8]) -> Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| {
        SageError::new(
            ErrorCode::LimitBatch,
            format!(
                "{} bytes of state are too many for one value: the limit is 4 GiB",
                bytes.len()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_puts_and_deletes_when_they_are_written_then_they_are_read_as_they_were() {
        let mut writer = EntryWriter::new();
        writer.put(3, b"key", b"value").unwrap();
        writer.put(127, b"", b"").unwrap();
        writer.delete(4, b"gone").unwrap();
        assert_eq!(writer.count(), 3);
        let payload = writer.into_bytes();

        let entries: Vec<Entry<'_>> = EntryReader::new(&payload).map(Result::unwrap).collect();

        let entry = |key_group, key, value| Entry {
            key_group,
            key,
            value,
        };
        assert_eq!(
            entries,
            [
                entry(3, b"key".as_slice(), Some(b"value".as_slice())),
                entry(127, b"", Some(b"")),
                entry(4, b"gone", None)
            ]
        );
        assert_eq!(
            payload.len(),
            entries.iter().map(Entry::encoded_bytes).sum::<usize>()
        );
    }

    #[test]
    fn given_a_payload_that_is_cut_off_then_the_last_entry_is_an_error_and_the_last() {
        let mut writer = EntryWriter::new();
        writer.put(1, b"a", b"b").unwrap();
        writer.put(1, b"c", b"d").unwrap();
        let payload = writer.into_bytes();
        for length in 14..payload.len() {
            let read: Vec<_> = EntryReader::new(&payload[..length]).collect();
            assert_eq!(read.len(), 2, "{length}");
            assert_eq!(read[1].as_ref().unwrap_err().code, ErrorCode::FormatBatch);
        }
    }

    #[test]
    fn given_an_unknown_op_or_a_delete_with_a_value_then_it_is_an_error() {
        for (op, value_length) in [(2, 0), (1, 1)] {
            let mut payload = vec![0, 0, op, 0, 0, 0, 0, value_length, 0, 0, 0];
            payload.push(7);
            assert!(EntryReader::new(&payload).next().unwrap().is_err());
        }
    }
}
