//! A store on disk.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use fjall::PersistMode;
use sage_types::Result;

use crate::expiring_bytes::ExpiringBytes;
use crate::expiry_filter::{EXPIRY_BYTES, split_expiry};
use crate::fjall_engine::FjallEngine;
use crate::state_store::{StateStore, Visit, check_key};
use crate::store_error::{corrupt, io_error};
use crate::{KeyList, NEVER_MS, StoredValue, WriteBatch, WriteOp};

/// How much memory and how many threads a store takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FjallOptions {
    /// Blocks of files that are kept in memory.
    pub cache_bytes: u64,
    /// What was written last and is not in files yet; up to four times as much while it is being written.
    pub memtable_bytes: u64,
    /// Threads that write and merge files.
    pub worker_threads: usize,
    /// Files are rewritten when at least so many bytes in them have expired, and it is a quarter of all.
    pub reclaim_min_bytes: u64,
}

impl Default for FjallOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            memtable_bytes: 16 << 20,
            worker_threads: 2,
            reclaim_min_bytes: 32 << 20,
        }
    }
}

/// A store on disk: a log-structured merge tree with a journal, checksums in every block, and threads of its own that
/// write and merge files.
pub struct FjallStore {
    engine: FjallEngine,
    options: FjallOptions,
    expiring: Mutex<ExpiringBytes>,
    /// The thread that drops what has expired, if there was one.
    reclaim: Mutex<Option<JoinHandle<Result<()>>>>,
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStore")
            .field("path", &self.engine.path)
            .finish_non_exhaustive()
    }
}

impl FjallStore {
    /// Opens the store in a directory, which is made when it is not there.
    ///
    /// # Errors
    /// `SAGE_STATE_DIRECTORY` when the directory cannot be used, `SAGE_STATE_CORRUPT` when its files are damaged,
    /// `SAGE_STATE_VERSION` when another version has written them, `SAGE_IO_DISK_FULL`, `SAGE_STATE_IO`.
    pub fn open(path: &Path, options: FjallOptions) -> Result<Self> {
        Ok(Self {
            engine: FjallEngine::open(path, options)?,
            options,
            expiring: Mutex::default(),
            reclaim: Mutex::default(),
        })
    }

    fn start_reclaim(&self, running: &mut Option<JoinHandle<Result<()>>>) -> Result<()> {
        let engine = self.engine.clone();
        let thread = std::thread::Builder::new()
            .name("sage-store-reclaim".to_owned())
            .spawn(move || match engine.rewrite() {
                // Given up on purpose.
                Err(_) if engine.clock.is_stopped() => Ok(()),
                done => done,
            })
            .map_err(|error| io_error("start a thread for", &self.engine.path, &error))?;
        *running = Some(thread);
        Ok(())
    }

    fn stored_value<'a>(&self, stored: &'a [u8]) -> Result<StoredValue<'a>> {
        split_expiry(stored)
            .map(|(expires_at_ms, bytes)| StoredValue { bytes, expires_at_ms })
            .ok_or_else(|| corrupt(&self.engine.path, "a value has no head"))
    }
}

impl StateStore for FjallStore {
    fn read(&self, keys: &KeyList, found: &mut dyn FnMut(usize, StoredValue<'_>)) -> Result<()> {
        for index in keys.sorted() {
            let key = keys.get(index);
            check_key(key)?;
            if let Some(stored) = self.engine.guarded("read", || self.engine.keyspace.get(key))? {
                found(index, self.stored_value(&stored)?);
            }
        }
        Ok(())
    }

    fn write(&self, batch: &WriteBatch) -> Result<()> {
        self.engine.wait_for_room()?;
        let mut writes = self.engine.database.batch();
        let mut stored = Vec::new();
        for (key, op) in batch.iter() {
            check_key(key)?;
            match op {
                WriteOp::Put(value) => {
                    stored.clear();
                    stored.extend_from_slice(&value.expires_at_ms.to_le_bytes());
                    stored.extend_from_slice(value.bytes);
                    writes.insert(&self.engine.keyspace, key, stored.as_slice());
                }
                WriteOp::Remove => writes.remove(&self.engine.keyspace, key),
            }
        }
        self.engine.guarded("write", || writes.commit())?;
        let mut expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, op) in batch.iter() {
            if let WriteOp::Put(value) = op
                && value.expires_at_ms != NEVER_MS
            {
                let bytes = key.len() + value.bytes.len() + EXPIRY_BYTES;
                expiring.add(value.expires_at_ms, bytes as u64);
            }
        }
        Ok(())
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        for entry in self.engine.keyspace.prefix(prefix) {
            let (key, stored) = self.engine.guarded("read", || entry.into_inner())?;
            if visit(&key, self.stored_value(&stored)?)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.engine
            .guarded("write", || self.engine.database.persist(PersistMode::SyncAll))
    }

    fn advance_to(&self, now_ms: u64) -> Result<()> {
        self.engine.clock.advance_to(now_ms);
        let mut running = self.reclaim.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = running.take_if(|thread| thread.is_finished()) {
            thread
                .join()
                .map_err(|_| corrupt(&self.engine.path, "the store engine gave up"))??;
        }
        if running.is_some() {
            return Ok(());
        }
        let mut expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        let expired = expiring.expired_at(now_ms);
        if expired < self.options.reclaim_min_bytes.max(1) || expired < self.engine.keyspace.disk_space() / 4
        {
            return Ok(());
        }
        expiring.take_expired();
        self.start_reclaim(&mut running)
    }

    fn approximate_bytes(&self) -> Result<u64> {
        self.engine
            .guarded("measure", || self.engine.database.disk_space())
    }

    fn stop(&self) {
        self.engine.clock.stop();
    }
}

impl Drop for FjallStore {
    fn drop(&mut self) {
        self.engine.clock.stop();
        let reclaim = self.reclaim.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = reclaim.take() {
            // It gives up at the next value that it reads; its error is of no use to anybody.
            let _ = thread.join();
        }
    }
}
