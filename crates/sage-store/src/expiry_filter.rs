//! Expired values leave the files of a store when these are rewritten.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};

/// What compactions have to know, shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct CompactionClock {
    now_ms: AtomicU64,
    stopped: AtomicBool,
}

impl CompactionClock {
    /// Moves the time on; it never goes back.
    pub(crate) fn advance_to(&self, now_ms: u64) {
        self.now_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// Compactions give up from now on, so that closing does not wait for them. What they replace stays.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Makes the filter of each compaction.
pub(crate) struct ExpiryFilterFactory {
    pub(crate) clock: Arc<CompactionClock>,
}

impl Factory for ExpiryFilterFactory {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(ExpiryFilter {
            now_ms: self.clock.now_ms(),
            clock: Arc::clone(&self.clock),
        })
    }
}

struct ExpiryFilter {
    /// Of the beginning: one compaction sees one time.
    now_ms: u64,
    clock: Arc<CompactionClock>,
}

impl CompactionFilter for ExpiryFilter {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        if self.clock.is_stopped() {
            return Err(fjall::LsmError::Io(std::io::ErrorKind::Interrupted.into()));
        }
        let value = item.value()?;
        Ok(match split_expiry(&value) {
            // A tombstone: an older value below must not come back.
            Some((expires_at_ms, _)) if expires_at_ms <= self.now_ms => Verdict::Remove,
            _ => Verdict::Keep,
        })
    }
}

/// Bytes of a stored value before those of its owner: when it expires.
pub(crate) const EXPIRY_BYTES: usize = 8;

/// When a stored value expires, and the bytes of its owner.
pub(crate) fn split_expiry(stored: &[u8]) -> Option<(u64, &[u8])> {
    let (expiry, bytes) = stored.split_first_chunk::<EXPIRY_BYTES>()?;
    Some((u64::from_le_bytes(*expiry), bytes))
}
