//! What the queues of one loop may hold.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use sage_queue::Waker;
use sage_queue::sync::Mutex;
use sage_store::{SpillQueue, StateDirectory};
use sage_types::{ErrorCode, Result, SageError};

use crate::job_core::JobCore;

/// The job of a loop, and its directory, which is made with the first queue on disk and goes with the last one.
#[derive(Default)]
pub(crate) struct LoopHost {
    job: OnceLock<Weak<JobCore>>,
    base: Option<PathBuf>,
    directory: Mutex<Weak<StateDirectory>>,
    next_queue: AtomicU64,
}

impl LoopHost {
    pub(crate) fn new(base: Option<&str>) -> Self {
        Self {
            base: base.map(PathBuf::from),
            ..Self::default()
        }
    }

    /// The job that fails when a loop does.
    pub(crate) fn belongs_to(&self, job: &Arc<JobCore>) {
        let _ = self.job.set(Arc::downgrade(job));
    }

    /// Must not be called with the lock of a queue held: the job closes all of them.
    pub(crate) fn fail(&self, error: &SageError) {
        if let Some(job) = self.job.get().and_then(Weak::upgrade) {
            job.fail(error);
        }
    }

    pub(crate) fn spill_queue(&self, name: &str) -> Result<SpillQueue> {
        let mut known = self.directory.lock();
        let directory = if let Some(directory) = known.upgrade() {
            directory
        } else {
            let base = self.base.clone().unwrap_or_else(StateDirectory::default_base);
            let made = Arc::new(StateDirectory::create(&base)?);
            *known = Arc::downgrade(&made);
            made
        };
        drop(known);
        let number = self.next_queue.fetch_add(1, Ordering::Relaxed);
        let folder = directory.path().join(format!("loop-{number}"));
        // The limit is that of all queues of the loop together, which only the budget knows.
        Ok(SpillQueue::create(&folder, name, u64::MAX)?.within(directory))
    }
}

/// What all feedback edges of one loop hold, in memory and on disk, and may hold.
pub(crate) struct LoopBudget {
    name: String,
    memory_limit: u64,
    spill_limit: u64,
    memory_bytes: AtomicU64,
    spill_bytes: AtomicU64,
    spill_rows: AtomicU64,
    full: AtomicBool,
    /// Those who let new records wait while the loop is full.
    entries: OnceLock<Vec<Arc<dyn Waker>>>,
}

impl LoopBudget {
    pub(crate) fn new(name: &str, memory_limit: u64, spill_limit: u64) -> Self {
        Self {
            name: name.to_owned(),
            memory_limit: memory_limit.max(1),
            spill_limit,
            memory_bytes: AtomicU64::new(0),
            spill_bytes: AtomicU64::new(0),
            spill_rows: AtomicU64::new(0),
            full: AtomicBool::new(false),
            entries: OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn wakes(&self, entries: Vec<Arc<dyn Waker>>) {
        let _ = self.entries.set(entries);
    }

    /// Whether new records are to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    pub(crate) fn has_memory_for(&self, bytes: u64) -> bool {
        self.memory_bytes.load(Ordering::SeqCst) + bytes <= self.memory_limit
    }

    /// In the lock of the queue that keeps it: whoever takes it out again comes behind.
    pub(crate) fn kept(&self, bytes: u64) {
        if self.memory_bytes.fetch_add(bytes, Ordering::SeqCst) + bytes >= self.memory_limit {
            self.full.store(true, Ordering::SeqCst);
        }
    }

    /// # Errors
    /// `SAGE_SPILL_LIMIT` when the loop would hold more on disk than it may; nothing is counted then.
    pub(crate) fn spilled(&self, rows: u64, bytes: u64) -> Result<()> {
        let before = self.spill_bytes.fetch_add(bytes, Ordering::SeqCst);
        if before + bytes > self.spill_limit {
            self.spill_bytes.fetch_sub(bytes, Ordering::SeqCst);
            return Err(self.over_limit(before));
        }
        self.spill_rows.fetch_add(rows, Ordering::SeqCst);
        self.full.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn over_limit(&self, bytes: u64) -> SageError {
        let rows = self.spill_rows.load(Ordering::SeqCst);
        SageError::new(
            ErrorCode::SpillLimit,
            format!(
                "the loop '{}' holds {} bytes in memory and {rows} records of {bytes} bytes on disk, and has no room for more: its limit on disk is {} bytes. Let the loop give out less than it takes in, or raise spillBytes of fromFuture",
                self.name,
                self.memory_bytes.load(Ordering::SeqCst),
                self.spill_limit
            ),
        )
        .with("loop", self.name.as_str())
        .with("records", rows)
        .with("bytes", bytes)
        .with("limitBytes", self.spill_limit)
    }

    pub(crate) fn unspilled(&self, rows: u64, bytes: u64) {
        self.spill_rows.fetch_sub(rows, Ordering::SeqCst);
        self.spill_bytes.fetch_sub(bytes, Ordering::SeqCst);
    }

    pub(crate) fn taken(&self, bytes: u64) {
        self.memory_bytes.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// Behind what was taken, with no lock held: lets new records in again when there is room.
    pub(crate) fn settle(&self) {
        let has_room = self.spill_bytes.load(Ordering::SeqCst) == 0
            && self.memory_bytes.load(Ordering::SeqCst) <= self.memory_limit / 2;
        if has_room && self.full.swap(false, Ordering::SeqCst) {
            for entry in self.entries.get().into_iter().flatten() {
                entry.wake();
            }
        }
    }
}
