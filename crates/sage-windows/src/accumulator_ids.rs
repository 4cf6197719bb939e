//! Dense numbers of accumulators.

/// Gives accumulators dense numbers from 0; a freed number is used again, the last freed first.
#[derive(Debug)]
pub(crate) struct AccumulatorIds {
    next: u32,
    free: Vec<u32>,
}

impl AccumulatorIds {
    /// No numbers given yet.
    pub(crate) const fn new() -> Self {
        Self {
            next: 0,
            free: Vec::new(),
        }
    }

    /// A number that nobody has.
    #[inline]
    pub(crate) fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// Gives a number back.
    #[inline]
    pub(crate) fn give_back(&mut self, accumulator: u32) {
        self.free.push(accumulator);
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        self.free.capacity() * size_of::<u32>()
    }
}
