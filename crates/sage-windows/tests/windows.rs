//! What windows do, case by case; and odd input.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test may say what it expects in the shortest way; edges are exact"
)]

mod support;

use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, SageError};
use sage_windows::{MAX_TIME_MS, NativeWindows, RecordedWindows, WindowSpec};
use support::batch::RowBatch;
use support::interpreter::Interpreter;
use support::oracle::{Row, Shown};
use support::run::{Step, execute, native, recorded};

const HOUR: f64 = 3_600_000.0;
const DAY: f64 = 24.0 * HOUR;

fn spec(assigner: &str, more: &str) -> WindowSpec {
    let json = format!(r#"{{"keyed":true,"time":"event","assigner":{assigner}{more}}}"#);
    WindowSpec::from_json(&json).unwrap()
}

/// Steps of one row each, the key and the time, and of watermarks.
enum Do {
    Row(u32, f64),
    To(f64),
}
use Do::{Row as R, To};

fn steps(list: &[Do]) -> Vec<Step> {
    let mut id = 0;
    let mut step = |one: &Do| match *one {
        R(key, time) => {
            id += 1;
            let row = Row {
                id: id - 1,
                key,
                time,
                value: None,
            };
            Step::Rows {
                rows: vec![row],
                now: 0.0,
            }
        }
        To(watermark) => Step::Advance { watermark, now: 0.0 },
    };
    list.iter().map(&mut step).collect()
}

/// What is shown, as `(key, start, end, rows)`.
fn shown(spec: &WindowSpec, list: &[Do]) -> Vec<(u32, f64, f64, Vec<usize>)> {
    let (_, interpreter) = recorded(spec, &steps(list), 100);
    let tuple = |shown: Shown| (shown.key, shown.start, shown.end, shown.rows);
    interpreter.results.into_iter().map(tuple).collect()
}

#[test]
fn given_rows_around_an_edge_when_the_watermark_reaches_the_end_of_a_window_then_it_fires() {
    let spec = spec(r#"{"kind":"tumbling","sizeMs":10}"#, "");

    let before = shown(&spec, &[R(1, 9.5), R(1, 10.0), R(1, -0.5), To(9.9), R(1, 0.0)]);
    let after = shown(&spec, &[R(1, 9.5), R(1, 10.0), R(1, -0.5), To(10.0), R(1, 0.0)]);

    let first = (1, -10.0, 0.0, vec![2]);
    assert_eq!(
        before,
        [
            first.clone(),
            (1, 0.0, 10.0, vec![0, 3]),
            (1, 10.0, 20.0, vec![1])
        ]
    );
    assert_eq!(after, [first, (1, 0.0, 10.0, vec![0]), (1, 10.0, 20.0, vec![1])]);
}

#[test]
fn given_a_row_at_the_very_end_of_a_session_then_it_begins_another_one() {
    let spec = spec(r#"{"kind":"session","gapMs":5}"#, "");
    assert_eq!(
        shown(&spec, &[R(1, 0.0), R(1, 5.0), R(2, 0.0), R(2, 4.75)]),
        [
            (1, 0.0, 5.0, vec![0]),
            (2, 0.0, 9.75, vec![2, 3]),
            (1, 5.0, 10.0, vec![1])
        ]
    );
}

#[test]
fn given_a_row_that_connects_a_session_that_has_fired_with_an_open_one_then_all_is_shown_when_the_whole_ends()
{
    let spec = spec(r#"{"kind":"session","gapMs":5}"#, r#","allowedLatenessMs":100"#);
    assert_eq!(
        shown(&spec, &[R(1, 0.0), R(1, 8.0), To(6.0), R(1, 4.0), To(13.0)]),
        [(1, 0.0, 5.0, vec![0]), (1, 0.0, 13.0, vec![0, 1, 2])]
    );
}

#[test]
fn given_a_week_in_one_place_then_a_day_of_local_time_has_23_or_25_hours_when_clocks_change() {
    // Central Europe in 2026: summer from 29 March 01:00 UTC to 25 October 01:00 UTC.
    let zone = format!(
        r#"[{{"fromMs":0,"offsetMs":{HOUR}}},{{"fromMs":1774746000000,"offsetMs":{}}},{{"fromMs":1792890000000,"offsetMs":{HOUR}}}]"#,
        2.0 * HOUR
    );
    let spec = spec(
        &format!(r#"{{"kind":"tumbling","sizeMs":{DAY},"zone":{zone}}}"#),
        "",
    );
    let at = |utc_hour: f64| 1_774_742_400_000.0 + utc_hour * HOUR; // 29 March, 00:00 UTC
    let october = 1_792_886_400_000.0; // 25 October, 00:00 UTC

    let rows = [
        R(1, at(-1.0)),
        R(1, at(21.9)),
        R(1, at(22.0)),
        R(1, october - 2.0 * HOUR),
        R(1, october + 22.9 * HOUR),
    ];

    let hours: Vec<_> = shown(&spec, &rows)
        .into_iter()
        .map(|(_, start, end, rows)| ((end - start) / HOUR, rows))
        .collect();
    assert_eq!(hours, [(23.0, vec![0, 1]), (24.0, vec![2]), (25.0, vec![3, 4])]);
}

#[test]
fn given_windows_of_elements_then_each_key_counts_its_own_and_what_is_left_is_shown_at_the_end() {
    let spec = spec(r#"{"kind":"count","size":4,"slide":2}"#, "");
    let rows = [
        R(1, 0.0),
        R(1, 0.0),
        R(2, 0.0),
        R(1, 0.0),
        R(1, 0.0),
        R(1, 0.0),
        R(1, 0.0),
        R(1, 0.0),
    ];
    assert_eq!(
        shown(&spec, &rows),
        [
            (1, 0.0, 2.0, vec![0, 1]),
            (1, 0.0, 4.0, vec![0, 1, 3, 4]),
            (1, 2.0, 6.0, vec![3, 4, 5, 6]),
            (2, 0.0, 1.0, vec![2]),
            (1, 4.0, 7.0, vec![5, 6, 7]),
        ]
    );
}

#[test]
fn given_gaps_between_windows_then_their_rows_are_counted_apart_from_late_ones() {
    let spec = spec(
        r#"{"kind":"sliding","sizeMs":2,"slideMs":10}"#,
        r#","aggregates":[{"kind":"count"},{"kind":"sum","input":0},{"kind":"avg","input":0},{"kind":"min","input":0},{"kind":"max","input":0}]"#,
    );
    let outcome = native(
        &spec,
        &steps(&[R(1, 1.0), R(1, 5.0), To(50.0), R(1, 31.0), R(1, 33.0)]),
        10,
    );
    assert_eq!((outcome.gaps, outcome.late), (2, vec![2]));
}

#[test]
fn given_a_jump_of_a_year_between_windows_of_a_millisecond_then_nothing_goes_through_the_windows_between() {
    let year = 365.0 * DAY;
    for more in [
        "",
        r#","allowedLatenessMs":20"#,
        r#","accumulation":"discarding""#,
    ] {
        for size in [1, 7, 30] {
            let spec = spec(
                &format!(r#"{{"kind":"sliding","sizeMs":{size},"slideMs":1}}"#),
                more,
            );
            let results = shown(
                &spec,
                &[
                    R(1, 0.0),
                    R(2, year),
                    To(year / 2.0),
                    R(1, year),
                    To(2.0 * year),
                    R(1, 3.0 * year),
                ],
            );
            assert_eq!(results.len(), 4 * size, "{size} {more}");
        }
    }
}

#[test]
fn given_times_at_the_ends_of_what_a_date_can_be_then_windows_are_right() {
    for assigner in [
        r#"{"kind":"tumbling","sizeMs":1}"#,
        r#"{"kind":"tumbling","sizeMs":8640000000000000}"#,
        r#"{"kind":"sliding","sizeMs":5,"slideMs":3}"#,
        r#"{"kind":"session","gapMs":8640000000000000}"#,
    ] {
        let results = shown(
            &spec(assigner, ""),
            &[R(1, -MAX_TIME_MS), R(2, MAX_TIME_MS), R(1, -0.0), To(1e300)],
        );
        for (_, start, end, rows) in &results {
            let times = [-MAX_TIME_MS, MAX_TIME_MS, 0.0];
            assert!(
                rows.iter().all(|&row| *start <= times[row] && times[row] < *end),
                "{assigner} {results:?}"
            );
        }
        assert!(results.len() >= 3, "{assigner} {results:?}");
    }
}

#[test]
fn given_a_time_that_is_none_then_the_batch_is_refused_and_nothing_has_changed() {
    let registry = LayoutRegistry::new();
    let spec = spec(r#"{"kind":"tumbling","sizeMs":10}"#, "");
    for time in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        8.640_000_000_000_001e15,
        -1e300,
    ] {
        let mut windows = RecordedWindows::new(&spec).unwrap();
        let row = |time| Row {
            id: 0,
            key: 1,
            time,
            value: None,
        };
        let batch = RowBatch::new(&registry, &[row(1.0), row(time)], true);

        let error = windows
            .table_mut()
            .add(&batch.view(), &batch.times, 0, 0.0)
            .unwrap_err();

        assert_eq!(
            (error.code, error.context.get("row")),
            (ErrorCode::Internal, Some(&1_usize.into()))
        );
        assert!(!windows.table().has_more());
        assert_eq!(windows.table().counts().keys, 0);
        let table = windows.table_mut();
        assert_eq!(
            table.add(&batch.view(), &[1.0], 0, 0.0).unwrap_err().code,
            ErrorCode::Internal
        );
        assert_eq!(
            table.advance(f64::NAN, 0.0).unwrap_err().code,
            ErrorCode::Internal
        );
        assert_eq!(
            table.advance(0.0, f64::NAN).unwrap_err().code,
            ErrorCode::Internal
        );
    }
}

#[test]
fn given_results_that_nobody_has_taken_or_the_end_then_no_rows_are_added() {
    let registry = LayoutRegistry::new();
    let spec = spec(
        r#"{"kind":"tumbling","sizeMs":10}"#,
        r#","aggregates":[{"kind":"count"}]"#,
    );
    let mut windows = NativeWindows::new(&spec).unwrap();
    let rows = [Row {
        id: 0,
        key: 1,
        time: 1.0,
        value: None,
    }];
    let batch = RowBatch::new(&registry, &rows, true);
    let add = |windows: &mut NativeWindows| windows.table_mut().add(&batch.view(), &batch.times, 0, 0.0);
    assert_eq!(add(&mut windows).unwrap(), 1);
    windows.table_mut().advance(10.0, 0.0).unwrap();

    assert_eq!(add(&mut windows).unwrap_err().code, ErrorCode::Internal);

    assert_eq!(windows.fire(10, &registry).unwrap().unwrap().rows(), 1);
    // The row is late now: its key gets no slot for that.
    assert_eq!(add(&mut windows).unwrap(), 1);
    assert_eq!(
        (windows.table().late(), windows.table().counts().keys),
        (&[0][..], 0)
    );
    windows.table_mut().finish();
    assert_eq!(add(&mut windows).unwrap_err().code, ErrorCode::Internal);
}

#[test]
fn given_more_late_results_than_may_be_held_then_a_batch_is_added_in_parts_with_the_same_results() {
    // Each row fires 500 windows at once.
    let more = r#","allowedLatenessMs":1000,"aggregates":[{"kind":"count"},{"kind":"sum","input":0},{"kind":"avg","input":0},{"kind":"min","input":0},{"kind":"max","input":0}]"#;
    let spec = spec(r#"{"kind":"sliding","sizeMs":500,"slideMs":1}"#, more);
    let rows: Vec<Row> = (0..40)
        .map(|id| Row {
            id,
            key: u32::try_from(id % 3).unwrap(),
            time: 0.0,
            value: Some(1.0),
        })
        .collect();
    let steps = [
        Step::Advance {
            watermark: 600.0,
            now: 0.0,
        },
        Step::Rows { rows, now: 0.0 },
    ];
    let outcome = native(&spec, &steps, 1000);
    assert_eq!(outcome.results.len(), 40 * 500);
    assert_eq!(outcome, native(&spec, &support::run::cut(&steps, &[1]), 7));
}

#[test]
fn given_processing_time_then_the_clock_gives_rows_their_time_and_says_when_it_wants_to_be_told() {
    let json = r#"{"keyed":true,"time":"processing","assigner":{"kind":"tumbling","sizeMs":10}}"#;
    let spec = WindowSpec::from_json(json).unwrap();
    let registry = LayoutRegistry::new();
    let mut windows = RecordedWindows::new(&spec).unwrap();
    let mut interpreter = Interpreter::default();
    let rows = [Row {
        id: 0,
        key: 1,
        time: f64::NAN,
        value: None,
    }];
    let batch = RowBatch::new(&registry, &rows, true);
    for now in [13.0, 19.0, 12.0] {
        windows.table_mut().advance(f64::NEG_INFINITY, now).unwrap();
        assert_eq!(windows.table_mut().add(&batch.view(), &[], 0, now).unwrap(), 1);
        execute(&mut windows, &mut interpreter, &rows, 10);
    }
    assert_eq!(windows.table().counts().next_processing_ms, Some(20.0));

    windows.table_mut().advance(f64::NEG_INFINITY, 19.5).unwrap();
    assert!(!windows.table().has_more());
    windows.table_mut().advance(f64::NEG_INFINITY, 20.0).unwrap();
    execute(&mut windows, &mut interpreter, &rows, 10);

    let results: Vec<_> = interpreter
        .results
        .iter()
        .map(|shown| (shown.start, shown.end, shown.rows.len()))
        .collect();
    assert_eq!(results, [(10.0, 20.0, 3)]);
    assert_eq!(windows.table().counts().next_processing_ms, None);
}

#[test]
fn given_a_custom_trigger_then_javascript_hears_of_windows_and_their_ends_and_nothing_is_shown() {
    let spec = spec(
        r#"{"kind":"session","gapMs":5}"#,
        r#","trigger":{"kind":"custom"}"#,
    );
    let registry = LayoutRegistry::new();
    let mut windows = RecordedWindows::new(&spec).unwrap();
    let mut interpreter = Interpreter::default();
    let row = |id, time| Row {
        id,
        key: 7,
        time,
        value: None,
    };
    let rows = [row(0, 0.0), row(1, 8.0), row(2, 4.0), row(3, 20.0)];
    let batch = RowBatch::new(&registry, &rows, true);
    windows
        .table_mut()
        .add(&batch.view(), &batch.times, 0, 0.0)
        .unwrap();
    execute(&mut windows, &mut interpreter, &rows, 10);

    let open: Vec<_> = interpreter
        .windows
        .iter()
        .map(|(id, window)| (*window, interpreter.contents()[id].clone()))
        .collect();
    assert_eq!(open.len(), 2);
    assert!(open.contains(&((7, 0.0, 13.0), vec![0, 1, 2])), "{open:?}");
    assert!(open.contains(&((7, 20.0, 25.0), vec![3])), "{open:?}");

    windows.table_mut().advance(13.0, 0.0).unwrap();
    execute(&mut windows, &mut interpreter, &rows, 10);
    assert_eq!(
        interpreter.windows.values().collect::<Vec<_>>(),
        [&(7, 20.0, 25.0)]
    );
    windows.table_mut().finish();
    execute(&mut windows, &mut interpreter, &rows, 10);
    assert!(interpreter.is_empty() && interpreter.results.is_empty());
}

#[test]
fn a_spec_that_makes_no_sense_is_refused_with_what_is_wrong() {
    let bad = [
        ("{}", "not what is expected"),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":0}}"#,
            "sizeMs is 0",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":0.5}}"#,
            "from 1 to",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":1e300}}"#,
            "sizeMs",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"sliding","sizeMs":5,"slideMs":-1}}"#,
            "slideMs",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"session","gapMs":0}}"#,
            "gapMs",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"session","gapMs":5,"sizeMs":5}}"#,
            "not what is expected",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"count","size":0,"slide":1}}"#,
            "size is 0",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"count","size":2.5,"slide":1}}"#,
            "not what is expected",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"count","size":2,"slide":1},"trigger":{"kind":"custom"}}"#,
            "count windows",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"global"},"allowedLatenessMs":-1}"#,
            "allowedLatenessMs",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"global"},"trigger":{"kind":"count","every":0}}"#,
            "every",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"global"},"trigger":{"kind":"processingTime","everyMs":0}}"#,
            "everyMs",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"global"},"aggregates":[{"kind":"median"}]}"#,
            "no aggregator",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"global"},"aggregates":[],"elements":true}"#,
            "JavaScript has",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":5,"zone":[]}}"#,
            "no offsets",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":5,"zone":[{"fromMs":0,"offsetMs":0}]}}"#,
            "whole days",
        ),
        (
            r#"{"keyed":true,"time":"event","assigner":{"kind":"sliding","sizeMs":1e9,"slideMs":1},"allowedLatenessMs":1}"#,
            "65,536",
        ),
    ];
    for (json, why) in bad {
        let error: SageError = WindowSpec::from_json(json).unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatGraph, "{json}");
        assert!(error.message.contains(why), "{json}: {error}");
    }
    for aggregates in [r#"[{"kind":"first","input":0}]"#, r#"[{"kind":"sum"}]"#] {
        let more = format!(r#","aggregates":{aggregates}"#);
        let error = NativeWindows::new(&spec(r#"{"kind":"global"}"#, &more)).unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatGraph);
    }
}
