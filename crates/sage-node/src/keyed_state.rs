//! What a handle of keyed state stands for.

use std::sync::{Arc, Mutex};

use sage_frame::BatchView;
use sage_runtime::{HelpedAggregate, HelpedWindows, JobCore};
use sage_state::{KeyTable, KeyedStateTable, TimerTable};
use sage_types::Result;

use crate::guard::internal;

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
    /// Everything that it holds, as entries by key group.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn save(&self) -> Result<Vec<u8>> {
        Err(internal("this state cannot be saved yet"))
    }

    /// Puts saved entries in.
    ///
    /// # Errors
    /// Those of the store; `SAGE_CHECKPOINT_DAMAGED` for bytes that are no entries.
    pub(crate) fn restore(&self, _entries: &[u8]) -> Result<()> {
        Err(internal("this state cannot be restored yet"))
    }

    /// A batch of the job.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH`.
    pub(crate) fn view<'a>(&self, image: &'a [u8]) -> Result<BatchView<'a>> {
        BatchView::from_image(image, self.job.registry())
    }
}
