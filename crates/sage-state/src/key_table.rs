//! Keys to dense slots.

use std::hash::BuildHasher;

use sage_frame::{BatchView, KeyColumn, hash_canonical};
use sage_types::{ErrorCode, Result, SageError};

use crate::key_arena::KeyArena;
use crate::pack_keys::{pack_keys, raw_key, split_canonical};
use crate::packed_key::PackedKey;
use crate::raw_key::RawKey;
use crate::slot_index::{NO_SLOT, SlotIndex};
use crate::slot_rows::SlotRows;

/// Slots that a table has at most: JavaScript takes them as int32.
pub const MAX_SLOTS: usize = i32::MAX as usize;

/// Gives each key a dense slot, starting at 0, in the order in which the keys are first seen. A removed key's slot goes to
/// the next new key, the last freed first.
///
/// Keys are equal when their canonical bytes are, whatever kind of column they come in.
#[derive(Debug)]
pub struct KeyTable {
    index: SlotIndex,
    /// The key of each slot; [`PackedKey::NONE`] for free ones.
    keys: SlotRows<PackedKey>,
    arena: KeyArena,
    free: Vec<u32>,
    /// Differs from process to process, so that nobody can prepare keys that collide. Slots do not depend on it.
    seed: u64,
    max_slots: usize,
    scratch: Scratch,
}

/// What a batch is worked on in; kept, so that a batch allocates nothing.
#[derive(Debug, Default)]
struct Scratch {
    packed: Vec<PackedKey>,
    hashes: Vec<u32>,
    homes: Vec<u64>,
    /// Rows whose key is long and has the hash of the candidate's, with the length of the candidate's content.
    long: Vec<(u32, usize)>,
    /// Rows whose key was not found at once.
    misses: Vec<u32>,
}

impl Scratch {
    const fn bytes_used(&self) -> usize {
        self.packed.capacity() * 16
            + self.homes.capacity() * 8
            + self.long.capacity() * size_of::<(u32, usize)>()
            + (self.hashes.capacity() + self.misses.capacity()) * 4
    }
}

impl Default for KeyTable {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyTable {
    /// A table without keys.
    #[must_use]
    pub fn new() -> Self {
        Self {
            index: SlotIndex::default(),
            keys: SlotRows::new(1),
            arena: KeyArena::default(),
            free: Vec::new(),
            seed: std::hash::RandomState::new().hash_one(0_u8),
            max_slots: MAX_SLOTS,
            scratch: Scratch::default(),
        }
    }

    /// Replaces `slots` by the slot of each row's key, adding keys that are new. Returns how many were.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` without a key column, `SAGE_FORMAT_BATCH` when a key is not in canonical form, `SAGE_INTERNAL`
    /// when there could be more than [`MAX_SLOTS`] keys. The table is then as it was.
    pub fn slots_for(&mut self, view: &BatchView<'_>, slots: &mut Vec<u32>) -> Result<usize> {
        let keys = KeyColumn::new(view)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let added = self.slots_of_column(&keys, slots, &mut scratch);
        self.scratch = scratch;
        added
    }

    /// As [`KeyTable::slots_for`], into the first places of `slots`, for JavaScript.
    ///
    /// # Errors
    /// As [`KeyTable::slots_for`]; also `SAGE_INTERNAL` when `slots` has fewer places than the batch has rows.
    pub fn slots_into(&mut self, view: &BatchView<'_>, slots: &mut [i32]) -> Result<usize> {
        if slots.len() < view.rows() {
            return Err(
                SageError::new(ErrorCode::Internal, "there is no room for the slots of a batch")
                    .with("rows", view.rows())
                    .with("room", slots.len()),
            );
        }
        let mut found = Vec::with_capacity(view.rows());
        let added = self.slots_for(view, &mut found)?;
        for (place, slot) in slots.iter_mut().zip(found) {
            *place = slot.cast_signed();
        }
        Ok(added)
    }

    fn slots_of_column(
        &mut self,
        keys: &KeyColumn<'_>,
        slots: &mut Vec<u32>,
        scratch: &mut Scratch,
    ) -> Result<usize> {
        let Scratch {
            packed,
            hashes,
            homes,
            long,
            misses,
        } = scratch;
        let seed = self.seed;
        pack_keys(keys, seed, packed)?;
        hashes.clear();
        hashes.extend(packed.iter().map(|key| key.index_hash(seed)));
        self.index.gather_homes(hashes, homes);
        self.index.candidates(hashes, homes, slots);
        misses.clear();
        long.clear();
        for ((row, key), &slot) in (0_u32..).zip(&*packed).zip(&*slots) {
            let held = self.keys.first(slot).unwrap_or(PackedKey::NONE);
            if held == *key {
                continue;
            }
            match held.place() {
                // Reads the length only, so that many long keys are on their way into the cache before one is compared.
                Some(place) if held.same_long_hash(*key) => long.push((row, self.arena.content_len(place))),
                _ => misses.push(row),
            }
        }
        for &(row, length) in &*long {
            let raw = raw_key(keys, row as usize);
            if raw.content.len() != length || !self.is_at(slots[row as usize], raw) {
                misses.push(row);
            }
        }
        if !long.is_empty() {
            // New keys get their slots in the order of the rows.
            misses.sort_unstable();
        }
        self.add_missing(keys, packed, hashes, misses, slots)
    }

    #[inline]
    fn is_same_long<'b>(&self, held: PackedKey, key: PackedKey, raw: impl FnOnce() -> RawKey<'b>) -> bool {
        held.same_long_hash(key) && held.place().is_some_and(|place| self.arena.get(place) == raw())
    }

    /// Whether a slot has this long key.
    fn is_at(&self, slot: u32, raw: RawKey<'_>) -> bool {
        let place = self.keys.first(slot).and_then(PackedKey::place);
        place.is_some_and(|place| self.arena.get(place) == raw)
    }

    /// Looks the rows in `misses` up one by one, in order, and adds the keys that are new.
    fn add_missing(
        &mut self,
        keys: &KeyColumn<'_>,
        packed: &[PackedKey],
        hashes: &[u32],
        misses: &[u32],
        slots: &mut [u32],
    ) -> Result<usize> {
        // Nothing may have changed when there is an error, so this counts all of them as new.
        if self.len() + misses.len() > self.max_slots {
            return Err(too_many_keys(self.max_slots));
        }
        let mut added = 0;
        for &row in misses {
            let row = row as usize;
            let (key, hash) = (packed[row], hashes[row]);
            let raw = || raw_key(keys, row);
            let found = self.index.find(hash, |slot| {
                let held = self.keys.first(slot).unwrap_or(PackedKey::NONE);
                held == key || self.is_same_long(held, key, raw)
            });
            slots[row] = if let Some(slot) = found {
                slot
            } else {
                added += 1;
                self.add(key, hash, raw)?
            };
        }
        Ok(added)
    }

    pub(crate) fn add<'b>(
        &mut self,
        key: PackedKey,
        hash: u32,
        raw: impl FnOnce() -> RawKey<'b>,
    ) -> Result<u32> {
        let key = if key.is_long() {
            key.at(self.arena.put(raw())?)
        } else {
            key
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.keys.part_mut::<1>(slot, 0)[0] = key;
            slot
        } else {
            let slot = u32::try_from(self.keys.len())
                .ok()
                .filter(|&slot| slot != NO_SLOT)
                .ok_or_else(|| too_many_keys(self.max_slots))?;
            self.keys.push(&[key]);
            slot
        };
        self.index.insert(hash, slot);
        Ok(slot)
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// The slot of the key with these canonical bytes.
    #[must_use]
    pub fn slot_of(&self, canonical: &[u8]) -> Option<u32> {
        let raw = split_canonical(canonical)?;
        let key = PackedKey::new(raw, self.seed);
        self.index.find(key.index_hash(self.seed), |slot| {
            let held = self.keys.first(slot).unwrap_or(PackedKey::NONE);
            held == key || self.is_same_long(held, key, || raw)
        })
    }

    /// Whether a slot has a key.
    #[inline]
    #[must_use]
    pub fn is_live(&self, slot: u32) -> bool {
        self.keys.first(slot).is_some_and(|key| !key.is_none())
    }

    /// Appends the canonical bytes of a slot's key; whether it has one.
    pub fn append_canonical(&self, slot: u32, out: &mut Vec<u8>) -> bool {
        self.with_key(slot, |raw| {
            out.push(raw.tag);
            out.extend_from_slice(raw.content);
        })
        .is_some()
    }

    /// The hash of a slot's key by which its key group is found (format version 1), if it has a key.
    #[must_use]
    pub fn partition_hash(&self, slot: u32) -> Option<u64> {
        let mut canonical = Vec::new();
        self.append_canonical(slot, &mut canonical)
            .then(|| hash_canonical(&canonical))
    }

    /// Bytes of a slot's key without its tag; 0 when it has none.
    #[must_use]
    pub fn content_len(&self, slot: u32) -> usize {
        self.with_key(slot, |raw| raw.content.len()).unwrap_or_default()
    }

    /// Appends the canonical bytes of a slot's key, with or without the tag; none when it has no key.
    pub(crate) fn append_key(&self, slot: u32, with_tag: bool, out: &mut Vec<u8>) -> Option<()> {
        let key = self.keys.first(slot)?;
        if let Some((tag, length, bytes)) = key.inline() {
            if with_tag {
                out.push(tag);
            }
            // 16 bytes at once, whatever the length: a copy of so few bytes would cost more than all the rest.
            let end = out.len() + length;
            out.extend_from_slice(&bytes);
            out.truncate(end);
            return Some(());
        }
        let raw = self.arena.get(key.place()?);
        if with_tag {
            out.push(raw.tag);
        }
        out.extend_from_slice(raw.content);
        Some(())
    }

    /// Calls `read` with the key of a slot.
    pub(crate) fn with_key<R>(&self, slot: u32, read: impl FnOnce(RawKey<'_>) -> R) -> Option<R> {
        let key = self.keys.first(slot)?;
        if let Some(place) = key.place() {
            return Some(read(self.arena.get(place)));
        }
        let (tag, length, bytes) = key.inline()?;
        Some(read(RawKey {
            tag,
            content: &bytes[..length],
        }))
    }

    /// Forgets the key of a slot; whether it had one. The slot goes to one of the next new keys.
    pub fn remove(&mut self, slot: u32) -> bool {
        let Some(key) = self.keys.first(slot).filter(|key| !key.is_none()) else {
            return false;
        };
        self.index.remove(key.index_hash(self.seed), slot);
        if let Some(place) = key.place() {
            self.arena.remove(place);
        }
        self.keys.part_mut::<1>(slot, 0)[0] = PackedKey::NONE;
        self.free.push(slot);
        true
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len() - self.free.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One more than the greatest slot that was ever given: what arrays by slot must have room for.
    #[must_use]
    pub const fn slot_count(&self) -> usize {
        self.keys.len()
    }

    /// Bytes of memory held, spare room included.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.index.bytes_used()
            + self.keys.bytes_used()
            + self.arena.bytes_used()
            + self.free.capacity() * size_of::<u32>()
            + self.scratch.bytes_used()
    }
}

fn too_many_keys(max_slots: usize) -> SageError {
    SageError::new(
        ErrorCode::Internal,
        format!("one instance of an operator has more than {max_slots} keys; raise its parallelism"),
    )
    .with("maxKeys", max_slots)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sage_frame::Layout;
    use sage_types::LayoutId;

    use super::*;

    fn slots_of(table: &mut KeyTable, keys: &[u8]) -> Result<(Vec<u32>, usize)> {
        let layout = Arc::new(Layout::parse(r#"{"key":"bytes","row":{"tup":[]}}"#).unwrap());
        // One bigint of one digit for each byte.
        let data: Vec<u8> = keys.iter().flat_map(|&key| [6, key]).collect();
        let ends: Vec<u8> = (1..=u32::try_from(keys.len()).unwrap())
            .flat_map(|row| (row * 2).to_le_bytes())
            .collect();
        // Ends must be aligned to 4.
        let mut aligned = vec![0_u64; ends.len().div_ceil(8)];
        for (word, bytes) in aligned.iter_mut().zip(ends.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(padded);
        }
        let aligned = bytemuck::cast_slice(&aligned);
        let buffers: [&[u8]; 2] = [&aligned[..ends.len()], &data];
        let view = BatchView::from_parts(layout, LayoutId(0), keys.len(), buffers, []).unwrap();
        let mut slots = Vec::new();
        table.slots_for(&view, &mut slots).map(|added| (slots, added))
    }

    #[test]
    fn given_a_full_table_when_new_keys_come_then_it_stays_as_it_is_and_says_so() {
        let mut table = KeyTable::new();
        table.max_slots = 3;
        assert_eq!(slots_of(&mut table, b"120").unwrap(), (vec![0, 1, 2], 3));

        let error = slots_of(&mut table, b"13").unwrap_err();

        assert_eq!(error.code, ErrorCode::Internal);
        assert!(error.message.contains("more than 3 keys"), "{error}");
        assert_eq!(table.len(), 3);
        assert_eq!(slots_of(&mut table, b"0210").unwrap(), (vec![2, 1, 0, 2], 0));
        // A removed key makes room.
        assert!(table.remove(1));
        assert_eq!(slots_of(&mut table, b"3").unwrap(), (vec![1], 1));
    }

    #[test]
    fn slots_do_not_depend_on_the_seed() {
        let slots = [1_u64, 0xdead_beef].map(|seed| {
            let mut table = KeyTable::new();
            table.seed = seed;
            slots_of(&mut table, b"3141592653589793").unwrap()
        });
        assert_eq!(slots[0], slots[1]);
    }

    #[test]
    fn a_slot_that_never_was_has_no_key() {
        let mut table = KeyTable::new();
        slots_of(&mut table, b"1").unwrap();
        for slot in [1, 70_000, NO_SLOT] {
            assert!(!table.is_live(slot));
            assert!(!table.remove(slot));
            assert!(!table.append_canonical(slot, &mut Vec::new()));
            assert_eq!(table.export(&[0, slot]).unwrap_err().code, ErrorCode::Internal);
        }
        assert_eq!(table.export_range(1..1).unwrap().len(), 0);
    }

    #[test]
    fn tables_may_change_threads() {
        const fn is_send<T: Send>() {}
        is_send::<KeyTable>();
        is_send::<crate::KeyedAggregate>();
    }
}
