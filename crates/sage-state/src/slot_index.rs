//! From the hash of a key to the slots that may be its.

/// What a lookup gives where there is no candidate.
pub(crate) const NO_SLOT: u32 = u32::MAX;

const SMALLEST_BUCKETS: usize = 16;
/// A single part is split up when it would get more buckets: until then growing it takes less than a millisecond.
const MAX_SINGLE_BUCKETS: usize = 1 << 16;
const PARTS_LOG2: u32 = 8;
const PARTS: usize = 1 << PARTS_LOG2;

/// An open-addressing table. A bucket has 32 bits of hash and a slot in one word, so that one access finds out whether to
/// go on, and growing reads nothing else.
///
/// Up to some 10^5 keys there is one part. Above, there are 256 that grow one by one: growing all at once would be
/// a pause of 100 ms at some 10^7 keys.
#[derive(Debug)]
pub(crate) struct SlotIndex {
    parts: Vec<Part>,
    /// 0 for one part.
    part_mask: usize,
    bucket_bytes: usize,
}

#[derive(Debug)]
struct Part {
    /// `hash << 32 | slot + 1`, 0 where free. Linear probing from `hash & mask`.
    buckets: Box<[u64]>,
    mask: usize,
    len: usize,
}

#[inline]
const fn hash_of(bucket: u64) -> u32 {
    (bucket >> 32) as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn slot_of(bucket: u64) -> u32 {
    // A free bucket has NO_SLOT.
    (bucket as u32).wrapping_sub(1)
}

#[inline]
const fn bucket_of(hash: u32, slot: u32) -> u64 {
    (hash as u64) << 32 | (slot as u64 + 1)
}

impl Part {
    fn new(buckets: usize) -> Self {
        Self {
            buckets: vec![0; buckets].into(),
            mask: buckets - 1,
            len: 0,
        }
    }

    /// Whether one more key would make probing slow.
    const fn is_full(&self) -> bool {
        // 5/8
        (self.len + 1) * 8 > self.buckets.len() * 5
    }

    fn insert(&mut self, bucket: u64) {
        let mut at = hash_of(bucket) as usize & self.mask;
        while self.buckets[at] != 0 {
            at = (at + 1) & self.mask;
        }
        self.buckets[at] = bucket;
        self.len += 1;
    }

    fn grow(&mut self) {
        let mut grown = Self::new(self.buckets.len() * 2);
        for &bucket in self.buckets.iter().filter(|&&bucket| bucket != 0) {
            grown.insert(bucket);
        }
        *self = grown;
    }

    /// The first bucket from `at` on that has this hash or is free.
    #[inline]
    fn probe(&self, hash: u32, mut at: usize) -> usize {
        loop {
            let bucket = self.buckets[at & self.mask];
            if bucket == 0 || hash_of(bucket) == hash {
                return at & self.mask;
            }
            at += 1;
        }
    }

    fn remove(&mut self, bucket: u64) -> bool {
        let mut gap = hash_of(bucket) as usize & self.mask;
        while self.buckets[gap] != bucket {
            if self.buckets[gap] == 0 {
                return false;
            }
            gap = (gap + 1) & self.mask;
        }
        // Keys behind the gap move up, so that probing never has to skip graves.
        let mut next = gap;
        loop {
            next = (next + 1) & self.mask;
            let moved = self.buckets[next];
            if moved == 0 {
                break;
            }
            let home = hash_of(moved) as usize & self.mask;
            let distance = |from: usize| next.wrapping_sub(from) & self.mask;
            if distance(home) >= distance(gap) {
                self.buckets[gap] = moved;
                gap = next;
            }
        }
        self.buckets[gap] = 0;
        self.len -= 1;
        true
    }
}

impl Default for SlotIndex {
    fn default() -> Self {
        Self {
            parts: vec![Part::new(SMALLEST_BUCKETS)],
            part_mask: 0,
            bucket_bytes: SMALLEST_BUCKETS * 8,
        }
    }
}

impl SlotIndex {
    #[inline]
    const fn part_of(&self, hash: u32) -> usize {
        (hash >> (32 - PARTS_LOG2)) as usize & self.part_mask
    }

    /// Replaces `homes` by the bucket at which the search for each hash starts. A loop of loads that depend on nothing:
    /// it brings the table into the cache for [`SlotIndex::candidates`].
    pub(crate) fn gather_homes(&self, hashes: &[u32], homes: &mut Vec<u64>) {
        homes.clear();
        if let [part] = &*self.parts {
            homes.extend(hashes.iter().map(|&hash| part.buckets[hash as usize & part.mask]));
        } else {
            homes.extend(hashes.iter().map(|&hash| {
                let part = &self.parts[self.part_of(hash)];
                part.buckets[hash as usize & part.mask]
            }));
        }
    }

    /// Replaces `slots` by the first slot with each hash, [`NO_SLOT`] where there is none. `homes` are those of
    /// [`SlotIndex::gather_homes`], and the index has not changed since.
    pub(crate) fn candidates(&self, hashes: &[u32], homes: &[u64], slots: &mut Vec<u32>) {
        slots.clear();
        slots.extend(hashes.iter().zip(homes).map(|(&hash, &home)| {
            if home == 0 || hash_of(home) == hash {
                return slot_of(home);
            }
            let part = &self.parts[self.part_of(hash)];
            slot_of(part.buckets[part.probe(hash, hash as usize + 1)])
        }));
    }

    /// The first slot with this hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let part = &self.parts[self.part_of(hash)];
        let mut at = hash as usize;
        loop {
            at = part.probe(hash, at);
            let slot = slot_of(part.buckets[at]);
            if slot == NO_SLOT {
                return None;
            }
            if is_it(slot) {
                return Some(slot);
            }
            at += 1;
        }
    }

    /// Adds a slot, which must not be [`NO_SLOT`] and not be in the index.
    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        let mut index = self.part_of(hash);
        if self.parts[index].is_full() {
            if self.part_mask == 0 && self.parts[index].buckets.len() >= MAX_SINGLE_BUCKETS {
                self.split();
                index = self.part_of(hash);
            } else {
                self.bucket_bytes += self.parts[index].buckets.len() * 8;
                self.parts[index].grow();
            }
        }
        self.parts[index].insert(bucket_of(hash, slot));
    }

    /// Makes 256 parts of one.
    fn split(&mut self) {
        let single = std::mem::take(&mut self.parts);
        let buckets = MAX_SINGLE_BUCKETS * 2 / PARTS;
        self.part_mask = PARTS - 1;
        self.parts = (0..PARTS).map(|_| Part::new(buckets)).collect();
        self.bucket_bytes = buckets * PARTS * 8;
        for &bucket in single
            .iter()
            .flat_map(|part| &part.buckets)
            .filter(|&&bucket| bucket != 0)
        {
            let index = self.part_of(hash_of(bucket));
            // Keys that are chosen to collide may fill one part more than the others.
            if self.parts[index].is_full() {
                self.bucket_bytes += self.parts[index].buckets.len() * 8;
                self.parts[index].grow();
            }
            self.parts[index].insert(bucket);
        }
    }

    /// Removes a slot; whether it was there.
    pub(crate) fn remove(&mut self, hash: u32, slot: u32) -> bool {
        let index = self.part_of(hash);
        self.parts[index].remove(bucket_of(hash, slot))
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        self.bucket_bytes + self.parts.capacity() * size_of::<Part>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Spreads small numbers over 32 bits; a bijection, so that equal hashes come from equal numbers.
    fn spread(number: u32) -> u32 {
        number
            .wrapping_mul(0x9e37_79b1)
            .rotate_left(15)
            .wrapping_mul(0x85eb_ca6b)
    }

    fn lookup(index: &SlotIndex, hash: u32) -> u32 {
        let (mut homes, mut slots) = (Vec::new(), Vec::new());
        index.gather_homes(&[hash], &mut homes);
        index.candidates(&[hash], &homes, &mut slots);
        slots[0]
    }

    #[test]
    fn every_slot_is_found_while_the_index_grows_and_is_split() {
        let mut index = SlotIndex::default();
        for slot in 0..400_000 {
            assert_eq!(lookup(&index, spread(slot)), NO_SLOT);
            index.insert(spread(slot), slot);
            if slot % 997 == 0 {
                for earlier in (0..=slot).step_by(331) {
                    assert_eq!(lookup(&index, spread(earlier)), earlier);
                }
            }
        }
        assert_eq!(index.parts.len(), PARTS);
        assert!((0..400_000).all(|slot| lookup(&index, spread(slot)) == slot));
        let buckets: usize = index.parts.iter().map(|part| part.buckets.len()).sum();
        assert_eq!(index.bucket_bytes, buckets * 8);
    }

    #[test]
    fn given_equal_hashes_then_the_one_asked_for_is_found() {
        let mut index = SlotIndex::default();
        for slot in 0..1000 {
            index.insert(7, slot);
        }
        for slot in 0..1000 {
            assert_eq!(index.find(7, |candidate| candidate == slot), Some(slot));
        }
        assert_eq!(index.find(7, |_| false), None);
        assert_eq!(index.find(8, |_| true), None);
    }

    proptest! {
        #[test]
        fn inserts_and_removals_agree_with_a_map(
            // Few hashes, many of them neighbours, so that runs wrap around the end and merge.
            steps in prop::collection::vec((any::<bool>(), 0_u32..24, 0_u32..8), 1..400),
        ) {
            let mut index = SlotIndex::default();
            let mut oracle: BTreeMap<u32, u32> = BTreeMap::new();
            for (insert, number, high) in steps {
                let hash = number.wrapping_sub(12) ^ (high << 29);
                let slot = number * 8 + high;
                if insert {
                    if oracle.insert(slot, hash).is_none() {
                        index.insert(hash, slot);
                    }
                } else {
                    prop_assert_eq!(index.remove(hash, slot), oracle.remove(&slot).is_some());
                }
                for (&slot, &hash) in &oracle {
                    prop_assert_eq!(index.find(hash, |candidate| candidate == slot), Some(slot));
                }
                let held: usize = index.parts.iter().map(|part| part.len).sum();
                prop_assert_eq!(held, oracle.len());
            }
        }
    }
}
