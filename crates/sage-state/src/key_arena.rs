//! The bytes of keys that are too long to be packed.

use sage_types::{ErrorCode, Result, SageError};

use crate::raw_key::RawKey;

/// Bytes of a usual chunk.
const CHUNK_BYTES: usize = 64 << 10;
/// Longer records get a chunk of their own, so that little of a chunk is wasted at its end.
const MAX_SHARED_BYTES: usize = CHUNK_BYTES / 8;
/// Length of the content, then the tag.
const HEADER_BYTES: usize = 5;
const OFFSET_BITS: u32 = 24;

/// Where a key is: the number of the chunk in the upper 32 of 56 bits, the offset in it in the lower 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArenaPlace(u64);

impl ArenaPlace {
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    const fn chunk(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize
    }

    const fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize
    }
}

#[derive(Debug, Default)]
struct Chunk {
    /// Records one behind the other: length of the content as u32, tag, content.
    data: Vec<u8>,
    /// Bytes of records that have not been removed.
    live_bytes: usize,
}

/// Append-only chunks. A chunk's memory is given back when all of its keys are gone: keys that came together (and
/// expire together) are in the same chunk.
#[derive(Debug, Default)]
pub(crate) struct KeyArena {
    chunks: Vec<Chunk>,
    /// The chunk that takes short records.
    current: Option<usize>,
    /// Chunks without memory, to be used again.
    vacant: Vec<usize>,
    /// Capacities of all chunks.
    data_bytes: usize,
}

impl KeyArena {
    /// Keeps a key.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a key of 4 GiB (no batch can hold one) and for more than 2^32 chunks (256 TiB of keys).
    pub(crate) fn put(&mut self, key: RawKey<'_>) -> Result<ArenaPlace> {
        let length = u32::try_from(key.content.len()).map_err(|_| {
            SageError::new(ErrorCode::Internal, "a key has 4 GiB or more").with("bytes", key.content.len())
        })?;
        let record_bytes = HEADER_BYTES + key.content.len();
        let index = if record_bytes > MAX_SHARED_BYTES {
            self.add_chunk(record_bytes)?
        } else {
            match self.current {
                Some(current) if self.chunks[current].data.len() + record_bytes <= CHUNK_BYTES => current,
                previous => {
                    let next = self.add_chunk(CHUNK_BYTES)?;
                    self.current = Some(next);
                    // Nobody else would notice that all of its keys are gone already.
                    if let Some(previous) = previous {
                        self.vacate_if_dead(previous);
                    }
                    next
                }
            }
        };
        let chunk = &mut self.chunks[index];
        let offset = chunk.data.len() as u64;
        chunk.data.extend_from_slice(&length.to_le_bytes());
        chunk.data.push(key.tag);
        chunk.data.extend_from_slice(key.content);
        chunk.live_bytes += record_bytes;
        Ok(ArenaPlace((index as u64) << OFFSET_BITS | offset))
    }

    /// The key at a place that [`KeyArena::put`] gave and that has not been removed; an empty one elsewhere.
    #[inline]
    pub(crate) fn get(&self, place: ArenaPlace) -> RawKey<'_> {
        let record = self
            .chunks
            .get(place.chunk())
            .and_then(|chunk| chunk.data.get(place.offset()..));
        let parts = record.and_then(|record| record.split_first_chunk::<HEADER_BYTES>());
        let Some((&[l0, l1, l2, l3, tag], rest)) = parts else {
            return RawKey { tag: 0, content: &[] };
        };
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        RawKey {
            tag,
            content: rest.get(..length).unwrap_or_default(),
        }
    }

    /// Length of the content of the key at a place, as [`KeyArena::get`] gives it.
    #[inline]
    pub(crate) fn content_len(&self, place: ArenaPlace) -> usize {
        let chunk = self.chunks.get(place.chunk());
        let record = chunk.and_then(|chunk| chunk.data.get(place.offset()..));
        let length = record.and_then(<[u8]>::first_chunk);
        length.map_or(0, |&length| u32::from_le_bytes(length) as usize)
    }

    /// Forgets the key at a place. Each place once.
    pub(crate) fn remove(&mut self, place: ArenaPlace) {
        let record_bytes = HEADER_BYTES + self.get(place).content.len();
        let index = place.chunk();
        if let Some(chunk) = self.chunks.get_mut(index) {
            chunk.live_bytes = chunk.live_bytes.saturating_sub(record_bytes);
            if self.current == Some(index) {
                if chunk.live_bytes == 0 {
                    chunk.data.clear();
                }
            } else {
                self.vacate_if_dead(index);
            }
        }
    }

    fn vacate_if_dead(&mut self, index: usize) {
        let chunk = &mut self.chunks[index];
        if chunk.live_bytes == 0 && chunk.data.capacity() > 0 {
            self.data_bytes -= chunk.data.capacity();
            chunk.data = Vec::new();
            self.vacant.push(index);
        }
    }

    fn add_chunk(&mut self, capacity: usize) -> Result<usize> {
        let chunk = Chunk {
            data: Vec::with_capacity(capacity),
            live_bytes: 0,
        };
        self.data_bytes += chunk.data.capacity();
        if let Some(index) = self.vacant.pop() {
            self.chunks[index] = chunk;
            return Ok(index);
        }
        if u32::try_from(self.chunks.len()).is_err() {
            return Err(SageError::new(
                ErrorCode::Internal,
                "the keys of one operator need more than 2^32 chunks",
            ));
        }
        self.chunks.push(chunk);
        Ok(self.chunks.len() - 1)
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        self.data_bytes
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.vacant.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(content: &[u8]) -> RawKey<'_> {
        RawKey { tag: 5, content }
    }

    #[test]
    fn keys_of_any_length_come_back() {
        let mut arena = KeyArena::default();
        let contents: Vec<Vec<u8>> = [0, 1, 16, 300, MAX_SHARED_BYTES, CHUNK_BYTES, 20 << 20]
            .into_iter()
            .cycle()
            .take(70)
            .enumerate()
            .map(|(index, length)| vec![u8::try_from(index).unwrap(); length])
            .collect();
        let places: Vec<_> = contents
            .iter()
            .map(|content| arena.put(key(content)).unwrap())
            .collect();
        for (place, content) in places.iter().zip(&contents) {
            assert_eq!(arena.get(*place), key(content));
        }
    }

    #[test]
    fn given_keys_that_come_and_go_then_memory_does_not_grow() {
        let mut arena = KeyArena::default();
        let content = [b'k'; 100];
        let mut places = std::collections::VecDeque::new();
        let mut most = 0;
        for step in 0..200_000 {
            places.push_back(arena.put(key(&content)).unwrap());
            if places.len() > 1000
                && let Some(oldest) = places.pop_front()
            {
                arena.remove(oldest);
            }
            if step == 10_000 {
                most = arena.bytes_used();
            }
        }
        assert!(arena.bytes_used() <= most, "{} > {most}", arena.bytes_used());
        assert!(places.iter().all(|&place| arena.get(place) == key(&content)));
    }

    #[test]
    fn given_all_keys_are_removed_then_one_chunk_at_most_is_kept() {
        let mut arena = KeyArena::default();
        let content = [b'k'; 1000];
        let places: Vec<_> = (0..1000).map(|_| arena.put(key(&content)).unwrap()).collect();
        for place in places {
            arena.remove(place);
        }
        assert_eq!(arena.data_bytes, CHUNK_BYTES);
    }
}
