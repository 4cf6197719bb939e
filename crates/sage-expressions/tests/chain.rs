//! Chains over batches as readers make them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::sync::Arc;

use proptest::prelude::*;
use sage_expressions::{Given, NativeChain, ResultRecords, TimedFrame};
use sage_frame::{BatchBuilder, Frame, FrameMeta, Layout, LayoutRegistry};
use sage_types::{ErrorCode, Result};

const COLUMNS: &str = r#"{"row":{"rec":[["price","f64?"],["mixed","json"],["name","str"]]}}"#;

/// A batch of (price, JSON, name).
fn batch(registry: &Arc<LayoutRegistry>, rows: &[(Option<f64>, &str, &str)]) -> Frame {
    let layout = Arc::new(Layout::parse(COLUMNS).unwrap());
    let node = |path: &str| layout.node_at(path).unwrap();
    let (price, mixed, name) = (node("price"), node("mixed"), node("name"));
    let mut builder = BatchBuilder::new(Arc::clone(&layout));
    for (number, json, text) in rows {
        match number {
            Some(number) => builder.push_f64(price, *number).unwrap(),
            None => builder.push_null(price).unwrap(),
        }
        builder.push_json(mixed, json).unwrap();
        builder.push_str(name, text).unwrap();
        builder.end_row().unwrap();
    }
    let id = registry.intern_layout(layout).unwrap();
    builder.finish(id, FrameMeta::default()).unwrap()
}

fn chain(registry: &Arc<LayoutRegistry>, operators: &str) -> NativeChain {
    let json = format!(r#"{{"nodes":3,"operators":[{operators}]}}"#);
    NativeChain::from_json(&json, Arc::clone(registry)).unwrap()
}

/// What a chain makes of a batch without event times.
fn apply(chain: &mut NativeChain, frame: Frame) -> Result<Option<Frame>> {
    let mut made = None;
    chain.apply(TimedFrame { frame, times: None }, 0.0, &mut |given| {
        let Given::Batch(frame) = given else {
            panic!("there is no event time");
        };
        assert!(made.replace(frame).is_none(), "one batch becomes one");
        Ok(())
    })?;
    Ok(made)
}

fn column(name: &str) -> String {
    format!(r#"{{"text":"{name}","path":["{name}"]}}"#)
}

fn call(text: &str, operation: &str, operands: &[String]) -> String {
    format!(
        r#"{{"text":"{text}","operation":"{operation}","operands":[{}]}}"#,
        operands.join(",")
    )
}

fn number(text: &str) -> String {
    format!(r#"{{"text":"{text}","number":"{text}"}}"#)
}

#[test]
fn a_filter_lets_true_pass_and_counts_the_others() {
    let registry = Arc::new(LayoutRegistry::new());
    let test = call("price > 2", "gt", &[column("price"), number("2")]);
    let mut chain = chain(&registry, &format!(r#"{{"node":1,"filter":{test}}}"#));
    let frame = batch(
        &registry,
        &[
            (Some(1.0), "1", "a"),
            (Some(3.0), "1", "b"),
            (None, "1", "c"),
            (Some(f64::NAN), "1", "d"),
            (Some(9.0), "1", "e"),
        ],
    );

    let passed = apply(&mut chain, frame).unwrap().unwrap();

    let view = passed.view(&registry).unwrap();
    assert_eq!(view.f64s(1), [3.0, 9.0]);
    // Block 1 of the counters has what was dropped, by node.
    assert_eq!(chain.counters().values()[3..6], [0.0, 3.0, 0.0]);
    assert!(
        apply(&mut chain, batch(&registry, &[(Some(0.0), "1", "a")]))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_column_of_several_kinds_is_looked_at_only_where_it_is_needed() {
    let registry = Arc::new(LayoutRegistry::new());
    let double = call("mixed * 2", "mul", &[column("mixed"), number("2")]);
    let dear = call("price > 2", "gt", &[column("price"), number("2")]);
    let chosen = call("cond(...)", "cond", &[dear, double.clone(), number("0")]);
    let select = |expression: &str| format!(r#"{{"node":2,"select":[["value",{expression}]]}}"#);
    let rows = [
        (Some(3.0), "4", "a"),
        (Some(1.0), "\"text\"", "b"),
        (None, "{}", "c"),
    ];

    let made = apply(&mut chain(&registry, &select(&chosen)), batch(&registry, &rows))
        .unwrap()
        .unwrap();
    let error = apply(&mut chain(&registry, &select(&double)), batch(&registry, &rows)).unwrap_err();

    assert_eq!(made.view(&registry).unwrap().f64s(0), [8.0, 0.0, 0.0]);
    assert_eq!(error.code, ErrorCode::ExpressionValue);
    assert_eq!(error.message, "mixed is a string, and mixed * 2 needs a number");
    assert_eq!(error.context["node"].to_string(), "2");
    assert_eq!(
        error.context["record"].to_string(),
        r#"{"price":1,"mixed":"text","name":"b"}"#
    );
}

#[test]
fn a_layout_stays_optional_once_it_was() {
    let registry = Arc::new(LayoutRegistry::new());
    let select = format!(r#"{{"node":1,"select":[["p",{}]]}}"#, column("price"));
    let mut chain = chain(&registry, &select);

    let first = apply(
        &mut chain,
        batch(&registry, &[(None, "1", "a"), (Some(1.0), "1", "a")]),
    )
    .unwrap()
    .unwrap();
    let second = apply(&mut chain, batch(&registry, &[(Some(1.0), "1", "a")]))
        .unwrap()
        .unwrap();

    assert_eq!(first.layout_id(), second.layout_id());
    let view = first.view(&registry).unwrap();
    assert_eq!(&*view.layout().text, r#"{"row":{"rec":[["p","f64?"]]}}"#);
}

#[test]
fn keys_of_several_kinds_become_canonical_bytes_and_records_again() {
    let registry = Arc::new(LayoutRegistry::new());
    let extract = format!(
        r#"{{"node":2,"keyNode":1,"key":{},"inputs":[{{"called":"n: sum(...)","expression":{}}}]}}"#,
        column("mixed"),
        column("price")
    );
    let mut chain = chain(&registry, &extract);
    let frame = batch(
        &registry,
        &[
            (Some(1.0), "1", "a"),
            (None, "\"x\"", "b"),
            (Some(2.0), "[1,{\"b\":null,\"a\":true}]", "c"),
        ],
    );

    let keyed = apply(&mut chain, frame).unwrap().unwrap();
    let view = keyed.view(&registry).unwrap();
    assert_eq!(&*view.layout().text, r#"{"key":"bytes","row":{"tup":["f64?"]}}"#);
    let mut records = ResultRecords::new(vec!["n".to_owned()], true, false, false);
    let made = records.make(&view, &registry, FrameMeta::default()).unwrap();

    let view = made.view(&registry).unwrap();
    assert_eq!(
        &*view.layout().text,
        r#"{"row":{"rec":[["key","json"],["n","f64?"]]}}"#
    );
    let sage_frame::ColumnData::Json(keys) = view.column("key").unwrap().data else {
        panic!("the keys are no JSON");
    };
    let texts: Vec<String> = keys
        .wtf8()
        .rows()
        .map(|row| String::from_utf8_lossy(row).into_owned())
        .collect();
    assert_eq!(texts, ["1", "\"x\"", r#"[1,{"a":true,"b":null}]"#]);
}

#[test]
fn what_is_no_chain_is_refused() {
    let registry = Arc::new(LayoutRegistry::new());
    for json in [
        "",
        "{}",
        r#"{"nodes":1,"operators":[{}]}"#,
        r#"{"nodes":1,"operators":[{"node":3,"select":[]}]}"#,
        r#"{"nodes":1,"operators":[{"node":0,"filter":{"operation":"gt","operands":[]}}]}"#,
        r#"{"nodes":1,"operators":[{"node":0,"filter":{"operation":"twist","operands":[]}}]}"#,
        r#"{"nodes":1,"operators":[{"node":0,"filter":{"text":"x"}}]}"#,
    ] {
        let error = NativeChain::from_json(json, Arc::clone(&registry)).unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatGraph, "{json}");
    }
}

/// What comes out of timestamps: the times of rows, and for each the watermark that was said before it.
fn stamped(disorder_ms: f64, batches: &[&[f64]]) -> Vec<(f64, f64)> {
    let registry = Arc::new(LayoutRegistry::new());
    let operators = format!(
        r#"{{"node":1,"timestamps":{{"field":"price","outOfOrdernessMs":{disorder_ms},"maxAheadMs":1000}}}}"#
    );
    let json = format!(r#"{{"nodes":3,"operators":[{operators}],"timed":true}}"#);
    let mut chain = NativeChain::from_json(&json, Arc::clone(&registry)).unwrap();
    let mut watermark = f64::NEG_INFINITY;
    let mut rows = Vec::new();
    for times in batches {
        let records: Vec<_> = times.iter().map(|&time| (Some(time), "1", "a")).collect();
        let frame = batch(&registry, &records);
        chain
            .apply(TimedFrame { frame, times: None }, 0.0, &mut |given| {
                match given {
                    Given::Time(next) => {
                        assert!(next > watermark, "a watermark is said once, and goes on");
                        watermark = next;
                    }
                    Given::Batch(frame) => {
                        let view = frame.view(&registry)?;
                        rows.extend(view.times().unwrap().iter().map(|&time| (time, watermark)));
                    }
                }
                Ok(())
            })
            .unwrap();
    }
    rows
}

proptest! {
    /// Given times in any order, when they come in batches of any size, then a row is late for what was said before it exactly
    /// when a greater time, less the disorder, has come before it.
    #[test]
    fn timestamps_say_how_far_event_time_is_before_a_late_row(
        times in prop::collection::vec((-50_i32..900).prop_map(f64::from), 0..40),
        disorder_ms in prop::sample::select(vec![0.0, 3.0, 200.0]),
        size in 1_usize..12,
    ) {
        let batches: Vec<&[f64]> = times.chunks(size).collect();
        let rows = stamped(disorder_ms, &batches);
        let mut greatest = f64::NEG_INFINITY;
        prop_assert_eq!(rows.len(), times.len());
        for (&time, &(stamped, watermark)) in times.iter().zip(&rows) {
            prop_assert_eq!(time.to_bits(), stamped.to_bits());
            prop_assert_eq!(time < greatest - disorder_ms, time < watermark);
            greatest = greatest.max(time);
        }
    }
}

#[test]
fn timestamps_that_are_none_fail_at_their_row() {
    let registry = Arc::new(LayoutRegistry::new());
    let timestamps = |field: &str| {
        format!(r#"{{"node":1,"timestamps":{{"field":"{field}","outOfOrdernessMs":0,"maxAheadMs":1000}}}}"#)
    };
    let rows = [(Some(1.0), "1", "a"), (Some(1001.5), "2", "b")];
    let cases = [
        ("price", ErrorCode::TimeAhead, 1.0),
        ("name", ErrorCode::TimeInvalid, 0.0),
        ("nothing", ErrorCode::TimeInvalid, 0.0),
    ];
    for (field, code, row) in cases {
        let mut chain = chain(&registry, &timestamps(field));
        let error = apply(&mut chain, batch(&registry, &rows)).unwrap_err();
        assert_eq!(error.code, code, "{field}");
        assert_eq!(
            error.context.get("row"),
            Some(&sage_types::ErrorValue::Number(row)),
            "{field}"
        );
    }
}
