//! A file of columns to which another process had written the beginning.

use std::io::{Result, Write};

use crate::output::OutputFile;

/// Leaves out what the library writes at the beginning of a file, where there is one already.
pub(crate) struct Segment {
    pub(crate) file: OutputFile,
    /// Bytes to leave out.
    left_out: usize,
    /// Nothing more is to be written.
    muted: bool,
}

impl Segment {
    pub(crate) fn new(file: OutputFile, left_out: usize) -> Self {
        Self {
            file,
            left_out,
            muted: false,
        }
    }

    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }
}

impl Write for Segment {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.muted {
            return Ok(bytes.len());
        }
        if self.left_out > 0 {
            let left_out = self.left_out.min(bytes.len());
            self.left_out -= left_out;
            return Ok(left_out);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}
