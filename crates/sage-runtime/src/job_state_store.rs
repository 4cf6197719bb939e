//! The state on disk of a job.

use std::sync::Arc;

use sage_store::{JobStore, JobStoreOptions};
use sage_types::{ErrorCode, Result, SageError};

use crate::JobCore;

/// The store of a job, which most jobs do not have.
#[derive(Default)]
pub(crate) enum JobStateStore {
    /// Nobody has asked for it.
    #[default]
    Unused,
    Open(Arc<JobStore>),
    /// The job was dropped.
    Closed,
}

impl JobCore {
    /// The store of the job: made when the first one asks for it, removed when the job is dropped.
    ///
    /// # Errors
    /// Those of [`JobStore::create`]; `SAGE_JOB_CANCELED` after [`JobCore::close_state_store`].
    pub fn state_store(&self, options: &JobStoreOptions) -> Result<Arc<JobStore>> {
        let mut store = self.state_store.lock();
        match &*store {
            JobStateStore::Open(open) => Ok(Arc::clone(open)),
            JobStateStore::Unused => {
                let created = Arc::new(JobStore::create(options)?);
                *store = JobStateStore::Open(Arc::clone(&created));
                Ok(created)
            }
            JobStateStore::Closed => Err(SageError::new(
                ErrorCode::JobCanceled,
                "the job has ended, and its state with it",
            )),
        }
    }

    /// Ends the store: whoever waits for it is told, what was to be written is dropped, and the directory goes with the last
    /// user of the store.
    pub fn close_state_store(&self) {
        let store = std::mem::replace(&mut *self.state_store.lock(), JobStateStore::Closed);
        if let JobStateStore::Open(store) = store {
            store.writer().close();
        }
    }
}
