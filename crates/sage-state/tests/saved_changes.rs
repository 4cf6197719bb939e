//! What has changed of an aggregate since it was saved: on top of that, it is all that there is.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use sage_checkpoint::EntryReader;
use sage_frame::LayoutRegistry;
use sage_state::{AggregateKind, AggregateSpec, KeyedAggregate, KeyedPayload, saved_entries};
use support::batch::{KeyForm, OwnedBatch};
use support::keys::{Key, arb_key};

const KEY_GROUPS: u32 = 128;

type Row = (Key, Option<f64>);

/// What epochs have come to that are on top of each other: entries by key.
#[derive(Debug, Default)]
struct Chain(BTreeMap<Vec<u8>, Vec<u8>>);

impl Chain {
    /// An epoch of which the part is changes, if these are known and will do.
    fn save(&mut self, aggregate: &mut KeyedAggregate) {
        let changes = aggregate.save_changes(KEY_GROUPS).unwrap();
        let payload = changes.unwrap_or_else(|| {
            self.0.clear();
            aggregate.save(KEY_GROUPS).unwrap()
        });
        self.add(&payload);
    }

    fn add(&mut self, payload: &[u8]) {
        for entry in EntryReader::new(payload).map(Result::unwrap) {
            match entry.value {
                Some(value) => self.0.insert(entry.key.to_vec(), value.to_vec()),
                None => self.0.remove(entry.key),
            };
        }
    }

    fn payload(&self) -> Vec<u8> {
        let mut payload = KeyedPayload::new(KEY_GROUPS);
        for (key, value) in &self.0 {
            payload.put(key, value).unwrap();
        }
        payload.into_bytes()
    }
}

fn specs(kinds: &[AggregateKind]) -> Vec<AggregateSpec> {
    let spec = |&kind| AggregateSpec { kind, input: Some(0) };
    kinds.iter().map(spec).collect()
}

fn add(aggregate: &mut KeyedAggregate, registry: &LayoutRegistry, rows: &[Row]) {
    let (keys, inputs): (Vec<Key>, Vec<Option<f64>>) = rows.iter().cloned().unzip();
    let batch = OwnedBatch::new(registry, &keys, KeyForm::Narrow, &[inputs]);
    aggregate.update(&batch.view()).unwrap();
}

fn numbers(numbers: std::ops::Range<u32>) -> Vec<Row> {
    numbers
        .map(|number| (Key::Number(f64::from(number)), Some(1.0)))
        .collect()
}

fn arb_rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let input = prop::option::weighted(0.9, (-20_i32..20).prop_map(|number| f64::from(number) / 10.0));
    prop::collection::vec((arb_key(), input), 1..most)
}

proptest! {
    #[test]
    fn changes_on_top_of_each_other_are_all_that_there_is(
        kinds in prop::collection::vec(prop::sample::select(AggregateKind::ALL.to_vec()), 1..6),
        first in arb_rows(40),
        steps in prop::collection::vec(
            (arb_rows(3), prop::collection::vec(any::<prop::sample::Index>(), 0..3), prop::bool::weighted(0.6)),
            1..12,
        ),
    ) {
        let registry = LayoutRegistry::new();
        let mut aggregate = KeyedAggregate::new(specs(&kinds)).unwrap();
        add(&mut aggregate, &registry, &first);
        prop_assert_eq!(aggregate.save_changes(KEY_GROUPS).unwrap(), None);
        let mut chain = Chain::default();
        chain.save(&mut aggregate);
        for (rows, removed, saves) in &steps {
            add(&mut aggregate, &registry, rows);
            for slot in removed {
                aggregate.remove(u32::try_from(slot.index(aggregate.keys().slot_count())).unwrap());
            }
            if *saves {
                chain.save(&mut aggregate);
            }
        }
        chain.save(&mut aggregate);

        let mut whole = Chain::default();
        whole.add(&aggregate.save(KEY_GROUPS).unwrap());
        prop_assert_eq!(&chain.0, &whole.0);
        let mut restored = KeyedAggregate::new(specs(&kinds)).unwrap();
        restored.restore(&chain.payload()).unwrap();
        prop_assert_eq!(restored.keys().len(), aggregate.keys().len());
    }
}

#[test]
fn given_100_of_10_000_keys_have_changed_then_changes_have_less_than_a_twentieth_of_the_bytes() {
    let registry = LayoutRegistry::new();
    let mut aggregate = KeyedAggregate::new(specs(&[AggregateKind::Count, AggregateKind::Sum])).unwrap();
    add(&mut aggregate, &registry, &numbers(0..10_000));
    let whole = aggregate.save(KEY_GROUPS).unwrap();
    assert_eq!(aggregate.save_changes(KEY_GROUPS).unwrap(), Some(Vec::new()));
    add(&mut aggregate, &registry, &numbers(0..100));
    add(&mut aggregate, &registry, &numbers(0..50));
    let changes = aggregate.save_changes(KEY_GROUPS).unwrap().unwrap();
    assert!(
        changes.len() * 20 < whole.len(),
        "{} of {}",
        changes.len(),
        whole.len()
    );
    assert_eq!(saved_entries(&changes).unwrap().len(), 100);
}

#[test]
fn given_keys_that_go_and_come_again_then_they_are_removed_before_they_are_there() {
    let registry = LayoutRegistry::new();
    let mut aggregate = KeyedAggregate::new(specs(&[AggregateKind::Count])).unwrap();
    add(&mut aggregate, &registry, &numbers(0..20));
    aggregate.save(KEY_GROUPS).unwrap();
    for slot in [3, 4] {
        assert!(aggregate.remove(slot));
    }
    add(&mut aggregate, &registry, &numbers(3..4));
    let changes = aggregate.save_changes(KEY_GROUPS).unwrap().unwrap();
    let entries: Vec<(Vec<u8>, bool)> = EntryReader::new(&changes)
        .map(|entry| {
            entry
                .map(|entry| (entry.key.to_vec(), entry.value.is_some()))
                .unwrap()
        })
        .collect();
    let key = |number| Key::Number(number).canonical();
    assert_eq!(entries, [(key(3.0), false), (key(4.0), false), (key(3.0), true)]);
}

#[test]
fn given_an_aggregate_that_tracks_changes_for_results_then_it_is_always_saved_as_a_whole() {
    let registry = LayoutRegistry::new();
    let mut aggregate = KeyedAggregate::new(specs(&[AggregateKind::Count]))
        .unwrap()
        .with_change_tracking();
    add(&mut aggregate, &registry, &numbers(0..3));
    aggregate.save(KEY_GROUPS).unwrap();
    assert_eq!(aggregate.save_changes(KEY_GROUPS).unwrap(), None);
}
