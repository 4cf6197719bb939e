//! The part of a job that changes rarely and is guarded by one lock.

use std::sync::Arc;

use sage_connectors::SourceStatistics;
use sage_types::TaskId;

use crate::job_state::JobState;

/// What a native sink said when it committed.
#[derive(Debug, Clone)]
pub(crate) struct SinkCommit {
    pub(crate) task: TaskId,
    pub(crate) report: serde_json::Value,
}

/// What a native source had read at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceRead {
    pub(crate) task: TaskId,
    pub(crate) statistics: SourceStatistics,
}

/// Whether a task takes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wakefulness {
    Awake,
    /// Its isolate has not come yet.
    Dormant,
    /// Its input ended before its isolate came.
    EndedAsleep,
}

#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) state: JobState,
    /// A terminal state was reached *and* every native thread is gone; nothing changes after it.
    pub(crate) settled: bool,
    /// All tasks have done their work and the counts agree: native sinks commit.
    pub(crate) committing: bool,
    /// The first error as JSON.
    pub(crate) error: Option<Arc<str>>,
    /// Errors after the first one, as JSON.
    pub(crate) suppressed: Vec<Arc<str>>,
    /// By position in the job's isolate list.
    pub(crate) attached: Vec<bool>,
    /// By task id.
    pub(crate) wakefulness: Vec<Wakefulness>,
    /// Tasks that are not finished (a native sink: not ready to commit).
    pub(crate) unfinished_tasks: usize,
    pub(crate) native_threads: usize,
    pub(crate) commits: Vec<SinkCommit>,
    pub(crate) reads: Vec<SourceRead>,
    pub(crate) started_nanos: Option<u64>,
    pub(crate) ended_nanos: Option<u64>,
}

/// At most so many errors after the first are kept.
const MAX_SUPPRESSED: usize = 16;

impl Status {
    pub(crate) fn new(isolates: usize, wakefulness: Vec<Wakefulness>) -> Self {
        Self {
            state: JobState::Initializing,
            settled: false,
            committing: false,
            error: None,
            suppressed: Vec::new(),
            attached: vec![false; isolates],
            unfinished_tasks: wakefulness.len(),
            wakefulness,
            native_threads: 0,
            commits: Vec::new(),
            reads: Vec::new(),
            started_nanos: None,
            ended_nanos: None,
        }
    }

    /// Keeps an error that came when the job's fate was already decided.
    pub(crate) fn suppress(&mut self, error: Arc<str>) {
        if self.suppressed.len() < MAX_SUPPRESSED {
            self.suppressed.push(error);
        }
    }
}
