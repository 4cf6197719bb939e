//! What the bookkeeping has of a key, for a checkpoint.
//!
//! All books write a key as words of 8 bytes and accumulators, and read them in the same order. The place of an accumulator among
//! those of its key is what JavaScript calls it by, where it has what is in it.

use sage_state::{SavedBytes, damaged};
use sage_types::Result;

use crate::PaneAccumulators;

/// Numbers of panes and windows are nearer to 0: times are below 2^53, and an edge cuts a slide in two.
const MAX_NUMBER: i64 = 1 << 56;
/// Nobody has counted further.
const MAX_COUNT: u64 = 1 << 53;

/// Where what there is of a key is written.
pub(crate) trait KeySink {
    /// A number.
    fn word(&mut self, word: u64);

    /// An accumulator, which belongs to a window with these edges, or to a pane, whose number both edges are then.
    fn accumulator(&mut self, accumulator: u32, start: f64, end: f64);

    fn signed(&mut self, word: i64) {
        self.word(word.cast_unsigned());
    }

    fn float(&mut self, word: f64) {
        self.word(word.to_bits());
    }

    fn count(&mut self, count: usize) {
        self.word(count as u64);
    }
}

/// The bytes of a key in a checkpoint.
pub(crate) struct KeyBytes<'a, A> {
    pub(crate) bytes: &'a mut Vec<u8>,
    pub(crate) accumulators: &'a A,
}

impl<A: PaneAccumulators> KeySink for KeyBytes<'_, A> {
    fn word(&mut self, word: u64) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    fn accumulator(&mut self, accumulator: u32, _: f64, _: f64) {
        self.accumulators.save(accumulator, self.bytes);
    }
}

/// The accumulators of a key, in the order in which they are saved: number, start, end.
#[derive(Debug, Default)]
pub(crate) struct KeyAccumulators {
    pub(crate) accumulators: Vec<(u32, f64, f64)>,
}

impl KeySink for KeyAccumulators {
    fn word(&mut self, _: u64) {}

    fn accumulator(&mut self, accumulator: u32, start: f64, end: f64) {
        self.accumulators.push((accumulator, start, end));
    }
}

/// The number of a pane or window.
///
/// # Errors
/// `SAGE_CHECKPOINT_DAMAGED`. (Here and below.)
pub(crate) fn saved_number(saved: &mut SavedBytes<'_>) -> Result<i64> {
    let number = saved.i64()?;
    if (-MAX_NUMBER..=MAX_NUMBER).contains(&number) {
        return Ok(number);
    }
    Err(damaged("a window is outside of all time"))
}

/// How many of something.
pub(crate) fn saved_count(saved: &mut SavedBytes<'_>) -> Result<u64> {
    let count = saved.u64()?;
    if count <= MAX_COUNT {
        return Ok(count);
    }
    Err(damaged("something was counted that cannot be"))
}

/// How many windows or panes of a key: one at least.
pub(crate) fn saved_some(saved: &mut SavedBytes<'_>) -> Result<u64> {
    match saved_count(saved)? {
        0 => Err(damaged("a key has nothing")),
        count => Ok(count),
    }
}

/// Whether something is there.
pub(crate) fn saved_flag(saved: &mut SavedBytes<'_>) -> Result<bool> {
    match saved.u64()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(damaged("something neither is nor is not")),
    }
}

/// An accumulator, of what one had.
pub(crate) fn saved_accumulator<A: PaneAccumulators>(
    saved: &mut SavedBytes<'_>,
    accumulators: &mut A,
) -> Result<u32> {
    let bytes = saved.take(accumulators.saved_len())?;
    let accumulator = accumulators.ids().take();
    accumulators.restore(accumulator, bytes);
    Ok(accumulator)
}
