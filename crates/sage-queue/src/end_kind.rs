//! Why a stream of frames has ended.

/// Why a stream of frames has ended; travels with every end marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndKind {
    /// The source is exhausted, or the job was stopped with `drain`: final results are due.
    Drained,
    /// The job was stopped without `drain`: records in flight are finished, final results are not fired.
    Stopped,
}

impl EndKind {
    /// The kind of a task that has seen both ends: one stopped input is enough to keep final results back.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        self.max(other)
    }
}
