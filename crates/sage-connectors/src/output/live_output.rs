//! Standard output, pipes and devices: what is written is visible at once and cannot be taken back.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

use crate::Cancellation;

/// Most bytes written at once where writing may wait. A pipe that says it is writable takes this many without waiting.
const PIECE_BYTES: usize = 4096;

/// A pipe or device. A pipe whose reader has gone takes everything and keeps nothing; see [`LiveOutput::is_reader_gone`].
pub(crate) struct LiveOutput {
    file: File,
    /// Whether a write may wait for somebody.
    may_wait: bool,
    cancellation: Cancellation,
    reader_gone: bool,
    canceled: bool,
}

impl LiveOutput {
    /// The standard output of the process.
    pub(crate) fn standard_output() -> Result<Self> {
        #[cfg(unix)]
        let file = File::from(std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned()?);
        #[cfg(windows)]
        let file =
            File::from(std::os::windows::io::AsHandle::as_handle(&std::io::stdout()).try_clone_to_owned()?);
        Self::new(file)
    }

    /// A device or named pipe.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::new(OpenOptions::new().write(true).open(path)?)
    }

    fn new(file: File) -> Result<Self> {
        // Standard output may be a file as well: that never waits.
        let may_wait = !file.metadata()?.is_file();
        Ok(Self {
            file,
            may_wait,
            cancellation: Cancellation::default(),
            reader_gone: false,
            canceled: false,
        })
    }

    pub(crate) fn cancel_when(&mut self, cancellation: Cancellation) {
        self.cancellation = cancellation;
    }

    /// Whether who read the pipe has closed it.
    pub(crate) fn is_reader_gone(&self) -> bool {
        self.reader_gone
    }

    /// Whether the last write was given up because the job is over.
    pub(crate) fn is_canceled(&self) -> bool {
        self.canceled
    }

    /// Waits until a piece can be written without waiting.
    #[cfg(unix)]
    fn wait(&self) -> Result<()> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        // How soon a cancellation is noticed.
        const SLICE: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        loop {
            let mut descriptors = [PollFd::new(&self.file, PollFlags::OUT)];
            match poll(&mut descriptors, Some(&SLICE)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if self.cancellation.is_canceled() {
                return Ok(());
            }
        }
    }

    /// Consoles and pipes of Windows cannot be asked: there a write waits, and is over when its reader goes.
    #[cfg(not(unix))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as on other systems"
    )]
    fn wait(&self) -> Result<()> {
        Ok(())
    }
}

impl Write for LiveOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.reader_gone {
            return Ok(bytes.len());
        }
        if !self.may_wait {
            return self.file.write(bytes);
        }
        let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
        loop {
            self.wait()?;
            if self.cancellation.is_canceled() {
                self.canceled = true;
                return Err(Error::other("the job is over"));
            }
            match self.file.write(piece) {
                // Somebody else in the process may have made it one that does not wait.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    self.reader_gone = true;
                    return Ok(bytes.len());
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}
