//! All state on disk of one job.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sage_types::Result;

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
    directory: Arc<StateDirectory>,
}

impl JobStore {
    /// Makes the directory of a job, and opens its store.
    ///
    /// # Errors
    /// Those of [`StateDirectory::create`] and [`FjallStore::open`].
    pub fn create(options: &JobStoreOptions) -> Result<Self> {
        let directory = Arc::new(StateDirectory::create(&options.base)?);
        let store: Arc<dyn StateStore> =
            Arc::new(FjallStore::open(&directory.path().join("store"), options.fjall)?);
        let name = directory.path().display().to_string();
        Ok(Self {
            writer: WriteBehind::start(store, &name, options.write_queue_bytes)?,
            catalog: StateCatalog::default(),
            next_queue: AtomicU32::new(0),
            directory,
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

    /// The directory of the job.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A queue on disk that holds at most `limit_bytes`; `name` is what errors call it.
    ///
    /// # Errors
    /// Those of [`SpillQueue::create`].
    pub fn spill_queue(&self, name: &str, limit_bytes: u64) -> Result<SpillQueue> {
        let number = self.next_queue.fetch_add(1, Ordering::Relaxed);
        let folder = self.path().join(format!("queue-{number}"));
        Ok(SpillQueue::create(&folder, name, limit_bytes)?.within(Arc::clone(&self.directory)))
    }
}
