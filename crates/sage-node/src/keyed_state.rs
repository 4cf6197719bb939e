//! What a handle of keyed state stands for.

use std::sync::{Arc, Mutex};

use sage_frame::BatchView;
use sage_runtime::{HelpedAggregate, HelpedWindows, JobCore};
use sage_state::{KeyTable, KeyedStateTable, TimerTable};
use sage_types::Result;

/// Keyed state of one operator of a task. It belongs to one isolate.
pub(crate) struct KeyedState {
    pub(crate) job: Arc<JobCore>,
    pub(crate) kind: StateKind,
}

/// What the state is kept in.
pub(crate) enum StateKind {
    Aggregate(Box<HelpedAggregate>),
    Slots(Box<Mutex<KeyTable>>),
    Windows(Box<HelpedWindows>),
    Timers(Box<Mutex<TimerTable>>),
    States(Box<Mutex<KeyedStateTable>>),
}

impl KeyedState {
    /// A batch of the job.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH`.
    pub(crate) fn view<'a>(&self, image: &'a [u8]) -> Result<BatchView<'a>> {
        BatchView::from_image(image, self.job.registry())
    }
}
