//! Recycled memory for frames: a busy job would otherwise ask the allocator for every batch.

use std::sync::{Mutex, PoisonError};

const SMALLEST_LOG2: u32 = 9;
const CLASSES: usize = 12;
/// Bytes that one size class keeps at most; what is more goes back to the allocator.
const MAX_KEPT_BYTES: usize = 4 << 20;

/// A size class keeps buffers of `2^(SMALLEST_LOG2 + class)` bytes: 512 B to 1 MiB. Larger ones are not kept.
static POOL: [Mutex<Vec<Box<[u64]>>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

/// Memory of at least the asked length, aligned to 8, that goes back to the pool when it is dropped. Its content is
/// whatever was in it before.
#[derive(Debug)]
pub(crate) struct PooledBuffer {
    words: Box<[u64]>,
}

fn class_of(bytes: usize) -> usize {
    let log2 = bytes.max(1).next_power_of_two().trailing_zeros();
    log2.saturating_sub(SMALLEST_LOG2) as usize
}

impl PooledBuffer {
    /// A buffer of at least `bytes` bytes.
    pub(crate) fn take(bytes: usize) -> Self {
        let class = class_of(bytes);
        let Some(class_pool) = POOL.get(class) else {
            return Self {
                words: vec![0; bytes.div_ceil(8)].into(),
            };
        };
        let kept = class_pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let words = kept.unwrap_or_else(|| vec![0; 1 << (class + SMALLEST_LOG2 as usize - 3)].into());
        Self { words }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let words = std::mem::take(&mut self.words);
        let bytes = words.len() * 8;
        let class = class_of(bytes);
        // A buffer above the largest class has a length that no class has.
        if let Some(class_pool) = POOL.get(class)
            && bytes == 1 << (class + SMALLEST_LOG2 as usize)
        {
            let mut class_pool = class_pool.lock().unwrap_or_else(PoisonError::into_inner);
            if (class_pool.len() + 1) * bytes <= MAX_KEPT_BYTES {
                class_pool.push(words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_asked_length_and_starts_at_a_multiple_of_8() {
        for bytes in [0, 1, 511, 512, 513, 65_536, 70_001, 1 << 20, (1 << 20) + 1] {
            let mut buffer = PooledBuffer::take(bytes);
            assert!(buffer.bytes().len() >= bytes);
            assert!(buffer.bytes().as_ptr().addr().is_multiple_of(8));
            buffer.bytes_mut().fill(7);
        }
    }

    #[test]
    fn given_a_dropped_buffer_when_one_of_its_size_is_taken_then_it_is_the_same_memory() {
        // Given: a size that no other test of this process takes.
        let mut first = PooledBuffer::take(200_000);
        first.bytes_mut()[..3].copy_from_slice(b"abc");
        let place = first.bytes().as_ptr();
        drop(first);

        let second = PooledBuffer::take(140_000);

        assert_eq!(second.bytes().as_ptr(), place);
        assert_eq!(&second.bytes()[..3], b"abc");
    }
}
