//! What writes the files of one number.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::BatchSink;

/// A sink that [`crate::sinks::PartsSink`] is made of. What its `prepare` gives is the state of a part.
pub(crate) trait PartSink: BatchSink {
    /// The files that it makes.
    fn paths(&self) -> Vec<PathBuf>;

    /// These files are part of the result: whoever removes those of earlier runs leaves them.
    fn keep(&mut self, paths: &HashSet<PathBuf>) {
        let _ = paths;
    }

    /// Whether it begins new files when it goes on after it was complete. Any other needs what it was before that.
    fn begins_new_files(&self) -> bool {
        false
    }
}

/// How the files of a number begin.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Beginning<'a> {
    Anew,
    /// Where they were prepared.
    Saved(&'a [u8]),
    /// Behind what was complete: `sealed`, and what it was right before. What is complete may be visible already.
    Completed {
        sealed: &'a [u8],
        open: Option<&'a [u8]>,
    },
}
