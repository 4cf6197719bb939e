//! Ten million keys in a process of less than 1 GiB.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::sync::Arc;
use std::time::Instant;

use sage_frame::LayoutRegistry;
use sage_state::{DiskOptions, KeyedStateTable, StateSpec};
use sage_store::{JobStore, JobStoreOptions};
use support::batch::{KeyForm, OwnedBatch};
use support::keys::Key;

const KEYS: u64 = 10_000_000;
const BATCH_ROWS: u64 = 1024;
const VALUE_BYTES: usize = 50;

/// A bijection: keys come in an order that no store can guess, and each comes once.
const fn mix(number: u64) -> u64 {
    let a = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

fn value(number: u64, round: u8) -> Vec<u8> {
    let words = (0..).flat_map(|word| mix(number ^ (word << 48)).to_le_bytes());
    let mut value: Vec<u8> = words.take(VALUE_BYTES).collect();
    value[0] = round;
    value
}

/// Kilobytes, as the operating system counts them.
fn peak_resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

struct Owner {
    table: KeyedStateTable,
    registry: LayoutRegistry,
    values: Vec<Option<Vec<u8>>>,
    batch_ms: Vec<f64>,
}

impl Owner {
    /// Each of these keys gets its value of `round`; before, it has the one of the round before.
    fn batch(&mut self, numbers: &[u64], round: u8) {
        let keys: Vec<Key> = numbers
            .iter()
            .map(|&number| Key::str(&format!("{:016x}", mix(number))))
            .collect();
        let batch = OwnedBatch::new(&self.registry, &keys, KeyForm::Narrow, &[]);
        let mut slots = vec![0; numbers.len()];
        let started = Instant::now();
        self.table.begin(0, &batch.view(), &mut slots).unwrap();
        let exchange = self.table.exchange();
        self.values.resize(exchange.slot_count(), None);
        for (slot, _, bytes) in exchange.loaded() {
            self.values[slot as usize] = Some(bytes.to_vec());
        }
        let (mut ends, mut data) = (Vec::new(), Vec::new());
        for &(slot, _) in exchange.to_encode() {
            data.extend_from_slice(self.values[slot as usize].as_ref().unwrap());
            ends.push(i32::try_from(data.len()).unwrap());
        }
        for &slot in exchange.given_up() {
            self.values[slot as usize] = None;
        }
        let mut changes = Vec::with_capacity(slots.len() * 3);
        for (&number, &slot) in numbers.iter().zip(&slots) {
            let held = &mut self.values[usize::try_from(slot).unwrap()];
            match round.checked_sub(1) {
                None => assert!(held.is_none()),
                // A key may be twice in a batch.
                Some(before) => assert!(
                    held.as_ref()
                        .is_some_and(|held| held[0] == before || held[0] == round)
                ),
            }
            *held = Some(value(number, round));
            changes.extend([slot, 0, 80]);
        }
        self.table.finish(0, &changes, &ends, &data).unwrap();
        self.batch_ms.push(started.elapsed().as_secs_f64() * 1e3);
    }

    fn report(&mut self, what: &str, rows: u64, started: Instant) {
        self.batch_ms.sort_by(f64::total_cmp);
        let at = |per_mille: usize| self.batch_ms[(self.batch_ms.len() - 1) * per_mille / 1000];
        println!(
            "{what}: {:.1} s, {:.0} rows/s; a batch of {BATCH_ROWS}: median {:.2} ms, p99 {:.2} ms, max {:.2} ms; peak {} MiB; {:?}",
            started.elapsed().as_secs_f64(),
            rows as f64 / started.elapsed().as_secs_f64(),
            at(500),
            at(990),
            at(1000),
            peak_resident_kib() >> 10,
            self.table.counts(),
        );
        self.batch_ms.clear();
    }
}

#[test]
#[ignore = "takes minutes; cargo test --release -p sage-state --test ten_million_keys -- --ignored --nocapture"]
fn ten_million_keys_stay_within_one_gibibyte() {
    let base = tempfile::tempdir().unwrap();
    let options = JobStoreOptions {
        base: base.path().to_owned(),
        ..JobStoreOptions::default()
    };
    let store = Arc::new(JobStore::create(&options).unwrap());
    let disk = DiskOptions {
        store: Arc::clone(&store),
        operator: 1,
        key_groups: 128,
        budget_bytes: 256 << 20,
    };
    let specs = StateSpec::list_from_json(r#"[{"name":"a"}]"#).unwrap();
    let mut owner = Owner {
        table: KeyedStateTable::on_disk(&specs, &disk).unwrap(),
        registry: LayoutRegistry::default(),
        values: Vec::new(),
        batch_ms: Vec::new(),
    };
    let started = Instant::now();
    for first in (0..KEYS).step_by(1024) {
        let numbers: Vec<u64> = (first..(first + BATCH_ROWS).min(KEYS)).collect();
        owner.batch(&numbers, 0);
    }
    owner.report("every key once", KEYS, started);
    let started = Instant::now();
    let random = 2_000 * BATCH_ROWS;
    let mut next = (0..KEYS).map(|number| number.wrapping_mul(7_368_787) % KEYS);
    for _ in 0..2_000 {
        let numbers: Vec<u64> = next.by_ref().take(1024).collect();
        owner.batch(&numbers, 1);
    }
    owner.report("random keys, read and written", random, started);
    store.writer().flush().unwrap();
    println!(
        "on disk: {} MiB",
        store.writer().store().approximate_bytes().unwrap() >> 20
    );
    assert!(peak_resident_kib() < 1 << 20, "{} KiB", peak_resident_kib());
}
