//! Windows that are saved and restored: the rest of the stream gives what it would have given.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_frame::LayoutRegistry;
use sage_state::saved_entries;
use sage_types::ErrorCode;
use sage_windows::{NativeWindows, WindowSpec};
use support::batch::RowBatch;
use support::oracle::Row;
use support::run::{AGGREGATES, Outcome, Step};
use support::saved::{KEY_GROUPS, native, recorded};
use support::scenario::{arb_spec, arb_steps};

/// With values whose sums depend on their order, to the last bit.
fn arb_case() -> impl Strategy<Value = (WindowSpec, Vec<Step>)> {
    arb_spec().prop_flat_map(|spec| {
        let steps = arb_steps(spec.keyed).prop_map(|mut steps| {
            for step in &mut steps {
                if let Step::Rows { rows, .. } = step {
                    for row in rows {
                        row.value = row.value.map(|value| value / 10.0);
                    }
                }
            }
            steps
        });
        (Just(spec), steps)
    })
}

/// Behind each step, whether all is saved, and restored in how many instances.
fn arb_saves(most_instances: u32) -> impl Strategy<Value = Vec<Option<u32>>> {
    prop::collection::vec(prop::option::of(1..=most_instances), 1..8)
}

fn javascript(spec: &WindowSpec, elements: bool) -> WindowSpec {
    WindowSpec {
        aggregates: None,
        elements,
        ..spec.clone()
    }
}

/// Of several instances, each gives its results in their order: only what is given is the same.
fn sorted(mut outcome: Outcome) -> Outcome {
    let bits = |row: &Vec<f64>| -> Vec<u64> { row.iter().map(|number| (number + 0.0).to_bits()).collect() };
    outcome.results.sort_by_key(bits);
    outcome.late.sort_unstable();
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases * 4, ..ProptestConfig::default() })]

    #[test]
    fn windows_that_were_saved_go_on_as_if_nothing_had_happened(
        (spec, steps) in arb_case(),
        saves in arb_saves(1),
        most in 1_usize..6,
    ) {
        prop_assert_eq!(native(&spec, &steps, &saves, most), native(&spec, &steps, &[None], 1000), "native");
        for elements in [false, true] {
            let spec = javascript(&spec, elements);
            let undisturbed = recorded(&spec, &steps, &[None], 1000);
            prop_assert_eq!(recorded(&spec, &steps, &saves, most), undisturbed, "elements {}", elements);
        }
    }

    #[test]
    fn windows_of_another_parallelism_give_the_same_of_each_key(
        (spec, steps) in arb_case(),
        saves in arb_saves(4),
    ) {
        let undisturbed = sorted(native(&spec, &steps, &[None], 1000));
        prop_assert_eq!(sorted(native(&spec, &steps, &saves, 1000)), undisturbed, "native");
        let spec = javascript(&spec, false);
        let undisturbed = sorted(recorded(&spec, &steps, &[None], 1000));
        prop_assert_eq!(sorted(recorded(&spec, &steps, &saves, 1000)), undisturbed, "recorded");
    }

    #[test]
    fn damaged_windows_are_an_error_or_other_windows_and_never_a_panic(
        (spec, steps) in arb_case(),
        at in any::<usize>(),
        how in any::<u8>(),
        in_progress in prop::bool::weighted(0.2),
    ) {
        let registry = LayoutRegistry::new();
        let mut windows = NativeWindows::new(&spec).unwrap();
        for step in &steps {
            feed(&mut windows, &registry, step, spec.keyed);
        }
        let mut progress = windows.table().save_progress();
        let mut keys = windows.table().save(KEY_GROUPS).unwrap();
        damage(if in_progress { &mut progress } else { &mut keys }, at, how);

        let mut windows = NativeWindows::new(&spec).unwrap();
        let restored = windows
            .table_mut()
            .restore_progress(&progress)
            .and_then(|()| windows.table_mut().restore(&keys));
        match restored {
            Ok(()) => {
                while windows.fire(100, &registry).unwrap().is_some() {}
                for step in &steps {
                    feed(&mut windows, &registry, step, spec.keyed);
                }
                windows.table_mut().finish();
                while windows.fire(100, &registry).unwrap().is_some() {}
            }
            Err(error) => {
                let codes = [ErrorCode::CheckpointDamaged, ErrorCode::CheckpointVersion, ErrorCode::FormatBatch];
                prop_assert!(codes.contains(&error.code), "{}", error);
            }
        }
    }
}

fn damage(bytes: &mut Vec<u8>, at: usize, how: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = at % bytes.len();
    match how {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, 0),
        _ => bytes[at] ^= how,
    }
}

fn feed(windows: &mut NativeWindows, registry: &LayoutRegistry, step: &Step, keyed: bool) {
    match step {
        Step::Rows { rows, now } => {
            let batch = RowBatch::new(registry, rows, keyed);
            let mut next = 0;
            while next < rows.len() {
                next = windows
                    .table_mut()
                    .add(&batch.view(), &batch.times, next, *now)
                    .unwrap();
                while windows.fire(100, registry).unwrap().is_some() {}
            }
        }
        Step::Advance { watermark, now } => {
            windows.table_mut().advance(*watermark, *now).unwrap();
            while windows.fire(100, registry).unwrap().is_some() {}
        }
    }
}

fn spec(parts: &str) -> WindowSpec {
    WindowSpec::from_json(&format!(
        r#"{{"keyed":true,"aggregates":{AGGREGATES},"time":"event",{parts}}}"#
    ))
    .unwrap()
}

fn rows(times: &[f64]) -> Step {
    let row = |(id, &time): (usize, &f64)| Row {
        id,
        key: 1,
        time,
        value: Some(1.0),
    };
    Step::Rows {
        rows: times.iter().enumerate().map(row).collect(),
        now: 0.0,
    }
}

const TUMBLING: &str = r#""assigner":{"kind":"tumbling","sizeMs":10}"#;

#[test]
fn given_all_windows_have_closed_then_rows_of_them_are_late_after_a_restore_too() {
    let steps = [
        rows(&[1.0, 5.0]),
        Step::Advance {
            watermark: 100.0,
            now: 0.0,
        },
        rows(&[7.0]),
    ];
    let saves = [None, Some(1), None];
    let outcome = native(&spec(TUMBLING), &steps, &saves, 10);
    assert_eq!((outcome.results.len(), outcome.late.len()), (1, 1));
}

#[test]
fn given_other_windows_then_their_state_is_refused() {
    let saved = NativeWindows::new(&spec(TUMBLING))
        .unwrap()
        .table()
        .save_progress();
    for parts in [
        r#""assigner":{"kind":"tumbling","sizeMs":20}"#,
        r#""assigner":{"kind":"session","gapMs":10}"#,
        r#""assigner":{"kind":"tumbling","sizeMs":10},"accumulation":"discarding""#,
    ] {
        let mut other = NativeWindows::new(&spec(parts)).unwrap();
        let error = other.table_mut().restore_progress(&saved).unwrap_err();
        assert_eq!(error.code, ErrorCode::CheckpointDamaged, "{parts}");
    }
    let mut same = NativeWindows::new(&spec(TUMBLING)).unwrap();
    same.table_mut().restore_progress(&saved).unwrap();
    let error = same.table_mut().restore_progress(&[9]).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointVersion);
}

#[test]
fn given_windows_with_rows_then_nothing_is_restored_into_them_and_what_is_due_is_not_saved() {
    let registry = LayoutRegistry::new();
    let mut windows = NativeWindows::new(&spec(TUMBLING)).unwrap();
    feed(&mut windows, &registry, &rows(&[1.0]), true);
    let saved = windows.table().save(KEY_GROUPS).unwrap();
    assert_eq!(saved_entries(&saved).unwrap().len(), 1);
    assert_eq!(
        windows.table_mut().restore(&saved).unwrap_err().code,
        ErrorCode::Internal
    );
    let progress = windows.table().save_progress();
    assert_eq!(
        windows.table_mut().restore_progress(&progress).unwrap_err().code,
        ErrorCode::Internal
    );

    windows.table_mut().advance(10.0, 0.0).unwrap();
    assert_eq!(
        windows.table().save(KEY_GROUPS).unwrap_err().code,
        ErrorCode::Internal
    );
    while windows.fire(10, &registry).unwrap().is_some() {}
    assert!(windows.table().save(KEY_GROUPS).unwrap().is_empty());
}
