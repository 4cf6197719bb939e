//! Windows that are saved and restored: the rest of the stream gives what it would have given.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sage_checkpoint::EntryReader;
use sage_frame::LayoutRegistry;
use sage_state::saved_entries;
use sage_types::ErrorCode;
use sage_windows::{NativeWindows, WindowSpec};
use support::batch::RowBatch;
use support::oracle::Row;
use support::run::{AGGREGATES, Outcome, Step};
use support::saved::{Behind, KEY_GROUPS, epochs_of_changes, native, recorded};
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

/// Behind each step.
fn arb_behind(most_instances: u32) -> impl Strategy<Value = Vec<Behind>> {
    let behind = prop_oneof![
        1 => Just(Behind::Nothing),
        3 => Just(Behind::Epoch),
        1 => (1..=most_instances).prop_map(Behind::Restart),
    ];
    prop::collection::vec(behind, 1..12)
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
        behind in arb_behind(1),
        most in 1_usize..6,
    ) {
        prop_assert_eq!(native(&spec, &steps, &behind, most), native(&spec, &steps, &[Behind::Nothing], 1000), "native");
        for elements in [false, true] {
            let spec = javascript(&spec, elements);
            let undisturbed = recorded(&spec, &steps, &[Behind::Nothing], 1000);
            prop_assert_eq!(recorded(&spec, &steps, &behind, most), undisturbed, "elements {}", elements);
        }
    }

    #[test]
    fn windows_of_another_parallelism_give_the_same_of_each_key(
        (spec, steps) in arb_case(),
        behind in arb_behind(4),
    ) {
        let undisturbed = sorted(native(&spec, &steps, &[Behind::Nothing], 1000));
        prop_assert_eq!(sorted(native(&spec, &steps, &behind, 1000)), undisturbed, "native");
        let spec = javascript(&spec, false);
        let undisturbed = sorted(recorded(&spec, &steps, &[Behind::Nothing], 1000));
        prop_assert_eq!(sorted(recorded(&spec, &steps, &behind, 1000)), undisturbed, "recorded");
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
        let mut keys = windows.table_mut().save(KEY_GROUPS).unwrap();
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
    let behind = [Behind::Nothing, Behind::Restart(1), Behind::Nothing];
    let outcome = native(&spec(TUMBLING), &steps, &behind, 10);
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
    let saved = windows.table_mut().save(KEY_GROUPS).unwrap();
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
        windows.table_mut().save(KEY_GROUPS).unwrap_err().code,
        ErrorCode::Internal
    );
    while windows.fire(10, &registry).unwrap().is_some() {}
    assert!(windows.table_mut().save(KEY_GROUPS).unwrap().is_empty());
}

/// Rows of many keys, and then of a few of them.
fn few_of_many(many: u32, few: u32) -> Vec<Step> {
    let rows = |from: u32, until: u32, time: f64| Step::Rows {
        rows: (from..until)
            .map(|key| Row {
                id: (key % 1000) as usize,
                key,
                time,
                value: Some(1.0),
            })
            .collect(),
        now: 0.0,
    };
    vec![rows(0, many, 1.0), rows(5, 5 + few, 2.0)]
}

/// Each way to keep windows.
const WAYS: [&str; 6] = [
    TUMBLING,
    r#""assigner":{"kind":"sliding","sizeMs":400,"slideMs":2}"#,
    r#""assigner":{"kind":"session","gapMs":10}"#,
    r#""assigner":{"kind":"global"},"trigger":{"kind":"count","every":5}"#,
    r#""assigner":{"kind":"count","size":7,"slide":7}"#,
    r#""assigner":{"kind":"count","size":90,"slide":2}"#,
];

#[test]
fn given_100_of_10_000_keys_have_changed_then_changes_have_less_than_a_twentieth_of_the_bytes() {
    let registry = LayoutRegistry::new();
    for parts in WAYS {
        let mut windows = NativeWindows::new(&spec(parts)).unwrap();
        let steps = few_of_many(10_000, 100);
        feed(&mut windows, &registry, &steps[0], true);
        let table = windows.table_mut();
        assert_eq!(table.save_changes(KEY_GROUPS).unwrap(), None, "{parts}");
        let whole = table.save(KEY_GROUPS).unwrap().len();
        feed(&mut windows, &registry, &steps[1], true);
        let changes = windows.table_mut().save_changes(KEY_GROUPS).unwrap().unwrap();
        assert!(
            changes.len() * 20 < whole,
            "{parts}: {} of {whole}",
            changes.len()
        );
        assert_eq!(EntryReader::new(&changes).count(), 100, "{parts}");
        let nothing = windows.table_mut().save_changes(KEY_GROUPS).unwrap();
        assert_eq!(nothing, Some(Vec::new()), "{parts}");
    }
}

#[test]
fn given_keys_whose_windows_close_then_they_are_removed_from_what_was_saved() {
    let registry = LayoutRegistry::new();
    for parts in &WAYS[..3] {
        let mut windows = NativeWindows::new(&spec(parts)).unwrap();
        let late_keys = Step::Rows {
            rows: (20..60)
                .map(|key| Row {
                    id: 0,
                    key,
                    time: 5000.0,
                    value: None,
                })
                .collect(),
            now: 0.0,
        };
        feed(&mut windows, &registry, &few_of_many(10, 0)[0], true);
        feed(&mut windows, &registry, &late_keys, true);
        windows.table_mut().save(KEY_GROUPS).unwrap();
        let passed = Step::Advance {
            watermark: 1000.0,
            now: 0.0,
        };
        feed(&mut windows, &registry, &passed, true);
        let changes = windows.table_mut().save_changes(KEY_GROUPS).unwrap().unwrap();
        let values: Vec<_> = EntryReader::new(&changes)
            .map(|entry| entry.unwrap().value)
            .collect();
        assert_eq!(values, [None; 10], "{parts}");
    }
}

#[test]
fn given_random_windows_then_many_of_their_epochs_are_changes() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut native, mut recorded) = (0, 0);
    for _ in 0..100 {
        let (spec, steps) = arb_case().new_tree(&mut runner).unwrap().current();
        let [one, other] = epochs_of_changes(&spec, &steps, &[Behind::Epoch]);
        (native, recorded) = (native + one, recorded + other);
    }
    // Else the properties above try nothing.
    assert!(native > 100 && recorded > 100, "{native} {recorded}");
}
