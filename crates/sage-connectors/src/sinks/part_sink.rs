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
}
