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

    /// The share of `whole` that the part has: as large as its share of the file. For formats whose records lie in blocks of
    /// their own, beside parts of the file that nobody reads as records.
    pub(crate) fn share_of(&self, whole: u128) -> Range<u128> {
        match (&self.range, self.file.bytes) {
            (Some(range), Some(bytes)) if bytes > 0 => {
                let bound = |at: u64| whole * u128::from(at) / u128::from(bytes);
                bound(range.start)..bound(range.end)
            }
            _ => 0..whole,
        }
    }
}
