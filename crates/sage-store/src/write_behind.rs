//! Writing on a thread of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use sage_types::{ErrorCode, Result, SageError};

use crate::store_error::closed;
use crate::{KeyList, StateStore, StoredValue, SyncTicket, Visit, WriteBatch, WriteOp};

/// A store whose batches are written by a thread, in the order in which they were submitted. Readers see a batch from the
/// moment on in which it was submitted.
///
/// What waits to be written is bounded in bytes: [`WriteBehind::submit`] waits while there is more. After an error nothing
/// is written any more, and everybody is told that error.
#[derive(Debug)]
pub struct WriteBehind {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn StateStore>,
    name: String,
    limit_bytes: usize,
    state: Mutex<State>,
    /// A batch was submitted or written, or the end has come.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first. A batch stays until it has been written, so that readers find it.
    queue: VecDeque<Step>,
    queued_bytes: usize,
    failed: Option<SageError>,
    closed: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Write(Arc<WriteBatch>),
    Sync(SyncTicket),
    AdvanceTo(u64),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: until it is closed, or a step fails.
    fn run(&self) {
        while let Some(step) = self.next_step() {
            let done = catch_unwind(AssertUnwindSafe(|| self.do_step(&step)));
            let done = done.unwrap_or_else(|_| {
                Err(SageError::new(
                    ErrorCode::Internal,
                    "the thread that writes state panicked",
                ))
            });
            if let Step::Sync(ticket) = &step {
                ticket.settle(done.clone());
            }
            let mut state = self.lock();
            if let Err(error) = done {
                state.failed.get_or_insert(error);
            } else if let Some(Step::Write(batch)) = state.queue.pop_front() {
                state.queued_bytes -= batch.byte_len();
            }
            drop(state);
            self.changed.notify_all();
        }
        let mut state = self.lock();
        let error = state.failed.clone().unwrap_or_else(|| closed(&self.name));
        for step in state.queue.drain(..) {
            if let Step::Sync(ticket) = step {
                ticket.settle(Err(error.clone()));
            }
        }
    }

    fn next_step(&self) -> Option<Step> {
        let state = self.lock();
        let waiting = |state: &mut State| state.queue.is_empty() && !state.closed && state.failed.is_none();
        let state = self.changed.wait_while(state, waiting);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.failed.is_some() {
            return None;
        }
        state.queue.front().cloned()
    }

    fn do_step(&self, step: &Step) -> Result<()> {
        match step {
            Step::Write(batch) => self.store.write(batch),
            Step::Sync(_) => self.store.sync(),
            Step::AdvanceTo(now_ms) => self.store.advance_to(*now_ms),
        }
    }
}

impl State {
    fn check(&self, name: &str) -> Result<()> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None if self.closed => Err(closed(name)),
            None => Ok(()),
        }
    }
}

impl WriteBehind {
    /// Starts the thread. `name` is what errors call the store; at most `limit_bytes` wait to be written, and one batch may
    /// always.
    ///
    /// # Errors
    /// `SAGE_STATE_IO` when there can be no thread.
    pub fn start(store: Arc<dyn StateStore>, name: &str, limit_bytes: usize) -> Result<Self> {
        let shared = Arc::new(Shared {
            store,
            name: name.to_owned(),
            limit_bytes,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("sage-store-write".to_owned())
            .spawn(move || of_thread.run())
            .map_err(|error| {
                SageError::new(ErrorCode::StateIo, "cannot start the thread that writes state")
                    .caused_by(error)
            })?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The store itself, without what is still to be written.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.shared.store
    }

    /// Hands a batch over; waits while too much is waiting.
    ///
    /// # Errors
    /// That of an earlier write; `SAGE_JOB_CANCELED` when the store is closed, also while this waits.
    pub fn submit(&self, mut batch: WriteBatch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        batch.sort();
        let bytes = batch.byte_len();
        let state = self.shared.lock();
        let full = |state: &mut State| {
            state.check("").is_ok()
                && state.queued_bytes > 0
                && state.queued_bytes + bytes > self.shared.limit_bytes
        };
        let state = self.shared.changed.wait_while(state, full);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.check(&self.shared.name)?;
        state.queued_bytes += bytes;
        state.queue.push_back(Step::Write(Arc::new(batch)));
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Reads as [`StateStore::read`], and sees what is still to be written.
    ///
    /// # Errors
    /// As [`StateStore::read`], and that of an earlier write.
    pub fn read(&self, keys: &KeyList, found: &mut dyn FnMut(usize, StoredValue<'_>)) -> Result<()> {
        let waiting = {
            let state = self.shared.lock();
            state.check(&self.shared.name)?;
            // A batch that leaves the queue while we look is in the store already.
            let batches = state.queue.iter().rev().filter_map(|step| match step {
                Step::Write(batch) => Some(Arc::clone(batch)),
                _ => None,
            });
            batches.collect::<Vec<_>>()
        };
        if waiting.is_empty() {
            return self.shared.store.read(keys, found);
        }
        let mut rest = KeyList::new();
        let mut numbers = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            match waiting.iter().find_map(|batch| batch.find(key)) {
                Some(WriteOp::Put(value)) => found(index, value),
                Some(WriteOp::Remove) => {}
                None => {
                    rest.push(&[key]);
                    numbers.push(index);
                }
            }
        }
        self.shared
            .store
            .read(&rest, &mut |index, value| found(numbers[index], value))
    }

    /// Scans as [`StateStore::scan`], after everything that was submitted before has been written.
    ///
    /// # Errors
    /// As [`StateStore::scan`], and that of an earlier write.
    pub fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.flush()?;
        self.shared.store.scan(prefix, visit)
    }

    /// Waits until what was submitted so far is written (not durable: that is [`WriteBehind::sync`]).
    ///
    /// # Errors
    /// As [`WriteBehind::submit`].
    pub fn flush(&self) -> Result<()> {
        let state = self.shared.lock();
        let busy = |state: &mut State| state.check("").is_ok() && !state.queue.is_empty();
        let state = self.shared.changed.wait_while(state, busy);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.check(&self.shared.name)
    }

    /// Has everything that was submitted so far made durable; does not wait for it.
    ///
    /// # Errors
    /// As [`WriteBehind::submit`].
    pub fn sync(&self) -> Result<SyncTicket> {
        let ticket = SyncTicket::default();
        self.push(Step::Sync(ticket.clone()))?;
        Ok(ticket)
    }

    /// Says what time it is, so that what has expired is dropped; does not wait for it. The time never goes back.
    ///
    /// # Errors
    /// As [`WriteBehind::submit`].
    pub fn advance_to(&self, now_ms: u64) -> Result<()> {
        let mut state = self.shared.lock();
        state.check(&self.shared.name)?;
        // The first one may be at work with the time that it has.
        if let Some(Step::AdvanceTo(time_ms)) = state.queue.iter_mut().skip(1).last() {
            *time_ms = now_ms.max(*time_ms);
            return Ok(());
        }
        drop(state);
        self.push(Step::AdvanceTo(now_ms))
    }

    fn push(&self, step: Step) -> Result<()> {
        let mut state = self.shared.lock();
        state.check(&self.shared.name)?;
        state.queue.push_back(step);
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Ends the thread at once; what waits to be written is dropped, and whoever waits is told.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.store.stop();
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Its panics were caught.
            let _ = thread.join();
        }
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.close();
    }
}
