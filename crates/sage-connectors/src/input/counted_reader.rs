//! A buffered reader that knows how far it is.

use std::io::{BufRead, Read, Result};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// Counts the bytes that were used: what is read ahead does not count, so that errors name the place.
pub(crate) struct CountedReader<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    used: u64,
}

impl<R: Read> CountedReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            used: 0,
        }
    }

    /// How many bytes were used.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }
}

impl<R: Read> BufRead for CountedReader<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.at == self.filled {
            (self.at, self.filled) = (0, 0);
            self.filled = self.inner.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.at..self.filled])
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.filled - self.at);
        self.at += bytes;
        self.used += bytes as u64;
    }
}

impl<R: Read> Read for CountedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let bytes = self.fill_buf()?.read(into)?;
        self.consume(bytes);
        Ok(bytes)
    }
}
