//! An aggregate with a helper gives what the aggregate alone gives, whoever works on which batch.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::{FrameMeta, LayoutRegistry};
use sage_runtime::HelpedAggregate;
use sage_state::{AggregateKind, AggregateSpec, Emitted, KeyedAggregate};
use sage_types::{ErrorCode, LayoutId};

const LAYOUT: &str = r#"{"key":"f64","row":{"tup":["f64"]}}"#;

/// The image of a batch of numeric keys and one input each, as JavaScript writes it.
fn image(layout: LayoutId, rows: &[(u32, f64)]) -> Vec<u64> {
    let bytes = u32::try_from(rows.len() * 8).unwrap();
    // rows, layout, buffers, encodings; offset and length of each buffer.
    let header = [
        u32::try_from(rows.len()).unwrap(),
        layout.0,
        2,
        0,
        32,
        bytes,
        32 + bytes,
        bytes,
    ];
    let mut image: Vec<u64> = header
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32)
        .collect();
    image.extend(rows.iter().map(|(key, _)| f64::from(*key).to_bits()));
    image.extend(rows.iter().map(|(_, input)| input.to_bits()));
    image
}

fn new_aggregate() -> KeyedAggregate {
    let spec = |kind, input| AggregateSpec { kind, input };
    KeyedAggregate::new(vec![
        spec(AggregateKind::Count, None),
        spec(AggregateKind::Sum, Some(0)),
        spec(AggregateKind::Last, Some(0)),
    ])
    .unwrap()
}

/// All results, as the bytes of their frame.
fn results(aggregate: &KeyedAggregate, registry: &LayoutRegistry) -> Option<Vec<u8>> {
    let drained = aggregate
        .drain(0, usize::MAX, registry, FrameMeta::default())
        .unwrap()?;
    let mut bytes = vec![0_u64; drained.frame.byte_len().div_ceil(8) + 64];
    let written = drained
        .frame
        .write_image(bytemuck::cast_slice_mut(&mut bytes))
        .unwrap();
    Some(bytemuck::cast_slice(&bytes)[..written].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn given_any_batches_then_the_results_are_those_of_the_aggregate_alone(
        // Sums of these depend on their order in the last bits.
        batches in prop::collection::vec(prop::collection::vec((0_u32..50, -1e9_f64..1e9), 1..60), 0..150),
        looked_at in prop::collection::vec(0_usize..150, 0..3),
    ) {
        let registry = Arc::new(LayoutRegistry::new());
        let layout = registry.intern(LAYOUT).unwrap();
        let mut alone = new_aggregate();
        let helped = HelpedAggregate::new(new_aggregate(), Arc::clone(&registry));
        for (number, batch) in batches.iter().enumerate() {
            let image = image(layout, batch);
            let bytes = bytemuck::cast_slice(&image);
            alone.update(&sage_frame::BatchView::from_image(bytes, &registry).unwrap()).unwrap();
            helped.update(bytes).unwrap();
            if looked_at.contains(&number) {
                prop_assert_eq!(helped.with(|aggregate| Ok(results(aggregate, &registry))).unwrap(), results(&alone, &registry));
            }
        }
        prop_assert_eq!(helped.with(|aggregate| Ok(results(aggregate, &registry))).unwrap(), results(&alone, &registry));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn given_batches_of_which_some_emit_then_the_running_results_are_those_of_the_aggregate_alone(
        batches in prop::collection::vec((prop::collection::vec((0_u32..50, -1e9_f64..1e9), 1..60), any::<bool>()), 0..150),
    ) {
        let registry = Arc::new(LayoutRegistry::new());
        let layout = registry.intern(LAYOUT).unwrap();
        let mut alone = new_aggregate();
        let helped = HelpedAggregate::new(new_aggregate(), Arc::clone(&registry));
        let (mut expected, mut taken) = (Vec::new(), Vec::new());
        let take = |taken: &mut Vec<Vec<u8>>| {
            let mut place = vec![0_u8; 8];
            loop {
                match helped.take_results(&mut place).unwrap() {
                    None => return false,
                    Some(Emitted::TooSmall { needed_bytes }) => place.resize(needed_bytes, 0),
                    Some(Emitted::Written(bytes)) => {
                        place.truncate(bytes);
                        taken.push(place);
                        return true;
                    }
                }
            }
        };
        for (batch, emits) in &batches {
            let image = image(layout, batch);
            let bytes = bytemuck::cast_slice(&image);
            let view = sage_frame::BatchView::from_image(bytes, &registry).unwrap();
            if *emits {
                let mut results = Vec::new();
                alone.update_emit(&view, &registry, &mut results).unwrap();
                expected.push(results);
                for _ in 0..helped.update_emit(bytes).unwrap() {
                    prop_assert!(take(&mut taken));
                }
            } else {
                alone.update(&view).unwrap();
                helped.update(bytes).unwrap();
            }
        }
        while take(&mut taken) {}
        prop_assert_eq!(taken, expected);
        prop_assert_eq!(helped.with(|aggregate| Ok(results(aggregate, &registry))).unwrap(), results(&alone, &registry));
    }
}

#[test]
fn given_a_batch_that_is_wrong_then_one_of_the_next_calls_says_so() {
    let registry = Arc::new(LayoutRegistry::new());
    let layout = registry.intern(LAYOUT).unwrap();
    let helped = HelpedAggregate::new(new_aggregate(), registry);
    let good = image(layout, &[(1, 1.0)]);
    for _ in 0..100 {
        helped.update(bytemuck::cast_slice(&good)).unwrap();
    }
    let wrong = image(LayoutId(7), &[(1, 1.0)]);
    let outcome = helped
        .update(bytemuck::cast_slice(&wrong))
        .and_then(|()| helped.with(|_| Ok(())));
    assert_eq!(outcome.unwrap_err().code, ErrorCode::FormatBatch);
}
