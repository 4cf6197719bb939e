//! The file descriptor under an output, and how much went through it.

use std::fs::File;
use std::io::{ErrorKind, Result, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::output::durable::sync_file;
use crate::output::live_output::LiveOutput;

/// Writes to a file or to a pipe, and counts.
pub(crate) struct RawOutput {
    target: Target,
    bytes: Arc<AtomicU64>,
    /// A write has failed: what is there is not the result.
    failed: bool,
}

enum Target {
    File(File),
    Live(LiveOutput),
}

impl RawOutput {
    pub(crate) fn file(file: File) -> Self {
        Self::new(Target::File(file))
    }

    pub(crate) fn live(live: LiveOutput) -> Self {
        Self::new(Target::Live(live))
    }

    fn new(target: Target) -> Self {
        Self {
            target,
            bytes: Arc::default(),
            failed: false,
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// A file that has so many bytes already.
    pub(crate) fn file_behind(file: File, bytes: u64) -> Self {
        let output = Self::file(file);
        output.bytes.store(bytes, Ordering::Relaxed);
        output
    }

    /// Bytes written so far, for who watches from outside.
    pub(crate) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    pub(crate) fn as_live(&self) -> Option<&LiveOutput> {
        match &self.target {
            Target::File(_) => None,
            Target::Live(live) => Some(live),
        }
    }

    pub(crate) fn as_live_mut(&mut self) -> Option<&mut LiveOutput> {
        match &mut self.target {
            Target::File(_) => None,
            Target::Live(live) => Some(live),
        }
    }

    /// Makes the bytes so far durable. (A device or pipe has nothing that could be made so.)
    pub(crate) fn sync(&self) -> Result<()> {
        match &self.target {
            Target::File(file) => sync_file(file),
            Target::Live(_) => Ok(()),
        }
    }
}

impl Write for RawOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = match &mut self.target {
            Target::File(file) => file.write(bytes),
            Target::Live(live) => live.write(bytes),
        };
        let written = written.inspect_err(|error| self.failed |= error.kind() != ErrorKind::Interrupted)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.target {
            Target::File(file) => file.flush(),
            Target::Live(live) => live.flush(),
        }
    }
}
