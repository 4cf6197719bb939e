//! What the host of a job is told.

use std::collections::VecDeque;
use std::sync::Arc;

use sage_queue::sync::Mutex;

use crate::job_state::JobState;

/// Something that happened to a job.
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// The job's state is now this. For a terminal state: all native threads are gone, all temporary files too.
    State(JobState),
    /// The first error, as JSON; the state [`JobState::Failed`] follows when everything has been closed.
    Failure(Arc<str>),
    /// An epoch was begun, is durable or has failed, or a copy of one was written or not; as JSON.
    Epoch(Arc<str>),
}

impl JobEvent {
    /// `{"type":"state","state":"running"}`, `{"type":"failure","error":{...}}` or `{"type":"epoch","epoch":4,"last":false,"state":...}`
    /// with the state `begun`, `completed` or `failed`; the latter two with `bytes`, `durationMs`, `alignmentMs` and `error`; or
    /// `{"type":"savepoint","epoch":4,"path":"...","bytes":...,"durationMs":...}`, with `error` when there is none.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::State(state) => format!(r#"{{"type":"state","state":"{state}"}}"#),
            Self::Epoch(event) => event.to_string(),
            Self::Failure(error) => format!(r#"{{"type":"failure","error":{error}}}"#),
        }
    }
}

/// Called for each event, in order, from any thread, with no lock held; it must not block.
pub type JobListener = Arc<dyn Fn(&JobEvent) + Send + Sync>;

#[derive(Default)]
struct State {
    waiting: VecDeque<JobEvent>,
    /// A thread is calling the listener: it will also deliver what others add meanwhile, which keeps the order.
    delivering: bool,
    listener: Option<JobListener>,
}

/// Delivers events one after the other, in the order in which they were posted.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<State>);

impl Outbox {
    /// Queues an event; cheap, may be called with the job's lock held.
    pub(crate) fn post(&self, event: JobEvent) {
        self.0.lock().waiting.push_back(event);
    }

    /// Calls the listener for all queued events. Must not be called with a lock held. Without a listener events wait.
    pub(crate) fn deliver(&self) {
        let mut state = self.0.lock();
        if state.delivering {
            return;
        }
        while let Some(listener) = state.listener.clone()
            && let Some(event) = state.waiting.pop_front()
        {
            state.delivering = true;
            drop(state);
            listener(&event);
            state = self.0.lock();
            state.delivering = false;
        }
    }

    /// Sets the listener; events that nobody has heard yet are delivered to it.
    pub(crate) fn listen(&self, listener: Option<JobListener>) {
        self.0.lock().listener = listener;
        self.deliver();
    }
}
