//! Keyed state against a map of all values, with an owner of the values that does what it is told.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::LayoutRegistry;
use sage_state::{DiskOptions, FoundState, KeyedPayload, KeyedStateTable, StateSpec, saved_entries};
use sage_store::{FjallOptions, FjallStore, JobStore, MemoryStore, StateStore};
use support::batch::{KeyForm, OwnedBatch};
use support::keys::Key;

const STATES: u8 = 3;
const KEY_GROUPS: u32 = 128;
const TTL_MS: [Option<u64>; STATES as usize] = [None, Some(50), Some(400)];

/// A row: its key, and what its function does to a state.
#[derive(Debug, Clone)]
struct Row {
    key: u16,
    state: u8,
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    Read,
    Put(Vec<u8>),
    Remove,
}

#[derive(Debug, Clone)]
enum Step {
    Batch {
        passed_ms: u64,
        rows: Vec<Row>,
    },
    Expire {
        passed_ms: u64,
    },
    Hold {
        key: u16,
    },
    Release,
    Flush,
    Reopen,
    /// Saved and restored elsewhere: on the other side of the border of memory and disk, where it `moves`.
    Checkpoint {
        moves: bool,
    },
}

fn row() -> impl Strategy<Value = Row> {
    let action = prop_oneof![
        2 => Just(Action::Read),
        4 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Action::Put),
        1 => Just(Action::Remove),
    ];
    // Some keys are hot.
    let key = prop_oneof![0_u16..4, 0_u16..60];
    (key, 0..STATES, action).prop_map(|(key, state, action)| Row { key, state, action })
}

fn step() -> impl Strategy<Value = Step> {
    let passed_ms = prop_oneof![3 => 0_u64..5, 1 => 0_u64..120];
    let batch = (passed_ms, prop::collection::vec(row(), 0..25));
    prop_oneof![
        12 => batch.prop_map(|(passed_ms, rows)| Step::Batch { passed_ms, rows }),
        2 => (0_u64..200).prop_map(|passed_ms| Step::Expire { passed_ms }),
        1 => (0_u16..60).prop_map(|key| Step::Hold { key }),
        1 => Just(Step::Release),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        2 => any::<bool>().prop_map(|moves| Step::Checkpoint { moves }),
    ]
}

/// Numbers, short and long strings, so that keys of all forms meet.
fn key(number: u16) -> Key {
    match number % 3 {
        0 => Key::Number(f64::from(number)),
        1 => Key::Str(format!("key {number}").encode_utf16().collect()),
        _ => Key::Str(
            format!("a key that is longer than others: {number}")
                .encode_utf16()
                .collect(),
        ),
    }
}

/// Value and when it expires, of each key and state.
type Model = BTreeMap<(u16, u8), (Vec<u8>, u64)>;

struct Owner {
    specs: Vec<StateSpec>,
    registry: LayoutRegistry,
    disk: Option<DiskOptions>,
    table: KeyedStateTable,
    /// By slot and state.
    values: Vec<[Option<Vec<u8>>; STATES as usize]>,
    model: Model,
    now_ms: u64,
    held: Vec<(u16, u32)>,
}

impl Owner {
    fn new(disk: Option<DiskOptions>) -> Self {
        let specs: Vec<StateSpec> = TTL_MS
            .iter()
            .enumerate()
            .map(|(number, &ttl_ms)| StateSpec {
                name: format!("state {number}"),
                ttl_ms,
            })
            .collect();
        Self {
            table: open(&specs, disk.as_ref()),
            specs,
            registry: LayoutRegistry::default(),
            disk,
            values: Vec::new(),
            model: Model::new(),
            now_ms: 1_000,
            held: Vec::new(),
        }
    }

    fn expected(&self, key: u16, state: u8) -> Option<&Vec<u8>> {
        self.model
            .get(&(key, state))
            .filter(|(_, expires_at_ms)| *expires_at_ms > self.now_ms)
            .map(|(value, _)| value)
    }

    /// Does what the exchange says, but for what is given back by `finish`: where each such value ends, and all of them.
    fn exchange(&mut self) -> (Vec<i32>, Vec<u8>) {
        let exchange = self.table.exchange();
        self.values.resize_with(exchange.slot_count(), Default::default);
        for &(slot, state) in exchange.expired() {
            assert!(self.values[slot as usize][state as usize].take().is_some());
        }
        for (slot, state, bytes) in exchange.loaded() {
            let old = self.values[slot as usize][state as usize].replace(bytes.to_vec());
            assert_eq!(old, None, "a new slot has values of somebody else");
        }
        let (mut ends, mut data) = (Vec::new(), Vec::new());
        for &(slot, state) in exchange.to_encode() {
            data.extend_from_slice(self.values[slot as usize][state as usize].as_ref().unwrap());
            ends.push(i32::try_from(data.len()).unwrap());
        }
        for &slot in exchange.given_up() {
            self.values[slot as usize] = Default::default();
        }
        (ends, data)
    }

    fn batch(&mut self, rows: &[Row]) {
        let keys: Vec<Key> = rows.iter().map(|row| key(row.key)).collect();
        let batch = OwnedBatch::new(&self.registry, &keys, KeyForm::Narrow, &[]);
        let mut slots = vec![-1; rows.len()];
        self.table.begin(self.now_ms, &batch.view(), &mut slots).unwrap();
        let (ends, data) = self.exchange();
        let mut changes = Vec::new();
        for (row, &slot) in rows.iter().zip(&slots) {
            for state in 0..STATES {
                let seen = self.values[usize::try_from(slot).unwrap()][state as usize].as_ref();
                assert_eq!(
                    seen,
                    self.expected(row.key, state),
                    "key {} state {state}",
                    row.key
                );
            }
            let bytes = match &row.action {
                Action::Read => continue,
                Action::Remove => {
                    self.model.remove(&(row.key, row.state));
                    self.values[usize::try_from(slot).unwrap()][row.state as usize] = None;
                    -1
                }
                Action::Put(value) => {
                    let expires_at_ms =
                        TTL_MS[row.state as usize].map_or(u64::MAX, |ttl_ms| self.now_ms + ttl_ms);
                    self.model
                        .insert((row.key, row.state), (value.clone(), expires_at_ms));
                    self.values[usize::try_from(slot).unwrap()][row.state as usize] = Some(value.clone());
                    i32::try_from(value.len()).unwrap()
                }
            };
            changes.extend([slot, i32::from(row.state), bytes]);
        }
        self.table.finish(self.now_ms, &changes, &ends, &data).unwrap();
    }

    fn flush(&mut self) {
        let (mut from, mut pairs) = (Some(0), [0; 2 * STATES as usize]);
        while let Some(slot) = from {
            let (count, next) = self.table.dirty(slot, &mut pairs).unwrap();
            let pairs = &pairs[..count * 2];
            let (mut ends, mut data) = (Vec::new(), Vec::new());
            for pair in pairs.chunks(2) {
                let value =
                    &self.values[usize::try_from(pair[0]).unwrap()][usize::try_from(pair[1]).unwrap()];
                data.extend_from_slice(value.as_ref().unwrap());
                ends.push(i32::try_from(data.len()).unwrap());
            }
            self.table.store(pairs, &ends, &data).unwrap();
            from = next;
        }
    }

    fn expire_all(&mut self) {
        while self.table.expire(self.now_ms).unwrap() {
            self.exchange();
        }
        self.exchange();
    }

    /// The entries of a state, of all keys.
    fn entries(&mut self, state: u8) -> Vec<u8> {
        let state_number = i32::from(state);
        if self.disk.is_some() {
            let all = self.table.entries(self.now_ms, state_number, 0, 1).unwrap();
            let parts: Vec<Vec<u8>> = (0..3)
                .map(|instance| {
                    self.table
                        .entries(self.now_ms, state_number, instance, 3)
                        .unwrap()
                })
                .collect();
            assert_eq!(parts.concat(), all, "each key is one instance's");
            return all;
        }
        let keys = self
            .table
            .keys_of(self.now_ms, Some(state_number), KEY_GROUPS)
            .unwrap();
        let mut payload = KeyedPayload::new(KEY_GROUPS);
        for (key, saved) in saved_entries(&keys).unwrap() {
            let (slot, expires_at_ms) = saved.split_first_chunk::<4>().unwrap();
            let value = &self.values[u32::from_le_bytes(*slot) as usize][state as usize];
            let value = [expires_at_ms, value.as_ref().unwrap()].concat();
            payload.put(key, &value).unwrap();
        }
        payload.into_bytes()
    }

    /// Saves all and goes on with what was restored elsewhere.
    fn checkpoint(&mut self, moves: bool) {
        if self.disk.is_some() {
            self.flush();
        }
        let saved: Vec<Vec<u8>> = (0..STATES).map(|state| self.entries(state)).collect();
        for (state, payload) in (0..STATES).zip(&saved) {
            let live = (0..60).filter(|&key| self.expected(key, state).is_some());
            assert_eq!(saved_entries(payload).unwrap().len(), live.count());
        }
        let all: Vec<u8> = self.table.keys_of(self.now_ms, None, KEY_GROUPS).unwrap();
        assert_eq!(saved_entries(&all).unwrap().len(), self.table.keys().len());

        if moves || self.disk.is_some() {
            let to_disk = self.disk.is_none() == moves;
            self.disk = to_disk.then(|| over(Arc::new(MemoryStore::new()), 2_000));
        }
        self.table = open(&self.specs, self.disk.as_ref());
        self.values.clear();
        for (state, payload) in (0..STATES).zip(&saved) {
            let slots = self
                .table
                .restore(self.now_ms, i32::from(state), payload)
                .unwrap();
            self.values
                .resize_with(self.table.keys().slot_count(), Default::default);
            for ((_, saved), slot) in saved_entries(payload).unwrap().into_iter().zip(slots) {
                if let Ok(slot) = usize::try_from(slot) {
                    self.values[slot][state as usize] = Some(saved[8..].to_vec());
                }
            }
        }
        let mut held = KeyedPayload::new(KEY_GROUPS);
        for (number, _) in &self.held {
            held.put(&key(*number).canonical(), &[]).unwrap();
        }
        let mut slots = vec![-1; self.held.len()];
        let keys = self
            .table
            .begin_keys(self.now_ms, &held.into_bytes(), &mut slots)
            .unwrap();
        assert_eq!(keys, slots.len());
        let (ends, data) = self.exchange();
        self.table.hold(&slots, true).unwrap();
        self.table.finish(self.now_ms, &[], &ends, &data).unwrap();
        for ((_, held), slot) in self.held.iter_mut().zip(slots) {
            *held = slot.cast_unsigned();
        }
    }

    fn check_found(&self, number: u16, state: u8) {
        let found = self
            .table
            .find(self.now_ms, &key(number).canonical(), i32::from(state))
            .unwrap();
        let value = match found {
            FoundState::Slot(slot) => self.values[slot as usize][state as usize].clone(),
            FoundState::Bytes(bytes) => Some(bytes),
            FoundState::Absent => None,
        };
        assert_eq!(
            value.as_ref(),
            self.expected(number, state),
            "key {number} state {state}"
        );
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Batch { passed_ms, rows } => {
                self.now_ms += passed_ms;
                self.batch(rows);
                if let Some(disk) = &self.disk {
                    let held = self.held.len() as u64;
                    let allowed = disk.budget_bytes + (rows.len() as u64 + held) * 400;
                    assert!(
                        self.table.counts().resident_bytes <= allowed,
                        "{:?}",
                        self.table.counts()
                    );
                }
            }
            Step::Expire { passed_ms } => {
                self.now_ms += passed_ms;
                self.expire_all();
            }
            Step::Hold { key: number } => {
                if let Some(slot) = self.table.keys().slot_of(&key(*number).canonical()) {
                    self.table.hold(&[slot.cast_signed()], true).unwrap();
                    self.held.push((*number, slot));
                }
            }
            Step::Release => {
                for (number, slot) in std::mem::take(&mut self.held) {
                    assert_eq!(
                        self.table.keys().slot_of(&key(number).canonical()),
                        Some(slot),
                        "a held key moved"
                    );
                    self.table.hold(&[slot.cast_signed()], false).unwrap();
                }
            }
            Step::Flush if self.disk.is_some() => self.flush(),
            Step::Reopen if self.disk.is_some() => {
                self.flush();
                // In another order: names count, not numbers.
                self.table = open(&self.specs, self.disk.as_ref());
                self.values.clear();
                self.held.clear();
            }
            Step::Checkpoint { moves } => self.checkpoint(*moves),
            Step::Flush | Step::Reopen => {}
        }
        for number in [0, 1, 2, 30, 59] {
            self.check_found(number, 1);
        }
    }

    /// Everything is there, and nothing more.
    fn check_all(&mut self) {
        self.run(&Step::Release);
        self.expire_all();
        let rows: Vec<Row> = (0..60)
            .map(|key| Row {
                key,
                state: 0,
                action: Action::Read,
            })
            .collect();
        for rows in rows.chunks(7) {
            self.batch(rows);
        }
        let live: std::collections::BTreeSet<u16> = (0..60)
            .filter(|&key| (0..STATES).any(|state| self.expected(key, state).is_some()))
            .collect();
        let counts = self.table.counts();
        if self.disk.is_none() {
            assert_eq!(self.table.keys().len(), live.len());
        } else {
            assert!(self.table.keys().len() <= live.len());
        }
        assert_eq!(counts.resident_keys, self.table.keys().len() as u64);
        // And when all of it expires or is removed, nothing is left of it.
        self.now_ms += 1_000;
        let rows: Vec<Row> = (0..60)
            .map(|key| Row {
                key,
                state: 0,
                action: Action::Remove,
            })
            .collect();
        for rows in rows.chunks(7) {
            self.batch(rows);
        }
        self.expire_all();
        let counts = self.table.counts();
        assert_eq!(
            (
                self.table.keys().len(),
                counts.resident_keys,
                counts.resident_bytes
            ),
            (0, 0, 0)
        );
        assert!(self.values.iter().flatten().all(Option::is_none));
    }
}

fn open(specs: &[StateSpec], disk: Option<&DiskOptions>) -> KeyedStateTable {
    match disk {
        None => KeyedStateTable::in_memory(specs),
        Some(options) => KeyedStateTable::on_disk(specs, options).unwrap(),
    }
}

fn check(disk: Option<DiskOptions>, steps: &[Step]) {
    let mut owner = Owner::new(disk);
    for step in steps {
        owner.run(step);
    }
    owner.check_all();
}

fn over(store: Arc<dyn StateStore>, budget_bytes: u64) -> DiskOptions {
    DiskOptions {
        store: Arc::new(JobStore::over(store, "test", 1_000).unwrap()),
        operator: 7,
        key_groups: KEY_GROUPS,
        budget_bytes,
    }
}

proptest! {
    #[test]
    fn states_in_memory_are_a_map(steps in prop::collection::vec(step(), 1..60)) {
        check(None, &steps);
    }

    #[test]
    fn states_that_are_given_up_come_back(steps in prop::collection::vec(step(), 1..60), budget in 0_u64..8_000) {
        check(Some(over(Arc::new(MemoryStore::new()), budget)), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, ..ProptestConfig::default() })]

    #[test]
    fn states_on_disk_come_back(steps in prop::collection::vec(step(), 1..60), budget in 0_u64..8_000) {
        let folder = tempfile::tempdir().unwrap();
        let store = FjallStore::open(folder.path(), FjallOptions::default()).unwrap();
        check(Some(over(Arc::new(store), budget)), &steps);
    }
}
