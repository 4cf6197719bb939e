//! Keys of a table as the key column of a batch.

use std::ops::Range;

use sage_frame::{FrameDraft, LeafKind, StringEncoding, key_tag};
use sage_types::{ErrorCode, Result, SageError};

use crate::KeyTable;

/// A key column, in the narrowest kind that holds all of its keys; ready to be the buffers of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum ExportedKeys {
    /// Numbers.
    F64(Vec<f64>),
    /// Booleans, 0 or 1.
    Bool(Vec<u8>),
    /// Strings.
    Str {
        /// Where each row ends, in UTF-16 units.
        ends: Vec<u32>,
        /// All rows.
        data: Vec<u8>,
        /// How the data is written.
        encoding: StringEncoding,
    },
    /// Canonical key bytes; also the form of no keys at all.
    Bytes {
        /// Where each row ends, in bytes.
        ends: Vec<u32>,
        /// All rows.
        data: Vec<u8>,
    },
}

impl KeyTable {
    /// The keys of a range of slots as a key column, free slots left out.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` when they have 2 GiB or more.
    pub fn export_range(&self, slots: Range<u32>) -> Result<ExportedKeys> {
        let live: Vec<u32> = slots.filter(|&slot| self.is_live(slot)).collect();
        self.export(&live)
    }

    /// The keys of these slots as a key column: `f64`, `bool` or `str` when all are of that kind, else `bytes`.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` when they have 2 GiB or more, `SAGE_INTERNAL` when a slot has no key.
    pub fn export(&self, slots: &[u32]) -> Result<ExportedKeys> {
        ExportedKeys::new(self, slots)
    }
}

impl ExportedKeys {
    fn new(table: &KeyTable, slots: &[u32]) -> Result<Self> {
        match common_kind(table, slots)? {
            LeafKind::F64 => collect(table, slots, |_, content| {
                let bits = content.first_chunk().copied().unwrap_or_default();
                f64::from_le_bytes(bits)
            })
            .map(Self::F64),
            LeafKind::Bool => collect(table, slots, |tag, _| tag - key_tag::FALSE).map(Self::Bool),
            LeafKind::Str => {
                let (ends, data) = concatenate(table, slots, false)?;
                encode_strings(ends, data)
            }
            _ => concatenate(table, slots, true).map(|(ends, data)| Self::Bytes { ends, data }),
        }
    }

    /// The kind of the column in a layout.
    #[must_use]
    pub const fn kind(&self) -> LeafKind {
        match self {
            Self::F64(_) => LeafKind::F64,
            Self::Bool(_) => LeafKind::Bool,
            Self::Str { .. } => LeafKind::Str,
            Self::Bytes { .. } => LeafKind::Bytes,
        }
    }

    /// Number of keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::F64(numbers) => numbers.len(),
            Self::Bool(booleans) => booleans.len(),
            Self::Str { ends, .. } | Self::Bytes { ends, .. } => ends.len(),
        }
    }

    /// Whether there are no keys.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoding, of strings only.
    #[must_use]
    pub const fn encoding(&self) -> Option<StringEncoding> {
        match self {
            Self::Str { encoding, .. } => Some(*encoding),
            _ => None,
        }
    }

    /// Lengths of the buffers of the column in bytes, in the order of a batch; the second only for strings and bytes.
    #[must_use]
    pub fn buffer_lengths(&self) -> (usize, Option<usize>) {
        match self {
            Self::F64(numbers) => (numbers.len() * 8, None),
            Self::Bool(booleans) => (booleans.len(), None),
            Self::Str { ends, data, .. } | Self::Bytes { ends, data } => (ends.len() * 4, Some(data.len())),
        }
    }

    /// Writes the key column of a batch; the index of the next buffer.
    pub fn write_to(&self, draft: &mut FrameDraft) -> usize {
        match self {
            Self::F64(numbers) => draft.f64s_mut(0).copy_from_slice(numbers),
            Self::Bool(booleans) => draft.bytes_mut(0).copy_from_slice(booleans),
            Self::Str { ends, data, .. } | Self::Bytes { ends, data } => {
                let (to_ends, to_data) = draft.ends_and_data_mut(0);
                to_ends.copy_from_slice(ends);
                to_data.copy_from_slice(data);
                return 2;
            }
        }
        1
    }
}

/// The kind of column that holds all of these keys.
fn common_kind(table: &KeyTable, slots: &[u32]) -> Result<LeafKind> {
    let mut common = None;
    for &slot in slots {
        let kind = table
            .with_key(slot, |key| match key.tag {
                key_tag::NUMBER => LeafKind::F64,
                key_tag::FALSE | key_tag::TRUE => LeafKind::Bool,
                key_tag::STRING => LeafKind::Str,
                _ => LeafKind::Bytes,
            })
            .ok_or_else(|| no_key(slot))?;
        if *common.get_or_insert(kind) != kind {
            return Ok(LeafKind::Bytes);
        }
    }
    Ok(common.unwrap_or(LeafKind::Bytes))
}

fn no_key(slot: u32) -> SageError {
    SageError::new(ErrorCode::Internal, format!("slot {slot} has no key")).with("slot", slot)
}

fn collect<T>(table: &KeyTable, slots: &[u32], value: impl Fn(u8, &[u8]) -> T) -> Result<Vec<T>> {
    slots
        .iter()
        .map(|&slot| {
            table
                .with_key(slot, |key| value(key.tag, key.content))
                .ok_or_else(|| no_key(slot))
        })
        .collect()
}

/// All keys one behind the other, and where each ends in bytes.
fn concatenate(table: &KeyTable, slots: &[u32], with_tag: bool) -> Result<(Vec<u32>, Vec<u8>)> {
    let mut ends = Vec::with_capacity(slots.len());
    let mut data = Vec::new();
    for &slot in slots {
        table
            .append_key(slot, with_tag, &mut data)
            .ok_or_else(|| no_key(slot))?;
        ends.push(end_of(data.len())?);
    }
    Ok((ends, data))
}

fn end_of(length: usize) -> Result<u32> {
    i32::try_from(length).map(i32::cast_unsigned).map_err(|_| {
        SageError::new(
            ErrorCode::LimitBatch,
            "the keys of one batch would have 2 GiB or more",
        )
    })
}

fn encode_strings(ends: Vec<u32>, data: Vec<u8>) -> Result<ExportedKeys> {
    if data.is_ascii() {
        return Ok(ExportedKeys::Str {
            ends,
            data,
            encoding: StringEncoding::Ascii,
        });
    }
    // Checked row by row: what two rows make together is none of theirs. No key ends inside a character.
    let mut unit = 0;
    let rows = row_ranges(&ends).map(|range| std::str::from_utf8(&data[range]).ok());
    let unit_ends: Option<Vec<u32>> = rows
        .map(|row| {
            let units: usize = row?.chars().map(char::len_utf16).sum();
            unit += units;
            u32::try_from(unit).ok()
        })
        .collect();
    if let Some(ends) = unit_ends {
        return Ok(ExportedKeys::Str {
            ends,
            data,
            encoding: StringEncoding::Utf8,
        });
    }
    let mut units = Vec::with_capacity(data.len());
    let unit_ends = row_ranges(&ends)
        .map(|range| {
            push_units(&data[range], &mut units);
            end_of(units.len() * 2).map(|bytes| bytes / 2)
        })
        .collect::<Result<_>>()?;
    Ok(ExportedKeys::Str {
        ends: unit_ends,
        data: units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        encoding: StringEncoding::Utf16,
    })
}

fn row_ranges(ends: &[u32]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, &end)| start as usize..end as usize)
}

/// Appends WTF-8 as UTF-16. A byte that is none of WTF-8 becomes a replacement character.
fn push_units(mut wtf8: &[u8], units: &mut Vec<u16>) {
    while !wtf8.is_empty() {
        let error = match std::str::from_utf8(wtf8) {
            Ok(text) => {
                units.extend(text.encode_utf16());
                return;
            }
            Err(error) => error,
        };
        let (valid, rest) = wtf8.split_at(error.valid_up_to());
        if let Ok(text) = std::str::from_utf8(valid) {
            units.extend(text.encode_utf16());
        }
        // The three-byte form of a surrogate: ed, a0..=bf, 80..=bf.
        if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, after @ ..] = rest {
            units.push(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f));
            wtf8 = after;
        } else {
            units.push(0xfffd);
            wtf8 = &rest[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpaired_surrogates_survive() {
        let mut units = Vec::new();
        push_units(b"a\xed\xa0\xbd\xe2\x82\xac\xed\xbf\xbf", &mut units);
        assert_eq!(units, [0x61, 0xd83d, 0x20ac, 0xdfff]);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let mut units = Vec::new();
        push_units(b"\xffa\xc3", &mut units);
        assert_eq!(units, [0xfffd, 0x61, 0xfffd]);
    }
}
