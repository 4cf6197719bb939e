//! What keyed state refuses, and what it does at its limits.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sage_frame::LayoutRegistry;
use sage_state::{DiskOptions, FoundState, KeyedStateTable, StateSpec};
use sage_store::{JobStore, KeyList, MemoryStore, StateStore, StoredValue, Visit, WriteBatch};
use sage_types::{ErrorCode, Result, SageError};
use support::batch::{KeyForm, OwnedBatch};
use support::keys::Key;

fn specs(json: &str) -> Vec<StateSpec> {
    StateSpec::list_from_json(json).unwrap()
}

fn batch(keys: &[f64]) -> OwnedBatch {
    let keys: Vec<Key> = keys.iter().map(|&number| Key::Number(number)).collect();
    OwnedBatch::new(&LayoutRegistry::default(), &keys, KeyForm::Narrow, &[])
}

fn begin(table: &mut KeyedStateTable, now_ms: u64, keys: &[f64]) -> Result<Vec<i32>> {
    let mut slots = vec![-1; keys.len()];
    table.begin(now_ms, &batch(keys).view(), &mut slots)?;
    Ok(slots)
}

/// A batch that writes one byte to state 0 of each key; nothing is given up.
fn put(table: &mut KeyedStateTable, now_ms: u64, keys: &[f64]) {
    let slots = begin(table, now_ms, keys).unwrap();
    assert!(table.exchange().given_up().is_empty());
    let changes: Vec<i32> = slots.into_iter().flat_map(|slot| [slot, 0, 1]).collect();
    table.finish(now_ms, &changes, &[], &[]).unwrap();
}

fn disk(store: Arc<dyn StateStore>, budget_bytes: u64) -> DiskOptions {
    DiskOptions {
        store: Arc::new(JobStore::over(store, "test", 1 << 20).unwrap()),
        operator: 1,
        key_groups: 128,
        budget_bytes,
    }
}

/// Writes every value that the store does not have, as one byte.
fn flush(table: &mut KeyedStateTable) {
    let mut pairs = [0; 200];
    let (count, next) = table.dirty(0, &mut pairs).unwrap();
    assert_eq!(next, None);
    let ends: Vec<i32> = (1..=i32::try_from(count).unwrap()).collect();
    table.store(&pairs[..count * 2], &ends, &vec![7; count]).unwrap();
}

/// In memory; fails or counts reads.
#[derive(Debug, Default)]
struct WatchedStore {
    inner: MemoryStore,
    fails: AtomicBool,
    keys_read: AtomicUsize,
}

impl StateStore for WatchedStore {
    fn read(&self, keys: &KeyList, found: &mut dyn FnMut(usize, StoredValue<'_>)) -> Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(SageError::new(ErrorCode::StateIo, "no"));
        }
        self.keys_read.fetch_add(keys.len(), Ordering::SeqCst);
        self.inner.read(keys, found)
    }

    fn write(&self, batch: &WriteBatch) -> Result<()> {
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

    fn stop(&self) {}
}

#[test]
fn given_a_store_that_cannot_be_read_then_the_new_keys_are_not_taken_in() {
    let store = Arc::new(WatchedStore::default());
    let options = disk(store.clone(), 0);
    let mut table = KeyedStateTable::on_disk(&specs(r#"[{"name":"a"}]"#), &options).unwrap();
    put(&mut table, 1, &[1.0]);
    // The batch with 2 gives up 1.
    let slots = begin(&mut table, 2, &[2.0]).unwrap();
    assert_eq!(
        (table.exchange().given_up(), table.exchange().to_encode()),
        (&[0][..], &[(0, 0)][..])
    );
    table.finish(2, &[slots[0], 0, 1], &[3], b"one").unwrap();
    assert_eq!(table.counts().resident_keys, 1);

    // What is on its way to the store would be found without it.
    options.store.writer().flush().unwrap();
    store.fails.store(true, Ordering::SeqCst);
    assert_eq!(
        begin(&mut table, 3, &[2.0, 1.0]).unwrap_err().code,
        ErrorCode::StateIo
    );
    assert_eq!(table.keys().len(), 1);

    store.fails.store(false, Ordering::SeqCst);
    let slots = begin(&mut table, 4, &[2.0, 1.0]).unwrap();
    let loaded: Vec<_> = table.exchange().loaded().collect();
    assert_eq!(loaded, [(slots[1].cast_unsigned(), 0, &b"one"[..])]);
}

#[test]
fn given_states_that_fit_into_memory_then_the_store_is_never_asked() {
    let store = Arc::new(WatchedStore::default());
    let mut table =
        KeyedStateTable::on_disk(&specs(r#"[{"name":"a"}]"#), &disk(store.clone(), 1 << 20)).unwrap();
    let names_read = store.keys_read.load(Ordering::SeqCst);
    for key in 0..100 {
        put(&mut table, 1, &[f64::from(key)]);
    }
    assert_eq!(store.keys_read.load(Ordering::SeqCst), names_read);
    assert_eq!(table.counts().resident_keys, 100);
}

#[test]
fn given_a_time_to_live_that_was_not_there_before_then_old_values_expire_from_now_on() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let lasting = specs(r#"[{"name":"a"}]"#);
    let expiring = specs(r#"[{"name":"a","ttlMs":100}]"#);
    let options = disk(store, 1 << 20);
    let mut table = KeyedStateTable::on_disk(&lasting, &options).unwrap();
    put(&mut table, 1_000, &[1.0, 2.0]);
    flush(&mut table);

    let mut table = KeyedStateTable::on_disk(&expiring, &options).unwrap();
    let slots = begin(&mut table, 5_000, &[1.0]).unwrap();
    assert_eq!(table.exchange().loaded().count(), 1);
    table.finish(5_000, &[], &[], &[]).unwrap();
    let key = Key::Number(1.0).canonical();
    assert_eq!(
        table.find(5_099, &key, 0).unwrap(),
        FoundState::Slot(slots[0].cast_unsigned())
    );
    table.expire(5_100).unwrap();
    assert_eq!(table.exchange().expired(), [(slots[0].cast_unsigned(), 0)]);
    assert_eq!(table.find(5_100, &key, 0).unwrap(), FoundState::Absent);

    // And back: what expires now does not when it was read before.
    let mut table = KeyedStateTable::on_disk(&expiring, &options).unwrap();
    put(&mut table, 5_100, &[3.0]);
    flush(&mut table);
    let mut table = KeyedStateTable::on_disk(&lasting, &options).unwrap();
    begin(&mut table, 5_150, &[3.0]).unwrap();
    table.finish(5_150, &[], &[], &[]).unwrap();
    flush(&mut table);
    drop(table);
    let table = KeyedStateTable::on_disk(&lasting, &options).unwrap();
    assert_eq!(
        table.find(9_000, &Key::Number(3.0).canonical(), 0).unwrap(),
        FoundState::Bytes(vec![7])
    );
}

#[test]
fn given_very_many_values_that_expire_at_once_then_they_are_dropped_bit_by_bit_and_none_is_shown() {
    let mut table = KeyedStateTable::in_memory(&specs(r#"[{"name":"a","ttlMs":10}]"#));
    let keys: Vec<f64> = (0..20_000).map(f64::from).collect();
    put(&mut table, 0, &keys);

    let slots = begin(&mut table, 10, &[19_999.0, 5.0, 20_000.0]).unwrap();
    let expired = table.exchange().expired().to_vec();
    assert!(expired.len() < 10_000, "a pause: {} at once", expired.len());
    for slot in &slots[..2] {
        // Either dropped with its slot, which is new then, or dropped by itself.
        let slot = slot.cast_unsigned();
        assert!(slot as usize >= 20_000 || expired.contains(&(slot, 0)));
    }
    table.finish(10, &[], &[], &[]).unwrap();

    let mut calls = 0;
    while table.expire(10).unwrap() {
        calls += 1;
    }
    assert!(calls > 1);
    assert_eq!((table.keys().len(), table.counts().resident_bytes), (0, 0));
    assert_eq!(table.counts().expired, 20_000);
}

#[test]
fn given_a_clock_that_goes_back_then_nothing_comes_back() {
    let mut table = KeyedStateTable::in_memory(&specs(r#"[{"name":"a","ttlMs":10}]"#));
    put(&mut table, 100, &[1.0]);
    table.expire(110).unwrap();
    assert_eq!(table.exchange().expired().len(), 1);
    put(&mut table, 50, &[1.0]);
    // Written at 110, the greatest time so far.
    assert_eq!(
        table.find(119, &Key::Number(1.0).canonical(), 0).unwrap(),
        FoundState::Slot(0)
    );
    assert_eq!(
        table.find(120, &Key::Number(1.0).canonical(), 0).unwrap(),
        FoundState::Absent
    );
}

#[test]
fn calls_that_do_not_fit_are_refused() {
    let mut table = KeyedStateTable::in_memory(&specs(r#"[{"name":"a"},{"name":"b"}]"#));
    let refused = |result: Result<()>, message: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(error.message.contains(message), "{error}");
    };
    refused(table.finish(0, &[], &[], &[]), "no batch");
    put(&mut table, 0, &[1.0, 2.0]);
    let slots = begin(&mut table, 0, &[1.0]).unwrap();
    refused(begin(&mut table, 0, &[1.0]).map(|_| ()), "is at work");
    refused(table.expire(0).map(|_| ()), "is at work");
    refused(table.finish(0, &[slots[0], 2, 1], &[], &[]), "no such state");
    refused(table.finish(0, &[slots[0], -1, 1], &[], &[]), "no such state");
    refused(table.finish(0, &[1, 0, 1], &[], &[]), "not in the batch");
    refused(table.finish(0, &[99, 0, 1], &[], &[]), "not in the batch");
    refused(table.finish(0, &[-1, 0, 1], &[], &[]), "not in the batch");
    refused(table.finish(0, &[slots[0], 0], &[], &[]), "three numbers");
    refused(table.finish(0, &[], &[1], b"x"), "more or fewer values");
    table.finish(0, &[], &[], &[]).unwrap();
    refused(table.dirty(0, &mut [0; 3]).map(|_| ()), "no room");
    refused(table.store(&[0, 0], &[1], b"x"), "have no store");
    refused(table.store(&[0], &[1], b"x"), "slot and state");
    refused(table.store(&[5, 0], &[1], b"x"), "no such value");
    refused(table.hold(&[7], true), "not in memory");
    refused(table.hold(&[0], false), "not held");
    refused(table.find(0, &[], 9).map(|_| ()), "no such state");
    assert_eq!(table.keys().len(), 2);
}

#[test]
fn a_key_that_is_too_long_for_the_store_is_refused_with_a_way_out() {
    let options = disk(Arc::new(MemoryStore::new()), 0);
    let mut table = KeyedStateTable::on_disk(&specs(r#"[{"name":"a"}]"#), &options).unwrap();
    let keys = [Key::str(&"k".repeat(70_000))];
    let batch = OwnedBatch::new(&LayoutRegistry::default(), &keys, KeyForm::Narrow, &[]);
    let error = table.begin(0, &batch.view(), &mut [0]).unwrap_err();
    assert_eq!(error.code, ErrorCode::KeyUnsupported);
    assert!(error.message.contains("use a shorter key"), "{error}");
    assert!(table.keys().is_empty());
    // In memory there is no limit.
    let mut table = KeyedStateTable::in_memory(&specs(r#"[{"name":"a"}]"#));
    table.begin(0, &batch.view(), &mut [0]).unwrap();
}

#[test]
fn given_a_state_that_is_declared_while_a_batch_is_at_work_then_the_batch_can_write_it() {
    let store = Arc::new(WatchedStore::default());
    let options = disk(store.clone(), 0);
    // A table begins without states where none is declared before the first key comes.
    let mut table = KeyedStateTable::on_disk(&[], &options).unwrap();
    let slots = begin(&mut table, 10, &[1.0]).unwrap();
    table
        .declare(&StateSpec::from_json(r#"{"name":"a"}"#).unwrap())
        .unwrap();
    table
        .declare(&StateSpec::from_json(r#"{"name":"b","ttlMs":5}"#).unwrap())
        .unwrap();
    table
        .finish(10, &[slots[0], 0, 1, slots[0], 1, 1], &[], &[])
        .unwrap();
    // Another key drives the first one out, which comes back with both states.
    let other = begin(&mut table, 11, &[2.0]).unwrap();
    assert_eq!(table.exchange().to_encode(), [(0, 0), (0, 1)]);
    table.finish(11, &[other[0], 0, 1], &[1, 2], &[7, 8]).unwrap();
    let back = begin(&mut table, 12, &[1.0]).unwrap()[0].cast_unsigned();
    let loaded: Vec<_> = table.exchange().loaded().collect();
    assert_eq!(loaded, [(back, 0, &[7][..]), (back, 1, &[8][..])]);
    table.finish(12, &[], &[1], &[9]).unwrap();
    // The second one expires as it was declared.
    begin(&mut table, 15, &[3.0]).unwrap();
    assert_eq!(table.exchange().expired(), [(back, 1)]);
}
