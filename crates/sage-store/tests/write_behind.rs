//! Writing on a thread, with a store that a test holds up.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sage_store::{KeyList, MemoryStore, StateStore, StoredValue, Visit, WriteBatch, WriteBehind};
use sage_types::{ErrorCode, Result, SageError};

/// Writes when it is let, and fails when it is told.
#[derive(Debug, Default)]
struct HeldStore {
    inner: MemoryStore,
    gate: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Gate {
    permits: usize,
    fails: bool,
    stopped: bool,
}

impl HeldStore {
    fn change(&self, change: impl FnOnce(&mut Gate)) {
        change(&mut self.gate.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

impl StateStore for HeldStore {
    fn read(&self, keys: &KeyList, found: &mut dyn FnMut(usize, StoredValue<'_>)) -> Result<()> {
        self.inner.read(keys, found)
    }

    fn write(&self, batch: &WriteBatch) -> Result<()> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gate = self
            .changed
            .wait_while(gate, |gate| gate.permits == 0 && !gate.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        if gate.fails {
            return Err(SageError::new(ErrorCode::IoDiskFull, "full"));
        }
        gate.permits = gate.permits.saturating_sub(1);
        self.inner.write(batch)
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.inner.scan(prefix, visit)
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn advance_to(&self, now_ms: u64) -> Result<()> {
        self.inner.advance_to(now_ms)
    }

    fn approximate_bytes(&self) -> Result<u64> {
        self.inner.approximate_bytes()
    }

    fn stop(&self) {
        self.change(|gate| gate.stopped = true);
    }
}

fn put(key: &[u8], value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(&[key], StoredValue::lasting(value));
    batch
}

fn get(store: &WriteBehind, key: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut keys = KeyList::new();
    keys.push(&[b"nobody"]);
    keys.push(&[key]);
    let mut found = None;
    store.read(&keys, &mut |index, value| {
        assert_eq!(index, 1);
        found = Some(value.bytes.to_vec());
    })?;
    Ok(found)
}

#[test]
fn what_waits_to_be_written_is_read() {
    let held = Arc::new(HeldStore::default());
    let store = WriteBehind::start(held.clone(), "held", 1 << 20).unwrap();
    store.submit(put(b"a", b"1")).unwrap();
    store.submit(put(b"a", b"2")).unwrap();
    assert_eq!(get(&store, b"a").unwrap().unwrap(), b"2");
    let mut removal = WriteBatch::new();
    removal.remove(&[b"a"]);
    store.submit(removal).unwrap();
    assert_eq!(get(&store, b"a").unwrap(), None);
    assert_eq!(held.approximate_bytes().unwrap(), 0);

    let ticket = store.sync().unwrap();
    assert!(ticket.outcome().is_none());
    held.change(|gate| gate.permits = 3);
    assert_eq!(ticket.wait(Duration::from_secs(60)), Some(Ok(())));
    assert_eq!(get(&store, b"a").unwrap(), None);
}

#[test]
fn given_a_full_queue_then_submit_waits_until_something_was_written() {
    let held = Arc::new(HeldStore::default());
    let store = WriteBehind::start(held.clone(), "held", 200).unwrap();
    store.submit(put(b"a", &[0; 500])).unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| store.submit(put(b"b", b"")));
        // It cannot be seen waiting; what can be seen is that nothing of it is there until something was written.
        assert_eq!(get(&store, b"b").unwrap(), None);
        held.change(|gate| gate.permits = 2);
        second.join().unwrap().unwrap();
    });
    store.flush().unwrap();
    assert_eq!(get(&store, b"b").unwrap().unwrap(), b"");
}

#[test]
fn given_a_write_that_fails_then_everybody_is_told_why() {
    let held = Arc::new(HeldStore::default());
    let store = WriteBehind::start(held.clone(), "held", 1).unwrap();
    store.submit(put(b"a", b"1")).unwrap();
    let ticket = store.sync().unwrap();
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.submit(put(b"b", b"2")));
        held.change(|gate| (gate.permits, gate.fails) = (1, true));
        waiting.join().unwrap()
    });
    assert_eq!(waiting.unwrap_err().code, ErrorCode::IoDiskFull);
    assert_eq!(
        ticket.wait(Duration::from_secs(60)).unwrap().unwrap_err().code,
        ErrorCode::IoDiskFull
    );
    assert_eq!(get(&store, b"a").unwrap_err().code, ErrorCode::IoDiskFull);
    assert_eq!(store.flush().unwrap_err().code, ErrorCode::IoDiskFull);
    assert_eq!(store.sync().unwrap_err().code, ErrorCode::IoDiskFull);
}

#[test]
fn given_waits_when_the_store_is_closed_then_they_end() {
    let held = Arc::new(HeldStore::default());
    let store = WriteBehind::start(held, "held", 1).unwrap();
    store.submit(put(b"a", b"1")).unwrap();
    let ticket = store.sync().unwrap();
    let waits = std::thread::scope(|scope| {
        let submit = scope.spawn(|| store.submit(put(b"b", b"1")));
        let flush = scope.spawn(|| store.flush());
        store.close();
        [submit.join().unwrap(), flush.join().unwrap()]
    });
    for wait in waits {
        // The held write is let through by closing, so one of the waits may just have ended well.
        if let Err(error) = wait {
            assert_eq!(error.code, ErrorCode::JobCanceled);
            assert_eq!(error.context["directory"], "held".into());
        }
    }
    let outcome = ticket.wait(Duration::from_secs(60)).unwrap();
    assert!(outcome.is_ok() || outcome.unwrap_err().code == ErrorCode::JobCanceled);
    assert_eq!(
        store.submit(put(b"c", b"1")).unwrap_err().code,
        ErrorCode::JobCanceled
    );
}
