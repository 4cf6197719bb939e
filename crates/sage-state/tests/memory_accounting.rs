//! `bytes_used` against what the allocator was really asked for.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sage_frame::LayoutRegistry;
use sage_state::{AggregateKind, AggregateSpec, KeyTable, KeyedAggregate};
use support::batch::{KeyForm, OwnedBatch};
use support::keys::Key;

/// Counts the bytes that are held by each thread: the test harness has threads of its own.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

fn held() -> usize {
    HELD.get()
}

// SAFETY: everything is passed on to the system's allocator; the counter is made without allocating and never dropped.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().wrapping_add(layout.size()));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn batch(registry: &LayoutRegistry, from: u32, rows: u32) -> OwnedBatch {
    let key = |number: u32| match number % 3 {
        0 => Key::str(&format!("short-{number}")),
        1 => Key::str(&format!("a string that is too long to be packed {number}")),
        _ => Key::Number(f64::from(number)),
    };
    let keys: Vec<Key> = (from..from + rows).map(key).collect();
    let inputs = (from..from + rows)
        .map(|number| Some(f64::from(number)))
        .collect();
    OwnedBatch::new(registry, &keys, KeyForm::Narrow, &[inputs])
}

/// Compares the two counts; small lists whose length does not depend on the keys are left out of account.
fn assert_counted(counted: usize, held: usize) {
    assert!(
        counted.abs_diff(held) <= 512,
        "bytes_used says {counted}, the allocator {held}"
    );
}

#[test]
fn a_table_counts_its_memory_while_keys_come_and_go() {
    let registry = LayoutRegistry::new();
    let mut slots = Vec::with_capacity(1000);
    // Constant tables of the standard library and the like come into being.
    KeyTable::new()
        .slots_for(&batch(&registry, 0, 1000).view(), &mut slots)
        .unwrap();
    let before = held();
    let mut table = KeyTable::new();
    for step in 0..300 {
        let batch = batch(&registry, step * 1000, 1000);
        let batch_bytes = held();
        let used = table.bytes_used();
        table.slots_for(&batch.view(), &mut slots).unwrap();
        let grown = held().wrapping_sub(batch_bytes).cast_signed();
        assert_eq!(
            table.bytes_used().wrapping_sub(used).cast_signed(),
            grown,
            "step {step}"
        );
        drop(batch);
        assert_counted(table.bytes_used(), held().wrapping_sub(before));
    }
    for slot in 0..300_000 {
        table.remove(slot);
    }
    assert_counted(table.bytes_used(), held().wrapping_sub(before));
    drop(table);
    assert_eq!(held(), before);
}

#[test]
fn keys_that_come_and_go_do_not_make_a_table_grow() {
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let mut slots = Vec::new();
    let mut earlier = Vec::new();
    let mut used = 0;
    for step in 0..100 {
        table
            .slots_for(&batch(&registry, step * 1000, 1000).view(), &mut slots)
            .unwrap();
        for slot in earlier.drain(..) {
            assert!(table.remove(slot));
        }
        earlier.clone_from(&slots);
        if step == 20 {
            used = table.bytes_used();
        }
    }
    assert_eq!(table.len(), 1000);
    assert_eq!(table.slot_count(), 2000);
    assert!(table.bytes_used() <= used, "{} > {used}", table.bytes_used());
}

#[test]
fn an_aggregate_counts_its_memory() {
    let registry = LayoutRegistry::new();
    let specs = AggregateKind::ALL.map(|kind| AggregateSpec { kind, input: Some(0) });
    let specs = specs.to_vec();
    // The layout of the batches goes to the registry.
    drop(batch(&registry, 0, 10));
    let before = held().wrapping_sub(specs.capacity() * size_of::<AggregateSpec>());
    let mut aggregate = KeyedAggregate::new(specs).unwrap().with_change_tracking();
    // Its layout of results, which is of some hundred bytes per aggregator whatever happens.
    let fixed = held().wrapping_sub(before) - aggregate.bytes_used();
    assert!(fixed < 8192, "{fixed}");
    for step in 0..100 {
        let batch = batch(&registry, step * 1000, 1000);
        aggregate.update(&batch.view()).unwrap();
        drop(batch);
        assert_counted(aggregate.bytes_used() + fixed, held().wrapping_sub(before));
    }
    let used = aggregate.bytes_used();
    assert!(used > 100_000 * 8 * AggregateKind::ALL.len(), "{used}");
}
