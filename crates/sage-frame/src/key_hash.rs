//! The hash of keys: xxh3 of the canonical bytes. Format version 1, never changes: state on disk depends on it.

use sage_types::Result;
use xxhash_rust::xxh3::xxh3_64;

use crate::key_column::{canonical_number, key_tag};
use crate::{BatchView, KeyColumn, Wtf8Column};

/// The hash of canonical key bytes.
#[inline]
#[must_use]
pub fn hash_canonical(canonical: &[u8]) -> u64 {
    xxh3_64(canonical)
}

/// Replaces `hashes` by the hash of each row's key.
///
/// # Errors
/// `SAGE_FORMAT_LAYOUT` when the batch has no key column.
pub fn hash_keys(view: &BatchView<'_>, hashes: &mut Vec<u64>) -> Result<()> {
    hash_column(&KeyColumn::new(view)?, hashes);
    Ok(())
}

/// Replaces `hashes` by the hash of each key of a column.
pub fn hash_column(keys: &KeyColumn<'_>, hashes: &mut Vec<u64>) {
    hashes.clear();
    match keys {
        KeyColumn::F64(numbers) => {
            hashes.extend(numbers.iter().map(|&number| xxh3_64(&canonical_number(number))));
        }
        KeyColumn::Bool(booleans) => {
            let both = [xxh3_64(&[key_tag::FALSE]), xxh3_64(&[key_tag::TRUE])];
            hashes.extend(booleans.iter().map(|&boolean| both[usize::from(boolean != 0)]));
        }
        KeyColumn::Str(strings) => hash_strings(strings, hashes),
        KeyColumn::Bytes(bytes) => {
            hashes.extend((0..bytes.ends.len()).map(|row| xxh3_64(bytes.row(row))));
        }
    }
}

/// Strings are hashed behind their tag. The tag is put before the first row once; for the others it takes the place of
/// the last byte of the row before, in a copy of the data, so that no row is copied by itself.
fn hash_strings(strings: &Wtf8Column<'_>, hashes: &mut Vec<u64>) {
    let (ends, data) = (strings.ends(), strings.data());
    let mut tagged = Vec::with_capacity(data.len() + 1);
    tagged.push(key_tag::STRING);
    tagged.extend_from_slice(data);
    let mut start = 0_usize;
    hashes.extend(ends.iter().map(|&end| {
        let end = end as usize;
        tagged[start] = key_tag::STRING;
        let hash = xxh3_64(&tagged[start..=end]);
        start = end;
        hash
    }));
}
