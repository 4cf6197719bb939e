//! Dense numbers of accumulators.

/// Gives accumulators dense numbers from 1; a freed number is used again, the last freed first.
#[derive(Debug)]
pub struct AccumulatorIds {
    next: u32,
    free: Vec<u32>,
}

impl Default for AccumulatorIds {
    fn default() -> Self {
        Self::new()
    }
}

impl AccumulatorIds {
    /// No numbers given yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            next: 1,
            free: Vec::new(),
        }
    }

    /// A number that nobody has.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// Gives a number back.
    #[inline]
    pub fn give_back(&mut self, accumulator: u32) {
        self.free.push(accumulator);
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.free.capacity() * size_of::<u32>()
    }
}
