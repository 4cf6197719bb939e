//! A key in 16 bytes: the whole key where it is short, its hash and place in the arena where it is long.

use sage_frame::key_tag;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::key_arena::ArenaPlace;
use crate::raw_key::RawKey;

/// Content bytes (canonical bytes without their tag) that fit a packed key.
pub(crate) const MAX_INLINE: usize = 15;
/// Greatest tag of canonical key bytes.
pub(crate) const MAX_TAG: u8 = key_tag::OBJECT;

const LONG: u8 = 0xff;
const TOP: u32 = 120;

/// A key in 16 bytes.
///
/// *Short* (up to 15 bytes of content): the content, zero-padded, in the low 15 bytes; in the top byte `length << 4 | tag + 1`.
/// Two short keys are equal when their packed forms are. *Long*: the hash in the low 8 bytes, the place in the arena
/// plus 1 in the next 7 (0 while the key is only being looked for, so that it never equals one that is held unseen), `0xff` in
/// the top byte. All zero: no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PackedKey(u128);

/// Masks that keep the first n bytes.
const KEEP: [u128; MAX_INLINE + 1] = {
    let mut masks = [0; MAX_INLINE + 1];
    let mut length = 1;
    while length <= MAX_INLINE {
        masks[length] = (masks[length - 1] << 8) | 0xff;
        length += 1;
    }
    masks
};

impl PackedKey {
    /// What a free slot holds.
    pub(crate) const NONE: Self = Self(0);

    /// The key of a number; the bits are canonical.
    #[inline]
    pub(crate) const fn number(canonical_bits: u64) -> Self {
        Self::tagged(canonical_bits as u128, 8, key_tag::NUMBER)
    }

    /// A key that is only a tag: null, undefined, a boolean.
    #[inline]
    pub(crate) const fn tag_only(tag: u8) -> Self {
        Self::tagged(0, 0, tag)
    }

    /// A short key: the first `length` (at most 15) bytes of `bytes`. What is behind them does not matter.
    #[inline]
    pub(crate) fn short(bytes: [u8; 16], length: usize, tag: u8) -> Self {
        Self::tagged(u128::from_le_bytes(bytes) & KEEP[length], length, tag)
    }

    /// Any key; a long one without its place.
    #[inline]
    pub(crate) fn new(key: RawKey<'_>, seed: u64) -> Self {
        let length = key.content.len();
        if length <= MAX_INLINE {
            let mut bytes = [0; 16];
            bytes[..length].copy_from_slice(key.content);
            return Self::short(bytes, length, key.tag);
        }
        // Without the tag: a long string and a bigint of the same digits meet, and are told apart like all others.
        Self::long(xxh3_64_with_seed(key.content, seed))
    }

    const fn tagged(content: u128, length: usize, tag: u8) -> Self {
        Self(content | (((length << 4) as u128 | (tag as u128 + 1)) << TOP))
    }

    const fn long(hash: u64) -> Self {
        Self(hash as u128 | ((LONG as u128) << TOP))
    }

    /// The same long key at this place of the arena.
    #[inline]
    pub(crate) const fn at(self, place: ArenaPlace) -> Self {
        Self(self.0 | ((place.bits() as u128 + 1) << 64))
    }

    #[inline]
    const fn top(self) -> u8 {
        (self.0 >> TOP) as u8
    }

    /// Whether the key is in the arena.
    #[inline]
    pub(crate) const fn is_long(self) -> bool {
        self.top() == LONG
    }

    /// Whether there is no key.
    #[inline]
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Where a long key is, if it has a place.
    #[inline]
    pub(crate) const fn place(self) -> Option<ArenaPlace> {
        let place = (self.0 >> 64) as u64 & ((1 << 56) - 1);
        if self.is_long() && place > 0 {
            Some(ArenaPlace::from_bits(place - 1))
        } else {
            None
        }
    }

    /// Whether two long keys have the same hash.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    pub(crate) const fn same_long_hash(self, other: Self) -> bool {
        self.is_long() && other.is_long() && self.0 as u64 == other.0 as u64
    }

    /// Tag, length and padded content of a short key; none for others.
    #[inline]
    pub(crate) const fn inline(self) -> Option<(u8, usize, [u8; 16])> {
        if self.is_none() || self.is_long() {
            return None;
        }
        let top = self.top();
        let content = self.0 & KEEP[MAX_INLINE];
        Some(((top & 0x0f) - 1, (top >> 4) as usize, content.to_le_bytes()))
    }

    /// 32 bits of hash for the index; the same for a long key with and without its place.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "halves of products are meant")]
    pub(crate) const fn index_hash(self, seed: u64) -> u32 {
        const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
        const SECOND: u64 = 0xd6e8_feb8_6659_fd93;
        // The place of a long key is masked away by keeping only the top byte of its upper half.
        let high_mask = if self.is_long() { 0xff << 56 } else { u64::MAX };
        let low = self.0 as u64 ^ seed;
        let high = ((self.0 >> 64) as u64 & high_mask) ^ FIRST;
        let product = low as u128 * high as u128;
        let folded = product as u64 ^ (product >> 64) as u64;
        (folded.wrapping_mul(SECOND) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(tag: u8, content: &[u8]) -> PackedKey {
        PackedKey::new(RawKey { tag, content }, 1)
    }

    #[test]
    fn a_short_key_gives_back_its_tag_and_content() {
        for length in 0..=MAX_INLINE {
            let content: Vec<u8> = (0..length)
                .map(|byte| u8::try_from(byte + 200).unwrap())
                .collect();
            for tag in 0..=MAX_TAG {
                let packed = pack(tag, &content);
                let (read_tag, read_length, bytes) = packed.inline().unwrap();
                assert_eq!((read_tag, &bytes[..read_length]), (tag, &content[..]));
                assert!(!packed.is_none() && !packed.is_long());
            }
        }
    }

    #[test]
    fn keys_that_differ_in_padding_length_or_tag_only_are_different() {
        let keys = [
            pack(key_tag::STRING, b""),
            pack(key_tag::STRING, b"\0"),
            pack(key_tag::STRING, b"\0\0"),
            pack(key_tag::BIGINT, b""),
            pack(key_tag::NULL, b""),
            pack(key_tag::NUMBER, &1.0_f64.to_le_bytes()),
            pack(key_tag::DATE, &1.0_f64.to_le_bytes()),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(index));
        }
    }

    #[test]
    fn a_number_packs_alike_from_a_column_of_numbers_and_from_canonical_bytes() {
        let bits = 12.5_f64.to_bits();
        assert_eq!(
            PackedKey::number(bits),
            pack(key_tag::NUMBER, &bits.to_le_bytes())
        );
        assert_eq!(PackedKey::tag_only(key_tag::TRUE), pack(key_tag::TRUE, &[]));
    }

    #[test]
    fn what_is_behind_a_short_key_in_memory_does_not_matter() {
        let clean = PackedKey::short(*b"abc\0\0\0\0\0\0\0\0\0\0\0\0\0", 3, key_tag::STRING);
        let dirty = PackedKey::short(*b"abcdefghijklmnop", 3, key_tag::STRING);
        assert_eq!(clean, dirty);
    }

    #[test]
    fn a_long_key_has_the_same_hash_wherever_it_is() {
        let key = pack(key_tag::STRING, &[b'x'; 40]);
        let place = ArenaPlace::from_bits(0x00ab_cdef_0123_4567);
        let placed = key.at(place);
        assert_eq!(placed.place(), Some(place));
        assert_eq!(key.place(), None);
        // The very first place must not look like none.
        assert_ne!(key.at(ArenaPlace::from_bits(0)), key);
        assert!(placed.same_long_hash(key));
        assert_eq!(placed.index_hash(9), key.index_hash(9));
        assert!(!placed.same_long_hash(pack(key_tag::STRING, &[b'y'; 40])));
        assert!(!placed.same_long_hash(pack(key_tag::STRING, b"short")));
    }
}
