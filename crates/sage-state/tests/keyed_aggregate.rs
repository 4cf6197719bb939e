//! What an aggregate accepts, refuses, and gives at its limits.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use sage_frame::{BatchView, FrameMeta, LayoutRegistry, LeafKind, Node};
use sage_state::{AggregateKind, AggregateSpec, Emitted, KeyedAggregate, MAX_DRAINED_KEY_BYTES};
use support::batch::{KeyForm, OwnedBatch};
use support::keys::Key;

fn spec(kind: AggregateKind, input: usize) -> AggregateSpec {
    AggregateSpec {
        kind,
        input: Some(input),
    }
}

const COUNT: AggregateSpec = AggregateSpec {
    kind: AggregateKind::Count,
    input: None,
};

/// Keys `a b a`, with inputs `1`, none, `2.5`.
fn small_batch(registry: &LayoutRegistry) -> OwnedBatch {
    let keys = ["a", "b", "a"].map(Key::str);
    OwnedBatch::new(
        registry,
        &keys,
        KeyForm::Narrow,
        &[vec![Some(1.0), None, Some(2.5)]],
    )
}

#[test]
fn results_have_the_layout_that_the_specification_names() {
    let registry = LayoutRegistry::new();
    let kinds = AggregateKind::ALL.map(|kind| spec(kind, 0));
    let mut aggregate = KeyedAggregate::new(kinds.to_vec()).unwrap();
    let mut image = Vec::new();

    aggregate
        .update_emit(&small_batch(&registry).view(), &registry, &mut image)
        .unwrap();
    let drained = aggregate
        .drain(0, 10, &registry, FrameMeta::default())
        .unwrap()
        .unwrap();

    let tuple = r#"{"tup":["f64","f64","f64?","f64?","f64?","f64?","f64?"]}"#;
    let running = registry
        .intern(&format!(r#"{{"key":null,"row":{tuple}}}"#))
        .unwrap();
    assert_eq!(image[4..8], running.0.to_le_bytes());
    let view = drained.frame.view(&registry).unwrap();
    assert_eq!(*view.layout().text, *format!(r#"{{"key":"str","row":{tuple}}}"#));
    assert_eq!(drained.next_slot, None);
}

#[test]
fn given_too_little_room_when_results_are_emitted_then_nothing_is_aggregated() {
    let registry = LayoutRegistry::new();
    let mut aggregate = KeyedAggregate::new(vec![COUNT, spec(AggregateKind::Avg, 0)]).unwrap();
    let batch = small_batch(&registry);
    let needed = aggregate.running_image_len(3).unwrap();
    let mut words = vec![u64::MAX; needed / 8];
    let image: &mut [u8] = bytemuck::cast_slice_mut(&mut words);

    let emitted = aggregate
        .update_emit_into(&batch.view(), &registry, &mut image[..needed - 1])
        .unwrap();
    assert_eq!(emitted, Emitted::TooSmall { needed_bytes: needed });
    assert!(aggregate.keys().is_empty());
    assert!(image.iter().all(|&byte| byte == 0xff));

    // When: there is room, then the first results are those of the first row.
    let emitted = aggregate
        .update_emit_into(&batch.view(), &registry, image)
        .unwrap();
    assert_eq!(emitted, Emitted::Written(needed));
    let view = BatchView::from_image(image, &registry).unwrap();
    assert_eq!(view.f64s(0), [1.0, 1.0, 2.0]);
    assert_eq!(view.bytes(1), [0, 1, 0]);
    assert_eq!(view.f64s(2), [1.0, 0.0, 1.75]);
}

#[test]
fn no_byte_of_an_image_is_left_as_it_was() {
    let registry = LayoutRegistry::new();
    let images = [0_u64, u64::MAX].map(|before| {
        let mut aggregate = KeyedAggregate::new(vec![COUNT, spec(AggregateKind::Max, 0)]).unwrap();
        let needed = aggregate.running_image_len(3).unwrap();
        let mut words = vec![before; needed / 8];
        let image = bytemuck::cast_slice_mut(&mut words);
        aggregate
            .update_emit_into(&small_batch(&registry).view(), &registry, image)
            .unwrap();
        words
    });
    assert_eq!(images[0], images[1]);
}

#[test]
fn a_batch_without_rows_changes_nothing() {
    let registry = LayoutRegistry::new();
    let mut aggregate = KeyedAggregate::new(vec![COUNT]).unwrap();
    let batch = OwnedBatch::new(&registry, &[], KeyForm::Bytes, &[]);
    let mut image = Vec::new();

    aggregate.update(&batch.view()).unwrap();
    aggregate
        .update_emit(&batch.view(), &registry, &mut image)
        .unwrap();

    assert_eq!(image.len(), aggregate.running_image_len(0).unwrap());
    let drained = aggregate.drain(0, 10, &registry, FrameMeta::default()).unwrap();
    assert!(drained.is_none());
}

#[test]
fn whole_numbers_and_columns_of_nothing_are_inputs_too() {
    let registry = LayoutRegistry::new();
    let layout = r#"{"key":"bool","row":{"tup":["i32","nil?"]}}"#;
    let numbers: [i32; 2] = [-3, 5];
    let buffers: [&[u8]; 3] = [&[1, 1], bytemuck::cast_slice(&numbers), &[1, 3]];
    let batch = OwnedBatch::raw(&registry, layout, 2, &buffers, &[]);
    let specs = [
        (AggregateKind::Sum, 0),
        (AggregateKind::Min, 0),
        (AggregateKind::Sum, 1),
        (AggregateKind::Min, 1),
    ];
    let mut aggregate = KeyedAggregate::new(specs.map(|(kind, input)| spec(kind, input)).to_vec()).unwrap();

    aggregate.update(&batch.view()).unwrap();

    let drained = aggregate
        .drain(0, 10, &registry, FrameMeta::default())
        .unwrap()
        .unwrap();
    let view = drained.frame.view(&registry).unwrap();
    assert_eq!(view.bytes(0), [1]);
    assert_eq!(
        (view.f64s(1), view.bytes(2), view.f64s(3)),
        (&[2.0][..], &[0][..], &[-3.0][..])
    );
    assert_eq!((view.f64s(4), view.bytes(5)), (&[0.0][..], &[1][..]));
}

#[test]
fn a_count_alone_takes_rows_of_any_layout() {
    let registry = LayoutRegistry::new();
    let batch = OwnedBatch::raw(
        &registry,
        r#"{"key":"bool","row":"nil?"}"#,
        2,
        &[&[0, 0], &[1, 2]],
        &[],
    );
    let mut aggregate = KeyedAggregate::new(vec![COUNT]).unwrap();

    aggregate.update(&batch.view()).unwrap();

    let drained = aggregate
        .drain(0, 10, &registry, FrameMeta::default())
        .unwrap()
        .unwrap();
    assert_eq!(drained.frame.view(&registry).unwrap().f64s(1), [2.0]);
}

#[test]
fn inputs_that_are_not_there_or_no_numbers_are_refused_before_anything_changes() {
    let registry = LayoutRegistry::new();
    let sum = spec(AggregateKind::Sum, 0);
    let key: &[u8] = &[1];
    let value: &[u8] = &[1];
    let cases = [
        (
            r#"{"key":"bool","row":{"tup":[]}}"#,
            vec![key],
            "SAGE_FORMAT_LAYOUT",
        ),
        (
            r#"{"key":"bool","row":{"rec":[["x","bool"]]}}"#,
            vec![key, value],
            "SAGE_FORMAT_LAYOUT",
        ),
        (
            r#"{"key":"bool","row":"nil?"}"#,
            vec![key, value],
            "SAGE_FORMAT_LAYOUT",
        ),
        (
            r#"{"key":"bool","row":{"tup":["bool"]}}"#,
            vec![key, value],
            "SAGE_AGGREGATE_INPUT",
        ),
        (
            r#"{"key":null,"row":{"tup":["nil?"]}}"#,
            vec![value],
            "SAGE_FORMAT_LAYOUT",
        ),
    ];
    for (layout, buffers, code) in cases {
        let batch = OwnedBatch::raw(&registry, layout, 1, &buffers, &[]);
        let mut aggregate = KeyedAggregate::new(vec![COUNT, sum]).unwrap();
        let error = aggregate.update(&batch.view()).unwrap_err();
        assert_eq!(error.code.as_str(), code, "{layout}");
        assert!(aggregate.keys().is_empty());
        let error = aggregate
            .update_emit(&batch.view(), &registry, &mut Vec::new())
            .unwrap_err();
        assert_eq!(error.code.as_str(), code, "{layout}");
    }
}

#[test]
fn an_aggregator_that_needs_an_input_and_has_none_is_refused() {
    let lacking = AggregateSpec {
        kind: AggregateKind::Max,
        input: None,
    };
    let error = KeyedAggregate::new(vec![COUNT, lacking]).unwrap_err();
    assert_eq!(error.code.as_str(), "SAGE_FORMAT_GRAPH");
}

#[test]
fn given_long_keys_then_a_batch_of_results_is_closed_early() {
    let registry = LayoutRegistry::new();
    let long = |number: usize| Key::str(&format!("{number:020000}"));
    let keys: Vec<Key> = (0..10).map(long).collect();
    let mut aggregate = KeyedAggregate::new(vec![COUNT]).unwrap();
    aggregate
        .update(&OwnedBatch::new(&registry, &keys, KeyForm::Narrow, &[]).view())
        .unwrap();

    let mut rows = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        let drained = aggregate
            .drain(start, 1024, &registry, FrameMeta::default())
            .unwrap()
            .unwrap();
        assert!(drained.frame.byte_len() < MAX_DRAINED_KEY_BYTES + 21_000);
        rows.push(drained.frame.rows());
        next = drained.next_slot;
    }
    assert_eq!(rows, [4, 4, 2]);
}

#[test]
fn drained_frames_carry_what_the_caller_says() {
    let registry = LayoutRegistry::new();
    let mut aggregate = KeyedAggregate::new(vec![COUNT]).unwrap();
    aggregate.update(&small_batch(&registry).view()).unwrap();
    let meta = FrameMeta {
        epoch: 7,
        watermark: 12.0,
        ..FrameMeta::default()
    };
    let drained = aggregate.drain(0, 0, &registry, meta).unwrap().unwrap();
    assert_eq!(drained.frame.meta(), meta);
    // At least one row, whatever was asked for.
    assert_eq!((drained.frame.rows(), drained.next_slot), (1, Some(1)));
    let key = drained.frame.view(&registry).unwrap().layout().key.clone();
    assert_eq!(key, Some(Node::leaf(LeafKind::Str)));
}

#[test]
fn changes_are_noted_only_when_that_was_asked_for() {
    let registry = LayoutRegistry::new();
    let batch = small_batch(&registry);
    let mut without = KeyedAggregate::new(vec![COUNT]).unwrap();
    without.update(&batch.view()).unwrap();
    assert!(without.changed_since_mark().is_empty());
    let error = without
        .drain_changed(10, &registry, FrameMeta::default())
        .unwrap_err();
    assert_eq!(error.code.as_str(), "SAGE_INTERNAL");

    let mut with = KeyedAggregate::new(vec![COUNT]).unwrap().with_change_tracking();
    with.update(&batch.view()).unwrap();
    assert_eq!(with.changed_since_mark(), [0, 1]);
    with.mark();
    assert!(with.changed_since_mark().is_empty());
    with.update(&batch.view()).unwrap();
    assert_eq!(with.changed_since_mark(), [0, 1]);
}
