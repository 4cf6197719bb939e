//! The key column of a batch as packed keys: from there on, all kinds of columns are one.

use sage_frame::{BytesColumn, KeyColumn, Wtf8Column, canonical_f64, key_tag};
use sage_types::{ErrorCode, Result, SageError};

use crate::packed_key::{MAX_INLINE, MAX_TAG, PackedKey};
use crate::raw_key::RawKey;

/// Replaces `packed` by the packed key of each row.
///
/// # Errors
/// `SAGE_FORMAT_BATCH` when a row of a `bytes` column does not hold canonical key bytes.
pub(crate) fn pack_keys(keys: &KeyColumn<'_>, seed: u64, packed: &mut Vec<PackedKey>) -> Result<()> {
    packed.clear();
    match keys {
        KeyColumn::F64(numbers) => {
            packed.extend(
                numbers
                    .iter()
                    .map(|&number| PackedKey::number(canonical_f64(number).to_bits())),
            );
        }
        KeyColumn::Bool(booleans) => {
            packed.extend(
                booleans
                    .iter()
                    .map(|&boolean| PackedKey::tag_only(key_tag::FALSE + u8::from(boolean != 0))),
            );
        }
        KeyColumn::Str(strings) => pack_strings(strings, seed, packed),
        KeyColumn::Bytes(bytes) => return pack_bytes(bytes, seed, packed),
    }
    Ok(())
}

/// The key of a row, for keys that are not all in their packed form. Empty for columns whose keys are always short.
#[inline]
pub(crate) fn raw_key<'b>(keys: &'b KeyColumn<'_>, row: usize) -> RawKey<'b> {
    match keys {
        KeyColumn::F64(_) | KeyColumn::Bool(_) => RawKey { tag: 0, content: &[] },
        KeyColumn::Str(strings) => RawKey {
            tag: key_tag::STRING,
            content: strings.row(row),
        },
        KeyColumn::Bytes(bytes) => split_canonical(bytes.row(row)).unwrap_or(RawKey { tag: 0, content: &[] }),
    }
}

/// Canonical key bytes in their two parts; none when they are not canonical key bytes. Only what this crate relies on is
/// checked: the tag, and the length of what has one length.
pub(crate) fn split_canonical(canonical: &[u8]) -> Option<RawKey<'_>> {
    let (&tag, content) = canonical.split_first()?;
    let fits = match tag {
        key_tag::NULL | key_tag::UNDEFINED | key_tag::FALSE | key_tag::TRUE => content.is_empty(),
        key_tag::NUMBER | key_tag::DATE => content.len() == 8,
        _ => tag <= MAX_TAG,
    };
    fits.then_some(RawKey { tag, content })
}

fn pack_strings(strings: &Wtf8Column<'_>, seed: u64, packed: &mut Vec<PackedKey>) {
    let data = strings.data();
    let mut start = 0;
    packed.extend(strings.ends().iter().map(|&end| {
        let end = end as usize;
        let length = end - start;
        // 16 bytes at once, whatever the length: a copy of so few bytes would cost more than all the rest.
        let key = match data.get(start..).and_then(<[u8]>::first_chunk::<16>) {
            Some(bytes) if length <= MAX_INLINE => PackedKey::short(*bytes, length, key_tag::STRING),
            _ => PackedKey::new(
                RawKey {
                    tag: key_tag::STRING,
                    content: &data[start..end],
                },
                seed,
            ),
        };
        start = end;
        key
    }));
}

fn pack_bytes(bytes: &BytesColumn<'_>, seed: u64, packed: &mut Vec<PackedKey>) -> Result<()> {
    for row in 0..bytes.ends.len() {
        let key = split_canonical(bytes.row(row)).ok_or_else(|| {
            SageError::new(
                ErrorCode::FormatBatch,
                format!("malformed batch: the key of row {row} is not in canonical form"),
            )
            .with("row", row)
        })?;
        packed.push(PackedKey::new(key, seed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes_are_refused_when_their_tag_or_length_is_impossible() {
        let number = [&[key_tag::NUMBER][..], &[0; 8]].concat();
        for good in [
            &[key_tag::NULL][..],
            &[key_tag::TRUE],
            &number,
            b"\x05",
            b"\x05text",
            b"\x0612",
        ] {
            assert!(split_canonical(good).is_some(), "{good:?}");
        }
        for bad in [&[][..], &[key_tag::NULL, 0], &number[..8], &[10], &[255, 1]] {
            assert!(split_canonical(bad).is_none(), "{bad:?}");
        }
    }
}
