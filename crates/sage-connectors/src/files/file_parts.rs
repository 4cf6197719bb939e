//! The parts that an instance reads, one after the other.

use std::collections::VecDeque;
use std::time::Duration;

use sage_types::Result;

use crate::files::FilePart;
use crate::files::file_watcher::{FileWatcher, WatchedFile};

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

    /// The parts that are known and not yet given.
    ///
    /// # Errors
    /// `SAGE_IO_*` when the beginning of a file that was found has to be looked at.
    pub(crate) fn left(&self) -> Result<Vec<FilePart>> {
        match self {
            Self::Listed(parts) => Ok(parts.iter().cloned().collect()),
            Self::Watched(watcher) => watcher.left(),
        }
    }

    /// The files that were given by watching, which are not given again.
    pub(crate) fn watched(&self) -> Vec<WatchedFile> {
        match self {
            Self::Listed(_) => Vec::new(),
            Self::Watched(watcher) => watcher.given(),
        }
    }

    /// Goes on where earlier processes were: with these parts, and new files that are none of those.
    pub(crate) fn restore(&mut self, left: VecDeque<FilePart>, known: &[WatchedFile]) {
        match self {
            Self::Listed(parts) => *parts = left,
            Self::Watched(watcher) => watcher.restore(left, known),
        }
    }
}
