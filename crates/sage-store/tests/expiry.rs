//! What has expired leaves the disk.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::time::{Duration, Instant};

use sage_store::{FjallOptions, FjallStore, KeyList, NEVER_MS, StateStore, StoredValue, WriteBatch};

fn key(number: u32) -> [u8; 4] {
    // In an order that spreads over all files.
    number.wrapping_mul(0x9e37_79b1).to_be_bytes()
}

fn write(store: &FjallStore, numbers: std::ops::Range<u32>, expires_at_ms: u64) {
    let value: Vec<u8> = (0..200_u32).flat_map(|word| key(word ^ numbers.start)).collect();
    let mut batch = WriteBatch::new();
    for number in numbers {
        batch.put(
            &[&key(number)],
            StoredValue {
                bytes: &value,
                expires_at_ms,
            },
        );
    }
    store.write(&batch).unwrap();
}

fn folder_bytes(path: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn given_values_that_have_expired_when_nothing_is_written_any_more_then_the_files_shrink() {
    let folder = tempfile::tempdir().unwrap();
    let options = FjallOptions {
        memtable_bytes: 1 << 20,
        reclaim_min_bytes: 4 << 20,
        ..FjallOptions::default()
    };
    let store = FjallStore::open(folder.path(), options).unwrap();
    for first in (0..40_000).step_by(1000) {
        write(&store, first..first + 1000, 1_000);
    }
    for first in (40_000..44_000).step_by(1000) {
        write(&store, first..first + 1000, NEVER_MS);
    }
    let tables = || folder_bytes(&folder.path().join("keyspaces"));
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait_for = |what: &dyn Fn() -> bool| {
        while !what() {
            assert!(Instant::now() < deadline, "{} bytes of tables", tables());
            std::thread::yield_now();
        }
    };
    wait_for(&|| tables() > 20 << 20);

    store.advance_to(999).unwrap();
    let before = tables();
    assert!(before > 20 << 20);
    // The engine writes its last memtables at its own time, so the store is told the time until it is done.
    wait_for(&|| {
        store.advance_to(1_100).unwrap();
        tables() < before / 3
    });

    let mut keys = KeyList::new();
    for number in 0..44_000 {
        keys.push(&[&key(number)]);
    }
    let mut kept = 0;
    store
        .read(&keys, &mut |index, value| {
            if value.is_expired(1_100) {
                assert!(index < 40_000);
            } else {
                assert!(index >= 40_000);
                kept += 1;
            }
        })
        .unwrap();
    assert_eq!(kept, 4_000);
}

#[test]
fn given_an_older_value_that_lasts_when_the_newer_one_has_expired_then_the_older_one_stays_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let options = FjallOptions {
        memtable_bytes: 1 << 20,
        reclaim_min_bytes: 1,
        ..FjallOptions::default()
    };
    let store = FjallStore::open(folder.path(), options).unwrap();
    for first in (0..4_000).step_by(1000) {
        write(&store, first..first + 1000, NEVER_MS);
    }
    for first in (0..4_000).step_by(1000) {
        write(&store, first..first + 1000, 10);
    }
    let mut keys = KeyList::new();
    for number in 0..4_000 {
        keys.push(&[&key(number)]);
    }
    for now_ms in 11..40 {
        store.advance_to(now_ms).unwrap();
        store
            .read(&keys, &mut |index, value| {
                assert!(value.is_expired(now_ms), "key {index}");
            })
            .unwrap();
    }
}
