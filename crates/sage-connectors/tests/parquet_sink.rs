//! Parquet files to write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use sage_connectors::{BatchSink, SourceSplit, open_sink, plan_splits};
use sage_types::{ErrorCode, ErrorValue, SageError};
use serde_json::{Value, json};
use support::batch::Batch;
use support::{Js, json_parse, number, object, read, spec, text};
fn parquet_sink(path: &Path, options: &Value) -> Box<dyn BatchSink> {
    open_sink(
        &spec("parquet", path, options),
        SourceSplit::WHOLE,
        Arc::default(),
    )
    .unwrap()
}

fn written(batches: &[(&str, Batch)], options: &Value) -> Result<support::Read, SageError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.parquet");
    let mut sink = parquet_sink(&path, options);
    for (layout, batch) in batches {
        batch.write(layout, &mut *sink)?;
    }
    let report = sink.commit()?;
    let result = read(&spec("parquet", &path, &json!({})));
    assert_eq!(result.end, Ok(()));
    assert_eq!(report.records, result.rows.len() as u64);
    Ok(result)
}

#[test]
fn what_was_written_is_read_again() {
    let batch = Batch::of_rows(3)
        .f64s(&[1.5, f64::NAN, -0.0])
        .presence(&[0, 1, 3])
        .i32s(&[7, 0, 0])
        .bools(&[1, 0, 1])
        .f64s(&[1_709_210_096_789.0, f64::NAN, -1.0])
        .texts(&["é😀", "", "a\"b"])
        .texts(&["[1,{\"a\":null}]", "null", "\"x\""])
        .presence(&[0, 1, 0])
        .texts(&["in", "", "out"])
        .f64s(&[1.0, 2.0, 3.0])
        .texts(&["p", "q", "r"])
        .presence(&[1, 2, 3]);
    let layout = concat!(
        r#"{"row":{"rec":[["n","f64"],["i","i32?"],["b","bool"],["d","date"],["s","str"],["j","json"],"#,
        r#"["o",{"rec":[["p","str"]],"opt":true}],["t",{"tup":["f64","str"]}],["z","nil?"]]}}"#
    );
    let result = written(&[(layout, batch)], &json!({})).unwrap();
    assert_eq!(
        result.layouts,
        [concat!(
            r#"{"row":{"rec":[["n","f64"],["i","i32?"],["b","bool"],["d","date?"],["s","str"],["j","json"],"#,
            r#"["o",{"rec":[["p","str?"]],"opt":true}],["t","json"],["z","nil?"]]}}"#
        )]
    );
    let date = |value: f64| Js::Date(value.to_bits());
    let rows = [
        (
            1.5,
            number(7.0),
            true,
            date(1_709_210_096_789.0),
            "é😀",
            "[1,{\"a\":null}]",
            object([("p", text("in"))]),
            "[1,\"p\"]",
        ),
        (
            f64::NAN,
            Js::Null,
            false,
            Js::Null,
            "",
            "null",
            Js::Null,
            "[2,\"q\"]",
        ),
        (
            -0.0,
            Js::Null,
            true,
            date(-1.0),
            "a\"b",
            "\"x\"",
            object([("p", text("out"))]),
            "[3,\"r\"]",
        ),
    ];
    let expected: Vec<Js> = rows
        .into_iter()
        .map(|(n, i, b, d, s, j, o, t)| {
            object([
                ("n", number(n)),
                ("i", i),
                ("b", Js::Bool(b)),
                ("d", d),
                ("s", text(s)),
                ("j", json_parse(j).unwrap()),
                ("o", o),
                ("t", json_parse(t).unwrap()),
                ("z", Js::Null),
            ])
        })
        .collect();
    assert_eq!(result.rows, expected);
}

#[test]
fn a_layout_may_change_within_the_columns_of_the_file() {
    // As many as decide the columns.
    let first = (
        r#"{"row":{"rec":[["a","f64"],["b","str"]]}}"#,
        Batch::of_rows(16_384)
            .f64s(&vec![1.0; 16_384])
            .texts(&vec!["x"; 16_384]),
    );
    let narrower = (
        r#"{"row":{"rec":[["b","str?"]]}}"#,
        Batch::of_rows(2).presence(&[0, 3]).texts(&["y", ""]),
    );
    let other_order = (
        r#"{"row":{"rec":[["b","str"],["a","i32"],["later","f64?"]]}}"#,
        Batch::of_rows(1)
            .texts(&["z"])
            .i32s(&[4])
            .presence(&[3])
            .f64s(&[0.0]),
    );
    let result = written(&[first, narrower, other_order], &json!({})).unwrap();
    let row = |a: Js, b: Js| object([("a", a), ("b", b)]);
    assert_eq!(
        result.rows[16_383..],
        [
            row(number(1.0), text("x")),
            row(Js::Null, text("y")),
            row(Js::Null, Js::Null),
            row(number(4.0), text("z")),
        ]
    );
}

#[test]
fn a_field_that_widens_beyond_the_columns_is_an_error_that_names_it_and_the_fix() {
    // As many as are looked at.
    let first = || {
        let values = vec![1.0; 16_384];
        (
            r#"{"row":{"rec":[["a","f64"]]}}"#,
            Batch::of_rows(values.len()).f64s(&values),
        )
    };
    let new_field = || {
        (
            r#"{"row":{"rec":[["a","f64"],["b","str"]]}}"#,
            Batch::of_rows(1).f64s(&[2.0]).texts(&["x"]),
        )
    };
    let error = written(&[first(), new_field()], &json!({}))
        .map(|read| read.rows)
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatColumnType);
    assert_eq!(error.context["field"], ErrorValue::Text("b".to_owned()));
    assert!(
        error.message.contains(r#"schema: { "b": "str?" }"#),
        "{}",
        error.message
    );
    let rows = written(&[first(), new_field()], &json!({"schema": {"b": "str?"}}))
        .unwrap()
        .rows;
    assert_eq!(rows[16_384], object([("a", number(2.0)), ("b", text("x"))]));

    let other_type = || {
        (
            r#"{"row":{"rec":[["a","json"]]}}"#,
            Batch::of_rows(1).texts(&["[1]"]),
        )
    };
    let error = written(&[first(), other_type()], &json!({}))
        .map(|read| read.rows)
        .unwrap_err();
    assert!(
        error.message.contains("the field a is json") && error.message.contains("had f64"),
        "{}",
        error.message
    );
    let rows = written(&[first(), other_type()], &json!({"schema": {"a": "json?"}}))
        .unwrap()
        .rows;
    assert_eq!(rows[16_383], object([("a", number(1.0))]));
    assert_eq!(rows[16_384], object([("a", json_parse("[1]").unwrap())]));
}

#[test]
fn a_field_inside_a_record_is_declared_inside_an_object() {
    let first = || {
        let values = vec![1.0; 16_384];
        (
            r#"{"row":{"rec":[["o",{"rec":[["a","f64"]]}]]}}"#,
            Batch::of_rows(values.len()).f64s(&values),
        )
    };
    let later = || {
        (
            r#"{"row":{"rec":[["o",{"rec":[["a","f64"],["b.c","str"]]}]]}}"#,
            Batch::of_rows(1).f64s(&[2.0]).texts(&["x"]),
        )
    };
    let error = written(&[first(), later()], &json!({}))
        .map(|read| read.rows)
        .unwrap_err();
    assert!(
        error.message.contains(r#"schema: { "o": { "b.c": "str?" } }"#),
        "{}",
        error.message
    );
    let rows = written(&[first(), later()], &json!({"schema": {"o": {"b.c": "str?"}}}))
        .unwrap()
        .rows;
    let o = object([("a", number(2.0)), ("b.c", text("x"))]);
    assert_eq!(rows[16_384], object([("o", o)]));
}

#[test]
fn the_first_records_decide_the_columns_together() {
    let batches = [
        (
            r#"{"row":{"rec":[["a","nil?"],["b","i32"]]}}"#,
            Batch::of_rows(1).presence(&[1]).i32s(&[1]),
        ),
        (
            r#"{"row":{"rec":[["a","str"],["b","f64"],["c",{"rec":[["d","nil?"]],"opt":true}]]}}"#,
            Batch::of_rows(1)
                .texts(&["x"])
                .f64s(&[1.5])
                .presence(&[0])
                .presence(&[1]),
        ),
        (
            r#"{"row":{"rec":[["c",{"rec":[["d","bool"]]}]]}}"#,
            Batch::of_rows(1).bools(&[1]),
        ),
    ];
    let result = written(&batches, &json!({})).unwrap();
    let row = |a: Js, b: Js, c: Js| object([("a", a), ("b", b), ("c", c)]);
    let d = |value: Js| object([("d", value)]);
    assert_eq!(
        result.rows,
        [
            row(Js::Null, number(1.0), Js::Null),
            row(text("x"), number(1.5), d(Js::Null)),
            row(Js::Null, Js::Null, d(Js::Bool(true))),
        ]
    );
    // One that contradicts them is an error at once, however few there are.
    let contradiction = (r#"{"row":{"rec":[["a","bool"]]}}"#, Batch::of_rows(1).bools(&[1]));
    let [_, second, _] = batches;
    let error = written(&[second, contradiction], &json!({}))
        .map(|read| read.rows)
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatColumnType);
}

#[test]
fn what_parquet_cannot_hold_is_an_error() {
    for (layout, batch, code, what) in [
        (
            r#"{"row":{"rec":[]}}"#,
            Batch::of_rows(1),
            ErrorCode::FormatColumnType,
            "no fields",
        ),
        (
            r#"{"row":{"rec":[["o",{"rec":[]}]]}}"#,
            Batch::of_rows(1),
            ErrorCode::FormatColumnType,
            "field o",
        ),
        (
            r#"{"row":{"rec":[["a","f64"]],"opt":true}}"#,
            Batch::of_rows(1).presence(&[1]).f64s(&[0.0]),
            ErrorCode::FormatRecord,
            "null or undefined",
        ),
        (
            r#"{"row":{"rec":[["s","str"]]}}"#,
            Batch::of_rows(1).strings(&[&[0xD800]]),
            ErrorCode::FormatRecord,
            "invalidStrings",
        ),
    ] {
        let error = written(&[(layout, batch)], &json!({}))
            .map(|read| read.rows)
            .unwrap_err();
        assert_eq!(error.code, code);
        assert!(error.message.contains(what), "{}", error.message);
        assert!(error.context.contains_key("file"));
    }
    let lone = (
        r#"{"row":{"rec":[["s","str"]]}}"#,
        Batch::of_rows(1).strings(&[&[0xD800]]),
    );
    let rows = written(&[lone], &json!({"invalidStrings": "replace"}))
        .unwrap()
        .rows;
    assert_eq!(rows, [object([("s", text("\u{FFFD}"))])]);
}

#[test]
fn records_that_are_not_objects_and_no_records_at_all() {
    let result = written(
        &[(r#"{"row":"str"}"#, Batch::of_rows(2).texts(&["a", "b"]))],
        &json!({}),
    )
    .unwrap();
    assert_eq!(
        result.rows,
        [object([("value", text("a"))]), object([("value", text("b"))])]
    );
    assert_eq!(written(&[], &json!({})).unwrap().rows, []);
    assert_eq!(written(&[], &json!({"schema": {"a": "f64"}})).unwrap().rows, []);
}

#[test]
fn row_groups_have_the_rows_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.parquet");
    let mut sink = parquet_sink(&path, &json!({"rowGroupRows": 100, "compression": "snappy"}));
    for _ in 0..5 {
        Batch::of_rows(70)
            .f64s(&[1.0; 70])
            .write(r#"{"row":{"rec":[["a","f64"]]}}"#, &mut *sink)
            .unwrap();
    }
    sink.commit().unwrap();
    assert_eq!(
        plan_splits(&spec("parquet", &path, &json!({})))
            .unwrap()
            .row_groups,
        4
    );
    assert_eq!(read(&spec("parquet", &path, &json!({}))).rows.len(), 350);
}
