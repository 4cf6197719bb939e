//! Pipes, terminals and the like: what another process may let wait.

use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::time::Duration;

use crate::input::standard_input::{StandardInputGuard, take_standard_input};

/// A file that is read only when it has something, so that a job can end while it has nothing.
#[derive(Debug)]
pub(crate) struct PolledFile {
    file: File,
    /// Held while it is the standard input.
    _guard: Option<StandardInputGuard>,
}

impl PolledFile {
    pub(crate) fn new(file: File) -> Self {
        Self { file, _guard: None }
    }

    /// The standard input of the process, for as long as the value lives.
    ///
    /// # Errors
    /// Those of [`take_standard_input`].
    pub(crate) fn standard_input() -> sage_types::Result<Self> {
        let (file, guard) = take_standard_input()?;
        Ok(Self {
            file,
            _guard: Some(guard),
        })
    }

    /// Waits up to `timeout` until there is something to read, or the end.
    #[cfg(unix)]
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let timeout = Timespec::try_from(timeout).ok();
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(ready) => ready > 0,
            Err(rustix::io::Errno::INTR) => false,
            // Reading says what is wrong.
            Err(_) => true,
        }
    }

    /// Systems without `poll` wait in the read itself: a job that is stopped ends with the next data.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as where there is something to wait for")]
    pub(crate) fn wait(&self, _timeout: Duration) -> bool {
        true
    }

    /// What is there; `None` when there is nothing yet.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        if !self.wait(Duration::ZERO) {
            return Ok(None);
        }
        match self.file.read(into) {
            Ok(bytes) => Ok(Some(bytes)),
            // Somebody made it non-blocking, or was faster.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
