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

#[cfg(test)]
mod tests {
    use super::EndKind::{Drained, Stopped};

    #[test]
    fn given_two_ends_then_one_that_was_stopped_is_enough() {
        let combined = [
            (Drained, Drained),
            (Drained, Stopped),
            (Stopped, Drained),
            (Stopped, Stopped),
        ]
        .map(|(one, other)| one.combine(other));
        assert_eq!(combined, [Drained, Stopped, Stopped, Stopped]);
    }
}
