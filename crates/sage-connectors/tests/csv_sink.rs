//! CSV files that are written, read again by the `csv` crate.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use sage_connectors::{SourceSplit, open_sink};
use sage_types::{ErrorCode, ErrorValue, Result};
use serde_json::{Value, json};
use support::batch::Batch;
use support::spec;

/// What is written for batches of one layout.
fn written(kind: &str, options: &Value, layout: &str, batches: &[Batch]) -> Result<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let mut sink = open_sink(&spec(kind, &path, options), SourceSplit::WHOLE, Arc::default())?;
    for batch in batches {
        batch.write(layout, sink.as_mut())?;
    }
    sink.commit()?;
    Ok(fs::read_to_string(&path).unwrap())
}

#[test]
fn every_kind_of_column_has_its_text() {
    let batch = Batch::of_rows(2)
        .f64s(&[1.5, f64::NAN])
        .i32s(&[7, -7])
        .bools(&[1, 0])
        .f64s(&[0.0, f64::NAN])
        .presence(&[0, 2])
        .texts(&["a,b", ""])
        .texts(&["\"x\"", "[1,\"2\"]"]);
    let layout =
        r#"{"row":{"rec":[["n","f64"],["i","i32"],["b","bool"],["d","date"],["s","str?"],["j","json"]]}}"#;
    assert_eq!(
        written("csv", &json!({"nullText": "-"}), layout, &[batch]).unwrap(),
        "n,i,b,d,s,j\n1.5,7,true,1970-01-01T00:00:00.000Z,\"a,b\",x\nNaN,-7,false,-,-,\"[1,\"\"2\"\"]\"\n"
    );
}

#[test]
fn records_that_are_there_as_json_are_taken_apart() {
    let batch = Batch::of_rows(2).texts(&[r#"{"b":"x\ny","a":{"c":[1]},"2":null}"#, " { \"a\" : true } "]);
    assert_eq!(
        written("csv", &json!({}), r#"{"row":"json"}"#, &[batch]).unwrap(),
        "2,b,a\n,\"x\ny\",\"{\"\"c\"\":[1]}\"\n,,true\n"
    );
    for text in ["[1]", "null", "7"] {
        let batch = Batch::of_rows(1).texts(&[text]);
        let error = written("csv", &json!({}), r#"{"row":"json"}"#, &[batch]).unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatRecord);
    }
}

#[test]
fn a_string_with_half_a_character_is_an_error_or_replaced() {
    let layout = r#"{"row":{"rec":[["s","str"]]}}"#;
    let batch = || Batch::of_rows(1).strings(&[&[0x61, 0xD83D]]);
    let error = written("csv", &json!({}), layout, &[batch()]).unwrap_err();
    assert_eq!(
        (error.code, &error.context["record"]),
        (ErrorCode::FormatRecord, &ErrorValue::Number(1.0))
    );
    let replaced = written("csv", &json!({"invalidStrings": "replace"}), layout, &[batch()]);
    assert_eq!(replaced.unwrap(), "s\na\u{FFFD}\n");
}

#[test]
fn settings_that_would_write_what_nobody_can_read_are_refused() {
    for options in [
        json!({"delimiter": "\""}),
        json!({"delimiter": "ab"}),
        json!({"eol": ";"}),
        json!({"nullText": "a,b"}),
    ] {
        let error = written("csv", &options, r#"{"row":"json"}"#, &[]).unwrap_err();
        assert_eq!(error.code, ErrorCode::PlanSink, "{options}");
    }
}

#[test]
fn an_array_of_records_is_one_document_whatever_the_batches() {
    let layout = r#"{"row":{"rec":[["n","f64"]]}}"#;
    let batch = |values: &[f64]| Batch::of_rows(values.len()).f64s(values);
    for batches in [
        vec![],
        vec![batch(&[])],
        vec![batch(&[1.0]), batch(&[]), batch(&[2.0, 3.0])],
    ] {
        let rows: usize = batches.iter().map(|batch| batch.rows).sum();
        let text = written("json", &json!({}), layout, &batches).unwrap();
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        let expected: Vec<Value> = (1..=rows).map(|n| json!({ "n": n })).collect();
        assert_eq!(values, expected, "{text}");
    }
}

proptest! {
    #[test]
    fn the_csv_crate_reads_what_is_written(
        table in (1_usize..5).prop_flat_map(|width| prop::collection::vec(prop::collection::vec("[\",\r\n a;é]{0,6}", width), 1..20)),
        always in any::<bool>(),
        semicolon in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        // Given strings of any kind.
        let width = table[0].len();
        let names: Vec<String> = (0..width).map(|index| format!("c{index}")).collect();
        let fields: Vec<Value> = names.iter().map(|name| json!([name, "str"])).collect();
        let mut batch = Batch::of_rows(table.len());
        for index in 0..width {
            let column: Vec<&str> = table.iter().map(|row| row[index].as_str()).collect();
            batch = batch.texts(&column);
        }
        // When they are written.
        let options = json!({
            "quote": if always { "always" } else { "needed" },
            "delimiter": if semicolon { ";" } else { "," },
            "eol": if crlf { "\r\n" } else { "\n" },
        });
        let text = written("csv", &options, &json!({"row": {"rec": fields}}).to_string(), &[batch]).unwrap();
        // Then another parser finds them.
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(if semicolon { b';' } else { b',' })
            .from_reader(text.as_bytes());
        prop_assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), names);
        let found: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(found, table);
    }
}
