//! The parts that an instance reads, one after the other.

use std::collections::VecDeque;
use std::time::Duration;

use sage_types::Result;

use crate::files::FilePart;
use crate::files::file_watcher::FileWatcher;

/// What an instance reads next.
#[derive(Debug)]
pub(crate) enum NextPart {
    Part(FilePart),
    /// Nothing yet: see [`FileParts::wait`].
    Waiting,
    Ended,
}

/// The parts of files that an instance reads: a list, or whatever comes.
#[derive(Debug)]
pub(crate) enum FileParts {
    Listed(VecDeque<FilePart>),
    Watched(FileWatcher),
}

impl FileParts {
    /// # Errors
    /// Those of listing the watched directories, and `SAGE_IO_CHANGED`.
    pub(crate) fn next(&mut self) -> Result<NextPart> {
        match self {
            Self::Listed(parts) => Ok(parts.pop_front().map_or(NextPart::Ended, NextPart::Part)),
            Self::Watched(watcher) => Ok(watcher.next()?.map_or(NextPart::Waiting, NextPart::Part)),
        }
    }

    /// Waits until there may be a part, up to `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        match self {
            Self::Listed(_) => {}
            Self::Watched(watcher) => watcher.wait(timeout),
        }
    }
}
