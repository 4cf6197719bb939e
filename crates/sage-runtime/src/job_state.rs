//! The states of a job and the ways between them.

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits until every isolate that its tasks name is attached.
    Initializing,
    /// Tasks run.
    Running,
    /// Tasks are not handed out; nothing is lost.
    Paused,
    /// Sources have been told to end; records in flight are being finished.
    Stopping,
    /// All sources were exhausted, all sinks have committed.
    Finished,
    /// Ended by `stop`, all sinks have committed.
    Stopped,
    /// Ended by an error, no sink was told to commit.
    Failed,
    /// Ended by `cancel`.
    Canceled,
}

impl JobState {
    /// The word that both languages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Finished | Self::Stopped | Self::Failed | Self::Canceled
        )
    }

    /// Whether tasks are handed out.
    #[must_use]
    pub fn hands_out(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }

    /// Whether a job may go from here to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::Initializing => false,
            Self::Running => matches!(self, Self::Initializing | Self::Paused),
            Self::Paused => self == Self::Running,
            Self::Stopping => matches!(self, Self::Initializing | Self::Running | Self::Paused),
            // The last task may finish while the job is paused: it was in somebody's hands.
            Self::Finished => matches!(self, Self::Running | Self::Paused),
            Self::Stopped => self == Self::Stopping,
            Self::Failed | Self::Canceled => !self.is_terminal(),
        }
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
