//! Aggregates against the same figures computed key by key from the list of all its inputs.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use sage_frame::{BatchView, ColumnData, Frame, FrameMeta, LayoutRegistry, presence};
use sage_state::{AggregateKind, AggregateSpec, KeyedAggregate};
use support::batch::{KeyForm, OwnedBatch, read_identities};
use support::keys::{Key, arb_key};

/// A record: its key, and two inputs that may be missing.
#[derive(Debug, Clone)]
struct Row {
    key: Key,
    inputs: [Option<f64>; 2],
}

/// The bits of a result, all NaN alike; none for null.
type Bits = Option<u64>;

fn bits(result: f64) -> u64 {
    if result.is_nan() {
        f64::NAN.to_bits()
    } else {
        result.to_bits()
    }
}

fn arb_input() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        8 => (-20_i32..20).prop_map(|number| Some(f64::from(number) / 4.0)),
        2 => any::<f64>().prop_map(Some),
        1 => prop::sample::select(vec![
            -0.0, 0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY,
            // The pattern that the states use inside.
            f64::from_bits(0x7ff4_5a6e_0000_0001),
        ]).prop_map(Some),
    ]
}

fn arb_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (arb_key(), arb_input(), arb_input()).prop_map(|(key, first, second)| Row {
        key,
        inputs: [first, second],
    });
    prop::collection::vec(row, 1..150)
}

/// Lengths of batches, and how the keys of each are written; used round and round.
fn arb_cuts() -> impl Strategy<Value = Vec<(usize, KeyForm)>> {
    let form = prop::sample::select(vec![KeyForm::Narrow, KeyForm::Wide, KeyForm::Bytes]);
    prop::collection::vec((1_usize..40, form), 1..6)
}

fn arb_specs() -> impl Strategy<Value = Vec<AggregateSpec>> {
    let spec = (prop::sample::select(AggregateKind::ALL.to_vec()), 0_usize..2).prop_map(|(kind, input)| {
        AggregateSpec {
            kind,
            input: Some(input),
        }
    });
    prop::collection::vec(spec, 0..9)
}

fn batches(registry: &LayoutRegistry, rows: &[Row], cuts: &[(usize, KeyForm)]) -> Vec<OwnedBatch> {
    let mut rest = rows;
    let mut batches = Vec::new();
    for &(length, form) in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        let keys: Vec<Key> = batch.iter().map(|row| row.key.clone()).collect();
        let column = |index: usize| batch.iter().map(|row| row.inputs[index]).collect();
        batches.push(OwnedBatch::new(registry, &keys, form, &[column(0), column(1)]));
    }
    batches
}

/// What an aggregator gives for these rows, from its definition.
fn expected(spec: &AggregateSpec, rows: &[&Row]) -> Bits {
    let inputs: Vec<f64> = rows.iter().filter_map(|row| row.inputs[spec.input?]).collect();
    let sum = || inputs.iter().fold(0.0, |sum, input| sum + input);
    let some_nan = inputs.iter().any(|input| input.is_nan());
    let extreme = |better: fn(f64, f64) -> bool| {
        let best = |best: f64, &input: &f64| if better(input, best) { input } else { best };
        let (&first, rest) = inputs.split_first()?;
        Some(if some_nan {
            f64::NAN
        } else {
            rest.iter().fold(first, best)
        })
    };
    let result = match spec.kind {
        AggregateKind::Count => Some(rows.len() as f64),
        AggregateKind::Sum => Some(sum()),
        AggregateKind::Avg => (!inputs.is_empty()).then(|| sum() / inputs.len() as f64),
        AggregateKind::Min => extreme(|input, best| input < best),
        AggregateKind::Max => extreme(|input, best| input > best),
        AggregateKind::First => inputs.first().copied(),
        AggregateKind::Last => inputs.last().copied(),
    };
    result.map(bits)
}

/// Keys in the order in which they are first seen, with the results of all of their rows.
fn expected_results(specs: &[AggregateSpec], rows: &[Row]) -> Vec<(Vec<u8>, Vec<Bits>)> {
    let mut of_key: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    let mut order = Vec::new();
    for row in rows {
        let rows = of_key.entry(row.key.identity()).or_default();
        if rows.is_empty() {
            order.push(&row.key);
        }
        rows.push(row);
    }
    let results = |key: &&Key| {
        let rows = &of_key[&key.identity()];
        (
            key.canonical(),
            specs.iter().map(|spec| expected(spec, rows)).collect(),
        )
    };
    order.iter().map(results).collect()
}

/// The result columns of a batch, row by row.
fn read_results(view: &BatchView<'_>) -> Vec<Vec<Bits>> {
    let layout = view.layout();
    let columns: Vec<_> = layout.nodes()[layout.row_node()]
        .children
        .iter()
        .map(|&node| view.node(node).unwrap())
        .collect();
    let result = |column: &sage_frame::Column<'_>, row: usize| {
        let ColumnData::F64(values) = column.data else {
            panic!("a result column has {:?}", column.data);
        };
        match column.presence_of(row) {
            presence::VALUE => Some(bits(values[row])),
            presence::NULL => {
                assert_eq!(values[row].to_bits(), 0, "the filler of an absent row is 0");
                None
            }
            other => panic!("a result has presence {other}"),
        }
    };
    (0..view.rows())
        .map(|row| columns.iter().map(|column| result(column, row)).collect())
        .collect()
}

fn read_frame(frame: &Frame, registry: &LayoutRegistry) -> Vec<(Vec<u8>, Vec<Bits>)> {
    let view = frame.view(registry).unwrap();
    let keys = read_identities(view.key().unwrap().data);
    keys.into_iter().zip(read_results(&view)).collect()
}

fn drain_all(
    aggregate: &KeyedAggregate,
    registry: &LayoutRegistry,
    max_rows: usize,
) -> Vec<(Vec<u8>, Vec<Bits>)> {
    let mut results = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        let drained = aggregate
            .drain(start, max_rows, registry, FrameMeta::default())
            .unwrap();
        let Some(drained) = drained else {
            assert!(results.is_empty(), "next_slot was given where there is no key");
            break;
        };
        assert!((1..=max_rows).contains(&drained.frame.rows()));
        results.extend(read_frame(&drained.frame, registry));
        next = drained.next_slot;
    }
    results
}

proptest! {
    // Each case computes every result from scratch, for every row.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn final_results_are_those_of_the_definition_however_the_rows_are_cut_into_batches(
        rows in arb_rows(),
        specs in arb_specs(),
        cuts in prop::collection::vec(arb_cuts(), 1..3),
        max_rows in 1_usize..80,
    ) {
        let expected = expected_results(&specs, &rows);
        for cuts in &cuts {
            let registry = LayoutRegistry::new();
            let mut aggregate = KeyedAggregate::new(specs.clone()).unwrap();
            for batch in batches(&registry, &rows, cuts) {
                aggregate.update(&batch.view()).unwrap();
            }
            prop_assert_eq!(drain_all(&aggregate, &registry, max_rows), expected.clone());
            // The state is still there.
            prop_assert_eq!(drain_all(&aggregate, &registry, max_rows), expected.clone());
        }
    }

    #[test]
    fn running_results_are_the_final_results_of_the_rows_so_far(
        rows in arb_rows(),
        specs in arb_specs(),
        cuts in arb_cuts(),
    ) {
        let registry = LayoutRegistry::new();
        let mut aggregate = KeyedAggregate::new(specs.clone()).unwrap();
        let mut so_far: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
        let mut rest = rows.iter();
        // Aligned memory with something in it.
        let mut memory = vec![u64::MAX; 20_000];
        for batch in batches(&registry, &rows, &cuts) {
            let view = batch.view();
            let needed = aggregate.running_image_len(view.rows()).unwrap();
            let image: &mut [u8] = bytemuck::cast_slice_mut(&mut memory);

            let emitted = aggregate.update_emit_into(&view, &registry, image).unwrap();

            prop_assert_eq!(emitted, sage_state::Emitted::Written(needed));
            let running = BatchView::from_image(&image[..needed], &registry).unwrap();
            prop_assert_eq!(running.rows(), view.rows());
            prop_assert!(running.key().is_none());
            for results in read_results(&running) {
                let row = rest.next().unwrap();
                let rows = so_far.entry(row.key.identity()).or_default();
                rows.push(row);
                let expected: Vec<Bits> = specs.iter().map(|spec| expected(spec, rows)).collect();
                prop_assert_eq!(results, expected);
            }
        }
        prop_assert_eq!(rest.count(), 0);
        prop_assert_eq!(drain_all(&aggregate, &registry, 1024), expected_results(&specs, &rows));
    }

    #[test]
    fn changed_keys_are_given_once_in_the_order_of_their_first_change(
        rows in arb_rows(),
        specs in arb_specs(),
        cuts in arb_cuts(),
        max_rows in 1_usize..30,
        emit_after in prop::collection::vec(any::<bool>(), 1..10),
    ) {
        let registry = LayoutRegistry::new();
        let mut aggregate = KeyedAggregate::new(specs.clone()).unwrap().with_change_tracking();
        let (mut done, mut emitted) = (0, 0);
        for (batch, emit) in batches(&registry, &rows, &cuts).iter().zip(emit_after.iter().cycle()) {
            aggregate.update(&batch.view()).unwrap();
            done += batch.view().rows();
            if !emit {
                continue;
            }
            let mut results = Vec::new();
            while let Some(frame) = aggregate.drain_changed(max_rows, &registry, FrameMeta::default()).unwrap() {
                prop_assert!(frame.rows() <= max_rows);
                results.extend(read_frame(&frame, &registry));
            }
            let all: BTreeMap<_, _> = expected_results(&specs, &rows[..done]).into_iter().collect();
            let changed = expected_results(&[], &rows[emitted..done]);
            let expected: Vec<_> = changed.into_iter().map(|(key, _)| (key.clone(), all[&key].clone())).collect();
            prop_assert_eq!(results, expected);
            prop_assert_eq!(aggregate.changed_since_mark(), &[] as &[u32]);
            emitted = done;
        }
    }

    #[test]
    fn a_removed_key_starts_again_from_nothing(
        before in arb_rows(),
        after in arb_rows(),
        specs in arb_specs(),
        cuts in arb_cuts(),
        removed in prop::collection::vec(any::<bool>(), 40),
    ) {
        let registry = LayoutRegistry::new();
        let mut aggregate = KeyedAggregate::new(specs.clone()).unwrap().with_change_tracking();
        for batch in batches(&registry, &before, &cuts) {
            aggregate.update(&batch.view()).unwrap();
        }
        let mut kept = before.clone();
        for (key, _) in expected_results(&[], &before) {
            let slot = aggregate.keys().slot_of(&key).unwrap();
            if removed[slot as usize % removed.len()] {
                prop_assert!(aggregate.remove(slot));
                prop_assert!(!aggregate.remove(slot));
                kept.retain(|row| row.key.canonical() != key);
            }
        }
        for batch in batches(&registry, &after, &cuts) {
            aggregate.update(&batch.view()).unwrap();
        }

        // Slots are used again, so the order is no longer that of the first sight.
        let mut expected = expected_results(&specs, &[kept, after.clone()].concat());
        let mut results = drain_all(&aggregate, &registry, 7);
        expected.sort();
        results.sort();
        prop_assert_eq!(results, expected.clone());

        // Every key that is there has changed since the start, and is given once.
        let mut changed = Vec::new();
        while let Some(frame) = aggregate.drain_changed(9, &registry, FrameMeta::default()).unwrap() {
            changed.extend(read_frame(&frame, &registry));
        }
        changed.sort();
        prop_assert_eq!(changed, expected);
    }
}
