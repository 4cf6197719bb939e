//! Key groups of keys that JavaScript has as canonical bytes.

use napi::bindgen_prelude::Uint8ArraySlice;
use napi_derive::napi;
use sage_frame::hash_canonical;
use sage_types::{KeyGroups, Result};

use crate::guard::{guarded, internal};
use crate::memory::writable_bytes;

/// Key group, operation, length of the key, length of the value.
const ENTRY_HEAD_BYTES: usize = 11;

/// Writes the key group of each entry of a keyed part of a checkpoint into its head: `u16 group, u8 operation, u32 key bytes, u32 value bytes, key, value`.
#[napi]
pub fn key_groups_fill(key_groups: u32, mut entries: Uint8ArraySlice<'_>) -> napi::Result<()> {
    guarded("keyGroupsFill", || {
        fill(KeyGroups::new(key_groups, 1), writable_bytes(&mut entries))
    })
}

fn fill(groups: KeyGroups, mut entries: &mut [u8]) -> Result<()> {
    while !entries.is_empty() {
        let Some((head, rest)) = entries.split_first_chunk_mut::<ENTRY_HEAD_BYTES>() else {
            return Err(internal("the entries end within a head"));
        };
        let [_, _, _, k0, k1, k2, k3, v0, v1, v2, v3] = *head;
        let key_bytes = u32::from_le_bytes([k0, k1, k2, k3]) as usize;
        let value_bytes = u32::from_le_bytes([v0, v1, v2, v3]) as usize;
        let Some((key, behind)) = rest.split_at_mut_checked(key_bytes) else {
            return Err(internal("the entries end within a key"));
        };
        let Some((_, next)) = behind.split_at_mut_checked(value_bytes) else {
            return Err(internal("the entries end within a value"));
        };
        let group = u16::try_from(groups.group_of(hash_canonical(key)))
            .map_err(|_| internal("a key group does not fit 16 bits"))?;
        [head[0], head[1]] = group.to_le_bytes();
        entries = next;
    }
    Ok(())
}
