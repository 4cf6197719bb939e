//! A store in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock};

use sage_types::Result;

use crate::state_store::{StateStore, Visit, check_key};
use crate::{KeyList, StoredValue, WriteBatch, WriteOp};

/// A store in memory, for tests and as what other stores are compared with. Nothing of it is durable.
#[derive(Debug, Default)]
pub struct MemoryStore {
    entries: RwLock<BTreeMap<Vec<u8>, Entry>>,
}

/// When it expires, and its bytes.
type Entry = (u64, Vec<u8>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl StateStore for MemoryStore {
    fn read(&self, keys: &KeyList, found: &mut dyn FnMut(usize, StoredValue<'_>)) -> Result<()> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        for (index, key) in keys.iter().enumerate() {
            check_key(key)?;
            if let Some((expires_at_ms, bytes)) = entries.get(key) {
                found(
                    index,
                    StoredValue {
                        bytes,
                        expires_at_ms: *expires_at_ms,
                    },
                );
            }
        }
        Ok(())
    }

    fn write(&self, batch: &WriteBatch) -> Result<()> {
        for (key, _) in batch.iter() {
            check_key(key)?;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for (key, op) in batch.iter() {
            match op {
                WriteOp::Put(value) => {
                    entries.insert(key.to_vec(), (value.expires_at_ms, value.bytes.to_vec()));
                }
                WriteOp::Remove => {
                    entries.remove(key);
                }
            }
        }
        Ok(())
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        // A copy: `visit` may write.
        let entries = self
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (key, (expires_at_ms, bytes)) in entries.range(prefix.to_vec()..) {
            let value = StoredValue {
                bytes,
                expires_at_ms: *expires_at_ms,
            };
            if !key.starts_with(prefix) || visit(key, value)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn advance_to(&self, now_ms: u64) -> Result<()> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (expires_at_ms, _)| *expires_at_ms > now_ms);
        Ok(())
    }

    fn approximate_bytes(&self) -> Result<u64> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let bytes: usize = entries
            .iter()
            .map(|(key, (_, bytes))| key.len() + bytes.len() + 8)
            .sum();
        Ok(bytes as u64)
    }

    fn stop(&self) {}
}
