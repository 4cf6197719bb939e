//! A part of a file, which one instance reads.

use std::ops::Range;

use crate::files::InputFile;

/// A file, or a range of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePart {
    pub(crate) file: InputFile,
    /// The bytes, of those that the file had when it was found; `None` for all that can be read.
    pub(crate) range: Option<Range<u64>>,
}

impl FilePart {
    pub(crate) fn whole(file: InputFile) -> Self {
        Self { file, range: None }
    }
}
