//! State that is saved and restored: in one instance, in several, and from damaged bytes.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::{ColumnData, FrameMeta, LayoutRegistry, hash_canonical};
use sage_state::{
    AggregateKind, AggregateSpec, DiskOptions, KeyTable, KeyedAggregate, KeyedPayload, KeyedStateTable,
    StateSpec, TimerTable, saved_entries,
};
use sage_store::{JobStore, MemoryStore};
use sage_types::{ErrorCode, KeyGroups};
use support::batch::{KeyForm, OwnedBatch, read_identities};
use support::keys::{Key, arb_key};

const KEY_GROUPS: u32 = 128;

#[derive(Debug, Clone)]
struct Row {
    key: Key,
    input: Option<f64>,
}

/// What happens between batches.
#[derive(Debug, Clone)]
enum Between {
    Nothing,
    /// Saved, and restored in so many instances.
    Save(u32),
    /// Changed keys are given.
    Changes,
}

fn arb_rows() -> impl Strategy<Value = Vec<Row>> {
    let input = prop_oneof![
        1 => Just(None),
        // Whose sums depend on their order, to the last bit.
        6 => (-20_i32..20).prop_map(|number| Some(f64::from(number) / 10.0)),
        1 => any::<f64>().prop_map(Some),
        1 => prop::sample::select(vec![-0.0, f64::NAN, f64::from_bits(0x7ff4_5a6e_0000_0001)]).prop_map(Some),
    ];
    let row = (arb_key(), input).prop_map(|(key, input)| Row { key, input });
    prop::collection::vec(row, 1..12)
}

fn arb_between(most_instances: u32) -> impl Strategy<Value = Between> {
    prop_oneof![
        2 => Just(Between::Nothing),
        2 => (1..=most_instances).prop_map(Between::Save),
        1 => Just(Between::Changes),
    ]
}

fn arb_specs() -> impl Strategy<Value = Vec<AggregateSpec>> {
    let kind = prop::sample::select(AggregateKind::ALL.to_vec());
    prop::collection::vec(kind.prop_map(|kind| AggregateSpec { kind, input: Some(0) }), 1..6)
}

fn batch(registry: &LayoutRegistry, rows: &[&Row]) -> OwnedBatch {
    let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
    let inputs = rows.iter().map(|row| row.input).collect();
    OwnedBatch::new(registry, &keys, KeyForm::Narrow, &[inputs])
}

/// Key, presence and bits of each result.
type Results = Vec<(Vec<u8>, Vec<(u8, u64)>)>;

fn read(frame: &sage_frame::Frame, registry: &LayoutRegistry) -> Results {
    let view = frame.view(registry).unwrap();
    let layout = view.layout();
    let columns: Vec<_> = layout.nodes()[layout.row_node()]
        .children
        .iter()
        .map(|&node| view.node(node).unwrap())
        .collect();
    let results = |row: usize| {
        let result = |column: &sage_frame::Column<'_>| match column.data {
            ColumnData::F64(values) => (column.presence_of(row), values[row].to_bits()),
            _ => panic!("a result is no number"),
        };
        columns.iter().map(result).collect()
    };
    let keys = read_identities(view.key().unwrap().data);
    keys.into_iter()
        .enumerate()
        .map(|(row, key)| (key, results(row)))
        .collect()
}

/// The instances of an aggregate, and all that they have given.
struct Aggregates {
    registry: LayoutRegistry,
    specs: Vec<AggregateSpec>,
    instances: Vec<KeyedAggregate>,
    given: Vec<Results>,
}

impl Aggregates {
    fn new(specs: &[AggregateSpec]) -> Self {
        let mut aggregates = Self {
            registry: LayoutRegistry::new(),
            specs: specs.to_vec(),
            instances: Vec::new(),
            given: Vec::new(),
        };
        aggregates.start(1);
        aggregates
    }

    fn start(&mut self, parallelism: u32) {
        let new = |_| {
            KeyedAggregate::new(self.specs.clone())
                .unwrap()
                .with_change_tracking()
        };
        self.instances = (0..parallelism).map(new).collect();
    }

    fn add(&mut self, rows: &[Row]) {
        let groups = groups_of(self.instances.len());
        for (instance, aggregate) in (0..).zip(&mut self.instances) {
            let is_own = |row: &&Row| groups.instance_of(hash_canonical(&row.key.canonical())) == instance;
            let own: Vec<&Row> = rows.iter().filter(is_own).collect();
            if !own.is_empty() {
                aggregate.update(&batch(&self.registry, &own).view()).unwrap();
            }
        }
    }

    fn save(&mut self, parallelism: u32) {
        let saved: Vec<Vec<u8>> = self
            .instances
            .iter_mut()
            .map(|aggregate| aggregate.save(KEY_GROUPS).unwrap())
            .collect();
        self.start(parallelism);
        for (instance, aggregate) in (0..).zip(&mut self.instances) {
            aggregate
                .restore(&share_of(&saved, instance, parallelism))
                .unwrap();
        }
    }

    fn give_changes(&mut self) {
        let mut given = Results::new();
        for aggregate in &mut self.instances {
            while let Some(frame) = aggregate
                .drain_changed(3, &self.registry, FrameMeta::default())
                .unwrap()
            {
                given.extend(read(&frame, &self.registry));
            }
        }
        self.given.push(given);
    }

    fn give_all(&mut self) {
        let mut given = Results::new();
        for aggregate in &self.instances {
            let mut next = Some(0);
            while let Some(slot) = next {
                let drained = aggregate
                    .drain(slot, 5, &self.registry, FrameMeta::default())
                    .unwrap();
                next = drained.as_ref().and_then(|drained| drained.next_slot);
                given.extend(
                    drained
                        .into_iter()
                        .flat_map(|drained| read(&drained.frame, &self.registry)),
                );
            }
        }
        self.given.push(given);
    }
}

fn groups_of(parallelism: usize) -> KeyGroups {
    KeyGroups::new(KEY_GROUPS, u32::try_from(parallelism).unwrap())
}

/// The entries of all old instances that are a new one's, as a checkpoint gives them: by key group.
fn share_of(saved: &[Vec<u8>], instance: u32, parallelism: u32) -> Vec<u8> {
    let groups = KeyGroups::new(KEY_GROUPS, parallelism);
    let mut entries: Vec<(&[u8], &[u8])> = saved
        .iter()
        .flat_map(|payload| saved_entries(payload).unwrap())
        .filter(|(key, _)| groups.instance_of(hash_canonical(key)) == instance)
        .collect();
    entries.sort_by_key(|(key, _)| groups.group_of(hash_canonical(key)));
    let mut payload = KeyedPayload::new(KEY_GROUPS);
    for (key, value) in entries {
        payload.put(key, value).unwrap();
    }
    payload.into_bytes()
}

fn run(specs: &[AggregateSpec], steps: &[(Vec<Row>, Between)], saves: bool) -> Vec<Results> {
    let mut aggregates = Aggregates::new(specs);
    for (rows, between) in steps {
        aggregates.add(rows);
        match between {
            Between::Save(parallelism) if saves => aggregates.save(*parallelism),
            Between::Nothing | Between::Save(_) => {}
            Between::Changes => aggregates.give_changes(),
        }
    }
    aggregates.give_changes();
    aggregates.give_all();
    aggregates.given
}

fn damage(payload: &mut Vec<u8>, at: usize, how: u8) {
    if payload.is_empty() {
        return;
    }
    let at = at % payload.len();
    match how {
        0 => payload.truncate(at),
        1 => payload.insert(at, 0),
        _ => payload[at] ^= how,
    }
}

fn is_of_damage(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::CheckpointDamaged | ErrorCode::FormatBatch)
}

proptest! {
    #[test]
    fn an_aggregate_that_was_saved_goes_on_as_if_nothing_had_happened(
        specs in arb_specs(),
        steps in prop::collection::vec((arb_rows(), arb_between(1)), 1..12),
    ) {
        prop_assert_eq!(run(&specs, &steps, true), run(&specs, &steps, false));
    }

    #[test]
    fn an_aggregate_of_other_parallelism_gives_the_same_of_each_key(
        specs in arb_specs(),
        steps in prop::collection::vec((arb_rows(), arb_between(4)), 1..12),
    ) {
        let sorted = |given: Vec<Results>| -> Vec<Results> {
            given.into_iter().map(|mut results| { results.sort(); results }).collect()
        };
        prop_assert_eq!(sorted(run(&specs, &steps, true)), sorted(run(&specs, &steps, false)));
    }

    #[test]
    fn a_damaged_aggregate_is_an_error_or_another_aggregate_and_never_a_panic(
        specs in arb_specs(),
        steps in prop::collection::vec(arb_rows(), 1..4),
        at in any::<usize>(),
        how in any::<u8>(),
    ) {
        let mut aggregates = Aggregates::new(&specs);
        for rows in &steps {
            aggregates.add(rows);
        }
        let mut saved = aggregates.instances[0].save(KEY_GROUPS).unwrap();
        damage(&mut saved, at, how);
        aggregates.start(1);
        match aggregates.instances[0].restore(&saved) {
            Ok(()) => {
                aggregates.give_changes();
                aggregates.give_all();
            }
            Err(error) => prop_assert!(is_of_damage(error.code), "{}", error),
        }
    }

    #[test]
    fn slots_that_were_saved_have_their_keys_again(
        rows in arb_rows(),
        more in arb_rows(),
        removed in prop::collection::vec(any::<bool>(), 12),
        parallelism in 1_u32..4,
        at in any::<usize>(),
        how in any::<u8>(),
    ) {
        let registry = LayoutRegistry::new();
        let mut table = KeyTable::new();
        let mut slots = Vec::new();
        table.slots_for(&batch(&registry, &rows.iter().collect::<Vec<_>>()).view(), &mut slots).unwrap();
        for (&slot, _) in slots.iter().zip(&removed).filter(|(_, removed)| **removed) {
            table.remove(slot);
        }
        table.slots_for(&batch(&registry, &more.iter().collect::<Vec<_>>()).view(), &mut slots).unwrap();
        let saved = table.save(KEY_GROUPS).unwrap();
        prop_assert_eq!(saved_entries(&saved).unwrap().len(), table.len());

        let mut found = 0;
        for instance in 0..parallelism {
            let share = share_of(std::slice::from_ref(&saved), instance, parallelism);
            let mut restored = KeyTable::new();
            let slots = restored.restore(&share).unwrap();
            let mut order = Vec::new();
            for ((key, old), &slot) in saved_entries(&share).unwrap().into_iter().zip(&slots) {
                prop_assert_eq!(restored.slot_of(key), Some(slot));
                order.push((slot, u32::from_le_bytes(old.try_into().unwrap())));
            }
            order.sort_unstable();
            prop_assert!(order.is_sorted_by_key(|&(_, old)| old), "the order of slots is the same");
            prop_assert!(restored.restore(&share).is_err() || slots.is_empty());
            found += slots.len();
        }
        prop_assert_eq!(found, table.len());

        let mut saved = saved;
        damage(&mut saved, at, how);
        if let Err(error) = KeyTable::new().restore(&saved) {
            prop_assert!(is_of_damage(error.code), "{}", error);
        }
    }

    #[test]
    fn timers_that_were_listed_and_registered_again_become_due_alike(
        calls in prop::collection::vec((0_u32..12, 0_u32..6, any::<bool>()), 0..60),
    ) {
        let mut timers = TimerTable::new();
        for (time, id, cancels) in calls {
            if cancels {
                timers.cancel(f64::from(time), id).unwrap();
            } else {
                timers.register(f64::from(time), id).unwrap();
            }
        }
        let mut restored = TimerTable::new();
        for timer in timers.iter() {
            prop_assert!(restored.register(timer.time_ms, timer.id).unwrap());
        }
        loop {
            let due = timers.pop_due(f64::INFINITY);
            prop_assert_eq!(restored.pop_due(f64::INFINITY), due);
            if due.is_none() {
                break;
            }
        }
    }

    #[test]
    fn damaged_states_of_functions_are_an_error_or_other_states_and_never_a_panic(
        keys in prop::collection::vec(arb_key(), 1..8),
        at in any::<usize>(),
        how in any::<u8>(),
        on_disk in any::<bool>(),
    ) {
        let mut payload = KeyedPayload::new(KEY_GROUPS);
        for (number, key) in (5_u64..).zip(&keys) {
            payload.put(&key.canonical(), &[&number.to_le_bytes()[..], b"value"].concat()).unwrap();
        }
        let mut saved = payload.into_bytes();
        damage(&mut saved, at, how);
        let mut table = states(on_disk);
        let restored = table.restore(7, 0, &saved);
        if let Err(error) = &restored {
            // Damage may make a key too long for the store.
            prop_assert!(is_of_damage(error.code), "{}", error);
        }
        let mut slots = vec![0; 8];
        if table.begin_keys(8, &saved, &mut slots).is_ok() {
            let ends: Vec<i32> = table.exchange().to_encode().iter().map(|_| 0).collect();
            table.finish(8, &[], &ends, &[]).unwrap();
        }
        while table.expire(1_000_000).unwrap() {}
    }
}

fn states(on_disk: bool) -> KeyedStateTable {
    let specs = StateSpec::list_from_json(r#"[{"name":"a","ttlMs":20},{"name":"b"}]"#).unwrap();
    if !on_disk {
        return KeyedStateTable::in_memory(&specs);
    }
    let store = JobStore::over(Arc::new(MemoryStore::new()), "test", 1 << 20).unwrap();
    let options = DiskOptions {
        store: Arc::new(store),
        operator: 1,
        key_groups: KEY_GROUPS,
        budget_bytes: 1 << 20,
    };
    KeyedStateTable::on_disk(&specs, &options).unwrap()
}

fn numbers(numbers: &[f64], values: &[Option<f64>]) -> Vec<Row> {
    numbers
        .iter()
        .zip(values)
        .map(|(&number, &input)| Row {
            key: Key::Number(number),
            input,
        })
        .collect()
}

#[test]
fn given_state_of_other_aggregators_then_it_is_refused() {
    let spec = |kind| AggregateSpec { kind, input: Some(0) };
    let mut saved = Aggregates::new(&[spec(AggregateKind::Sum)]);
    saved.add(&numbers(&[1.0], &[Some(2.0)]));
    let saved = &mut saved.instances[0];
    let mut other = KeyedAggregate::new(vec![spec(AggregateKind::Avg)]).unwrap();

    let error = other.restore(&saved.save(KEY_GROUPS).unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointDamaged);

    // Those of the same width differ in name only.
    let last = KeyedAggregate::new(vec![spec(AggregateKind::Last)]).unwrap();
    let signature = saved.signature();
    assert_eq!(signature, "sum(0)");
    assert!(saved.check_signature(signature.as_bytes()).is_ok());
    let error = last.check_signature(signature.as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointDamaged);
}

#[test]
fn given_an_aggregate_that_had_batches_then_nothing_is_restored_into_it() {
    let count = [AggregateSpec {
        kind: AggregateKind::Count,
        input: None,
    }];
    let mut aggregates = Aggregates::new(&count);
    aggregates.add(&numbers(&[1.0], &[None]));
    let saved = aggregates.instances[0].save(KEY_GROUPS).unwrap();
    let error = aggregates.instances[0].restore(&saved).unwrap_err();
    assert_eq!(error.code, ErrorCode::Internal);
    let twice = [saved.clone(), saved].concat();
    let error = KeyedAggregate::new(count.to_vec())
        .unwrap()
        .restore(&twice)
        .unwrap_err();
    assert!(error.message.contains("twice"), "{error}");
}

#[test]
fn given_values_that_the_store_lacks_then_its_entries_are_refused() {
    let mut table = states(true);
    let mut key = KeyedPayload::new(KEY_GROUPS);
    key.put(&Key::Number(1.0).canonical(), &[]).unwrap();
    let key = key.into_bytes();
    let mut slots = [0];
    table.begin_keys(1, &key, &mut slots).unwrap();
    table.finish(1, &[slots[0], 1, 3], &[], &[]).unwrap();

    assert_eq!(table.entries(1, 1, 0, 1).unwrap_err().code, ErrorCode::Internal);
    // Also those of another state: all are read behind each other.
    assert_eq!(table.entries(1, 0, 0, 1).unwrap_err().code, ErrorCode::Internal);

    let mut pairs = [0; 8];
    assert_eq!(table.dirty(0, &mut pairs).unwrap(), (1, None));
    table.store(&pairs[..2], &[3], b"abc").unwrap();
    let saved = table.entries(1, 1, 0, 1).unwrap();
    let (_, value) = saved_entries(&saved).unwrap()[0];
    assert_eq!(value, [&u64::MAX.to_le_bytes()[..], b"abc"].concat());

    // A value that was removed since is not saved.
    table.begin_keys(2, &key, &mut slots).unwrap();
    table.finish(2, &[slots[0], 1, -1], &[], &[]).unwrap();
    assert!(table.entries(2, 1, 0, 1).unwrap().is_empty());
}

#[test]
fn given_values_that_have_expired_then_they_are_neither_saved_nor_restored() {
    let mut payload = KeyedPayload::new(KEY_GROUPS);
    for (number, expires_at_ms) in [(1.0, 10_u64), (2.0, 30)] {
        let value = [&expires_at_ms.to_le_bytes()[..], b"v"].concat();
        payload.put(&Key::Number(number).canonical(), &value).unwrap();
    }
    let saved = payload.into_bytes();
    let mut memory = states(false);
    assert_eq!(memory.restore(10, 0, &saved).unwrap(), [-1, 0]);
    assert_eq!(
        memory.keys_of(29, Some(0), KEY_GROUPS).unwrap().len(),
        11 + 9 + 12
    );
    assert!(memory.keys_of(30, Some(0), KEY_GROUPS).unwrap().is_empty());
    let mut disk = states(true);
    assert_eq!(disk.restore(10, 0, &saved).unwrap(), [-1, -1]);
    assert_eq!(
        saved_entries(&disk.entries(29, 0, 0, 1).unwrap()).unwrap().len(),
        1
    );
    assert!(disk.entries(30, 0, 0, 1).unwrap().is_empty());
}
