//! What an instance has left to read.

use sage_types::Result;

use crate::files::{FilePart, FileParts, WatchedFile};

/// What is left to read.
#[derive(Debug, Default)]
pub(crate) struct PartsLeft {
    pub(crate) parts: Vec<FilePart>,
    /// Files that watching has given.
    pub(crate) watched: Vec<WatchedFile>,
}

impl PartsLeft {
    /// `current`: what is left of the part that is being read.
    ///
    /// # Errors
    /// Those of [`FileParts::left`].
    pub(crate) fn of(current: Option<FilePart>, parts: &FileParts) -> Result<Self> {
        Ok(Self {
            parts: current.into_iter().chain(parts.left()?).collect(),
            watched: parts.watched(),
        })
    }
}
