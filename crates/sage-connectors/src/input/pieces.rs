//! An input of a test: a text that comes in pieces.

use crate::input::filled::Filled;

/// Gives a text in pieces of some sizes, over and over; a size of 0 is a wait.
#[derive(Debug)]
pub(crate) struct Pieces {
    text: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    reads: usize,
}

impl Pieces {
    /// `sizes` must not be waits only; without any the text comes as a whole.
    pub(crate) fn new(text: Vec<u8>, sizes: Vec<usize>) -> Self {
        Self {
            text,
            at: 0,
            sizes,
            reads: 0,
        }
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Filled {
        let size = self.sizes.get(self.reads % self.sizes.len().max(1)).copied();
        self.reads += 1;
        let rest = &self.text[self.at..];
        let bytes = size.unwrap_or(usize::MAX).min(rest.len()).min(into.len());
        into[..bytes].copy_from_slice(&rest[..bytes]);
        self.at += bytes;
        match (bytes, size) {
            (0, Some(0)) => Filled::NotYet,
            (0, _) => Filled::End,
            _ => Filled::Bytes(bytes),
        }
    }
}
