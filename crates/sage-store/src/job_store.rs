//! All state on disk of one job.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sage_types::{ErrorCode, Result, SageError};

use crate::{FjallOptions, FjallStore, SpillQueue, StateCatalog, StateDirectory, StateStore, WriteBehind};

/// How a job keeps state on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStoreOptions {
    /// Where the directory of the job goes.
    pub base: PathBuf,
    /// Memory and threads of the store.
    pub fjall: FjallOptions,
    /// What may wait to be written.
    pub write_queue_bytes: usize,
}

impl Default for JobStoreOptions {
    fn default() -> Self {
        Self {
            base: StateDirectory::default_base(),
            fjall: FjallOptions::default(),
            write_queue_bytes: 16 << 20,
        }
    }
}

/// The store of a job and its queues on disk; all of it is removed when this and the queues are dropped.
#[derive(Debug)]
pub struct JobStore {
    // In this order: the thread ends and the files are closed before the directory goes.
    writer: WriteBehind,
    catalog: StateCatalog,
    next_queue: AtomicU32,
    directory: Option<Arc<StateDirectory>>,
}

impl JobStore {
    /// Makes the directory of a job, and opens its store.
    ///
    /// # Errors
    /// Those of [`StateDirectory::create`] and [`FjallStore::open`].
    pub fn create(options: &JobStoreOptions) -> Result<Self> {
        let directory = StateDirectory::create(&options.base)?;
        let store = FjallStore::open(&directory.path().join("store"), options.fjall)?;
        let name = directory.path().display().to_string();
        let mut job = Self::over(Arc::new(store), &name, options.write_queue_bytes)?;
        job.directory = Some(Arc::new(directory));
        Ok(job)
    }

    /// As [`JobStore::create`], over a store that somebody else has made: without a directory, and so without queues.
    ///
    /// # Errors
    /// Those of [`WriteBehind::start`].
    pub fn over(store: Arc<dyn StateStore>, name: &str, write_queue_bytes: usize) -> Result<Self> {
        Ok(Self {
            writer: WriteBehind::start(store, name, write_queue_bytes)?,
            catalog: StateCatalog::default(),
            next_queue: AtomicU32::new(0),
            directory: None,
        })
    }

    /// The store, written by its own thread.
    #[must_use]
    pub const fn writer(&self) -> &WriteBehind {
        &self.writer
    }

    /// The numbers of states.
    #[must_use]
    pub const fn catalog(&self) -> &StateCatalog {
        &self.catalog
    }

    /// The directory of the job, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.directory.as_ref().map(|directory| directory.path())
    }

    /// A queue on disk that holds at most `limit_bytes`; `name` is what errors call it.
    ///
    /// # Errors
    /// Those of [`SpillQueue::create`]; `SAGE_INTERNAL` without a directory.
    pub fn spill_queue(&self, name: &str, limit_bytes: u64) -> Result<SpillQueue> {
        let Some(directory) = &self.directory else {
            return Err(SageError::new(
                ErrorCode::Internal,
                "this state store has no directory for queues",
            ));
        };
        let number = self.next_queue.fetch_add(1, Ordering::Relaxed);
        let folder = directory.path().join(format!("queue-{number}"));
        Ok(SpillQueue::create(&folder, name, limit_bytes)?.within(Arc::clone(directory)))
    }
}
