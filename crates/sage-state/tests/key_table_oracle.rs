//! The key table against a map over what the keys are, not over their bytes.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use sage_frame::{BytesColumn, ColumnData, LayoutRegistry, LeafKind, StrColumn};
use sage_state::{ExportedKeys, KeyTable};
use support::batch::{KeyForm, OwnedBatch, read_identities};
use support::keys::{Key, arb_key};

fn arb_form() -> impl Strategy<Value = KeyForm> {
    prop::sample::select(vec![KeyForm::Narrow, KeyForm::Wide, KeyForm::Bytes])
}

/// Batches of mixed keys, and of keys of one kind, which take the fast paths.
fn arb_batches() -> impl Strategy<Value = Vec<(Vec<Key>, KeyForm)>> {
    let kind_of = |key: &Key| std::mem::discriminant(key);
    let keys = || prop::collection::vec(arb_key(), 1..60);
    let same_kind = keys().prop_map(move |keys| {
        let kind = kind_of(&keys[0]);
        keys.into_iter().filter(|key| kind_of(key) == kind).collect()
    });
    let strings = keys().prop_map(|keys| {
        let mut keys: Vec<Key> = keys
            .into_iter()
            .filter(|key| matches!(key, Key::Str(_)))
            .collect();
        keys.push(Key::str("at least one"));
        keys
    });
    prop::collection::vec((prop_oneof![keys(), same_kind, strings], arb_form()), 1..12)
}

fn slots_of(
    table: &mut KeyTable,
    registry: &LayoutRegistry,
    keys: &[Key],
    form: KeyForm,
) -> (Vec<u32>, usize) {
    let batch = OwnedBatch::new(registry, keys, form, &[]);
    let mut slots = vec![99; 3];
    let added = table.slots_for(&batch.view(), &mut slots).unwrap();
    (slots, added)
}

fn column(keys: &ExportedKeys) -> ColumnData<'_> {
    match keys {
        ExportedKeys::F64(numbers) => ColumnData::F64(numbers),
        ExportedKeys::Bool(booleans) => ColumnData::Bool(booleans),
        ExportedKeys::Str { ends, data, encoding } => ColumnData::Str(StrColumn {
            ends,
            data,
            encoding: *encoding,
        }),
        ExportedKeys::Bytes { ends, data } => ColumnData::Bytes(BytesColumn { ends, data }),
    }
}

proptest! {
    #[test]
    fn slots_are_dense_and_in_the_order_in_which_keys_are_first_seen(batches in arb_batches()) {
        let registry = LayoutRegistry::new();
        let mut table = KeyTable::new();
        let mut oracle: BTreeMap<String, u32> = BTreeMap::new();
        let mut seen: Vec<Key> = Vec::new();
        for (keys, form) in &batches {
            let before = oracle.len();
            let expected: Vec<u32> = keys.iter().map(|key| {
                let next = u32::try_from(oracle.len()).unwrap();
                *oracle.entry(key.identity()).or_insert_with(|| {
                    seen.push(key.clone());
                    next
                })
            }).collect();

            let (slots, added) = slots_of(&mut table, &registry, keys, *form);

            prop_assert_eq!(slots, expected);
            prop_assert_eq!(added, oracle.len() - before);
            prop_assert_eq!(table.len(), oracle.len());
        }
        for (slot, key) in (0_u32..).zip(&seen) {
            let canonical = key.canonical();
            prop_assert_eq!(table.slot_of(&canonical), Some(slot));
            let mut read = Vec::new();
            prop_assert!(table.append_canonical(slot, &mut read));
            prop_assert_eq!(read, canonical);
        }
        prop_assert_eq!(table.slot_of(b"\x05never seen"), None);
    }

    #[test]
    fn exported_keys_are_those_that_were_given_in_the_narrowest_column(
        batches in arb_batches(),
        cuts in prop::collection::vec(1_u32..20, 1..10),
    ) {
        let registry = LayoutRegistry::new();
        let mut table = KeyTable::new();
        let mut seen: Vec<Key> = Vec::new();
        for (keys, form) in &batches {
            let (slots, _) = slots_of(&mut table, &registry, keys, *form);
            for (key, slot) in keys.iter().zip(slots) {
                if slot as usize == seen.len() {
                    seen.push(key.clone());
                }
            }
        }
        let mut start = 0_u32;
        for length in cuts.iter().cycle() {
            let end = (start + length).min(u32::try_from(seen.len()).unwrap());
            if start == end {
                break;
            }
            let range = &seen[start as usize..end as usize];

            let exported = table.export_range(start..end).unwrap();

            let canonical: Vec<_> = range.iter().map(Key::canonical).collect();
            prop_assert_eq!(read_identities(column(&exported)), canonical);
            prop_assert_eq!(exported.len(), range.len());
            let all = |is: fn(&Key) -> bool| range.iter().all(is);
            let narrowest = if all(|key| matches!(key, Key::Number(_))) {
                LeafKind::F64
            } else if all(|key| matches!(key, Key::Bool(_))) {
                LeafKind::Bool
            } else if all(|key| matches!(key, Key::Str(_))) {
                LeafKind::Str
            } else {
                LeafKind::Bytes
            };
            prop_assert_eq!(exported.kind(), narrowest);
            start = end;
        }
    }

    #[test]
    fn removed_keys_are_new_again_and_their_slots_are_used_again(
        batches in arb_batches(),
        removals in prop::collection::vec(prop::collection::vec(0_u32..60, 0..20), 12),
    ) {
        let registry = LayoutRegistry::new();
        let mut table = KeyTable::new();
        let mut oracle: BTreeMap<String, u32> = BTreeMap::new();
        let mut free: Vec<u32> = Vec::new();
        let mut slot_count = 0;
        for ((keys, form), removals) in batches.iter().zip(&removals) {
            let expected: Vec<u32> = keys.iter().map(|key| {
                *oracle.entry(key.identity()).or_insert_with(|| free.pop().unwrap_or_else(|| {
                    slot_count += 1;
                    slot_count - 1
                }))
            }).collect();

            let (slots, _) = slots_of(&mut table, &registry, keys, *form);
            prop_assert_eq!(slots, expected);

            for &slot in removals {
                let identity = oracle.iter().find(|&(_, &held)| held == slot).map(|(key, _)| key.clone());
                prop_assert_eq!(table.is_live(slot), identity.is_some());
                prop_assert_eq!(table.remove(slot), identity.is_some());
                if let Some(identity) = identity {
                    oracle.remove(&identity);
                    free.push(slot);
                }
            }
            prop_assert_eq!(table.len(), oracle.len());
            prop_assert_eq!(table.slot_count(), slot_count as usize);
        }
    }
}

#[test]
fn given_the_keys_1_in_all_their_forms_then_there_are_as_many_slots_as_values() {
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let one = || Key::Number(1.0);
    let zeros = [Key::Number(0.0), Key::Number(-0.0)];
    let nans = [Key::Number(f64::NAN), Key::Number(-f64::NAN)];

    assert_eq!(
        slots_of(&mut table, &registry, &[one()], KeyForm::Narrow),
        (vec![0], 1)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &[one()], KeyForm::Bytes),
        (vec![0], 0)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &[Key::str("1")], KeyForm::Narrow),
        (vec![1], 1)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &[Key::str("1")], KeyForm::Bytes),
        (vec![1], 0)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &[Key::str("1")], KeyForm::Wide),
        (vec![1], 0)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &zeros, KeyForm::Narrow),
        (vec![2, 2], 1)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &nans, KeyForm::Narrow),
        (vec![3, 3], 1)
    );
    let others = [
        Key::BigInt(1),
        Key::Bool(true),
        Key::Date(1.0),
        Key::Array(vec![one()]),
    ];
    assert_eq!(
        slots_of(&mut table, &registry, &others, KeyForm::Narrow),
        (vec![4, 5, 6, 7], 4)
    );
    assert_eq!(
        slots_of(&mut table, &registry, &[Key::Bool(true)], KeyForm::Narrow),
        (vec![5], 0)
    );
}

#[test]
fn given_long_keys_with_the_same_hash_then_they_have_different_slots() {
    // The digits of the bigint are the content of both keys, and the hash is that of the content.
    let digits = i64::MIN.to_string();
    let keys = [Key::str(&digits), Key::BigInt(i64::MIN), Key::str(&digits)];
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let mut other = KeyTable::new();

    // All in one batch, and one by one.
    assert_eq!(
        slots_of(&mut table, &registry, &keys, KeyForm::Narrow),
        (vec![0, 1, 0], 2)
    );
    for (key, expected) in keys.iter().zip([(vec![0], 1), (vec![1], 1), (vec![0], 0)]) {
        let key = std::slice::from_ref(key);
        assert_eq!(slots_of(&mut other, &registry, key, KeyForm::Narrow), expected);
    }
    // Two new keys, of which the first is found to be new only after the second: still in the order of the rows.
    let mut third = KeyTable::new();
    slots_of(&mut third, &registry, &keys[..1], KeyForm::Narrow);
    let more = [keys[1].clone(), Key::Null];
    assert_eq!(
        slots_of(&mut third, &registry, &more, KeyForm::Narrow),
        (vec![1, 2], 2)
    );
}

#[test]
fn a_million_keys_keep_their_slots_while_the_table_grows() {
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let number = |number: u32| Key::Number(f64::from(number) * 0.25);
    for start in (0..1_000_000_u32).step_by(10_000) {
        let keys: Vec<Key> = (start..start + 10_000).map(number).collect();
        let (slots, added) = slots_of(&mut table, &registry, &keys, KeyForm::Narrow);
        assert_eq!(added, 10_000);
        assert!(slots.into_iter().eq(start..start + 10_000));
    }
    let keys: Vec<Key> = (0..1_000_000).step_by(7).map(number).collect();
    let (slots, added) = slots_of(&mut table, &registry, &keys, KeyForm::Narrow);
    assert_eq!(added, 0);
    assert!(slots.into_iter().eq((0..1_000_000).step_by(7)));
}

#[test]
fn a_batch_with_a_bad_key_changes_nothing_and_names_the_row() {
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let mut slots = Vec::new();
    let ends: [u32; 3] = [2, 2, 4];
    let layout = r#"{"key":"bytes","row":"nil?"}"#;
    let buffers: [&[u8]; 3] = [bytemuck::cast_slice(&ends), b"\x05a\x05b", &[1, 1, 1]];
    let batch = OwnedBatch::raw(&registry, layout, 3, &buffers, &[]);

    let error = table.slots_for(&batch.view(), &mut slots).unwrap_err();

    assert_eq!(error.code.as_str(), "SAGE_FORMAT_BATCH");
    assert!(error.message.contains("row 1"), "{error}");
    assert!(table.is_empty());
}

#[test]
fn slots_for_javascript_are_written_in_place() {
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let batch = OwnedBatch::new(
        &registry,
        &[Key::str("a"), Key::Null, Key::str("a")],
        KeyForm::Narrow,
        &[],
    );
    let mut slots = [-1; 4];

    assert_eq!(table.slots_into(&batch.view(), &mut slots).unwrap(), 2);
    assert_eq!(slots, [0, 1, 0, -1]);

    let error = table.slots_into(&batch.view(), &mut slots[..2]).unwrap_err();
    assert_eq!(error.code.as_str(), "SAGE_INTERNAL");
}

#[test]
fn a_slot_knows_the_key_group_of_its_key() {
    let registry = LayoutRegistry::new();
    let mut table = KeyTable::new();
    let keys = [Key::Number(2.0), Key::str("x"), Key::str(&"y".repeat(50))];
    let batch = OwnedBatch::new(&registry, &keys, KeyForm::Narrow, &[]);
    table.slots_for(&batch.view(), &mut Vec::new()).unwrap();
    let mut hashes = Vec::new();
    sage_frame::hash_keys(&batch.view(), &mut hashes).unwrap();

    let of_slots: Vec<_> = (0..3).map(|slot| table.partition_hash(slot)).collect();
    assert_eq!(of_slots, hashes.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(table.partition_hash(3), None);
}
