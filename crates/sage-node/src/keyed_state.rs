//! What a handle of keyed state stands for.

use std::sync::{Arc, Mutex};

use sage_frame::BatchView;
use sage_runtime::{HelpedAggregate, JobCore};
use sage_state::{KeyTable, KeyedStateTable};
use sage_types::Result;

/// Keyed state of one operator of a task. It belongs to one isolate.
pub(crate) struct KeyedState {
    pub(crate) job: Arc<JobCore>,
    pub(crate) kind: StateKind,
}

/// What the state is kept in.
pub(crate) enum StateKind {
    Aggregate(Arc<HelpedAggregate>),
    Slots(Box<Mutex<KeyTable>>),
    States(Box<Mutex<KeyedStateTable>>),
}

impl Drop for KeyedState {
    fn drop(&mut self) {
        if let StateKind::Aggregate(aggregate) = &self.kind {
            aggregate.close();
        }
    }
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
