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
use support::packed::{Packing, pack};
use support::spec;
use support::written::{names, write, write_error};

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

/// What stands in a file after records were appended to it.
fn appended(old: &str, options: &Value, records: &[Value]) -> Result<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.csv");
    fs::write(&path, old).unwrap();
    let mut options = options.clone();
    options["append"] = json!(true);
    let result = write(&spec("csv", &path, &options), records, 1);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(old), "the old bytes stay");
    result.map(|_| text)
}

#[test]
fn what_is_appended_has_the_columns_of_the_file_and_no_second_header() {
    let records = [json!({"b": 2, "a": 1}), json!({"a": 3})];
    for (old, options, expected) in [
        ("", json!({}), "a,b\n1,2\n3,\n"),
        ("b,a\n", json!({}), "b,a\n2,1\n,3\n"),
        ("a,b\n", json!({}), "a,b\n1,2\n3,\n"),
        ("a,b\n9,9", json!({}), "a,b\n9,9\n1,2\n3,\n"),
        (
            "\u{FEFF}\"a\",b\r\n",
            json!({"bom": true, "eol": "\r\n"}),
            "\u{FEFF}\"a\",b\r\n1,2\r\n3,\r\n",
        ),
        (
            "a;b",
            json!({"delimiter": ";", "columns": ["a", "b"]}),
            "a;b\n1;2\n3;\n",
        ),
        (
            "9,9\n",
            json!({"header": false, "columns": ["a", "b"]}),
            "9,9\n1,2\n3,\n",
        ),
    ] {
        assert_eq!(appended(old, &options, &records).unwrap(), expected);
    }
}

#[test]
fn columns_that_are_not_those_of_the_file_are_an_error() {
    let error = appended("b,a\n", &json!({"columns": ["a", "b"]}), &[]).unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatCsv);
    assert!(error.message.contains("columns are b, a"), "{}", error.message);
    let error = appended("a\n1\n", &json!({}), &[json!({"a": 1, "b": 2})]).unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatRecord);
    assert!(error.message.contains("the file has a"), "{}", error.message);
    let error = appended("a;b\n", &json!({}), &[json!({"a": 1, "b": 2})]).unwrap_err();
    assert!(error.message.contains("the file has a;b"), "{}", error.message);
}

#[test]
fn compressed_files_are_written_and_appended_to() {
    for (compression, packing) in [
        ("gzip", Packing::Gzip(Vec::new())),
        ("zstd", Packing::Zstd(Vec::new())),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, pack(b"b,a\n9,8\n", &packing)).unwrap();
        let options = json!({"append": true, "compression": compression});
        write(&spec("csv", &path, &options), &[json!({"a": 1, "b": 2})], 1).unwrap();
        let read = support::read(&spec("csv", &path, &json!({"types": "string"})));
        let expected = support::read(&spec(
            "csv",
            &{
                let plain = directory.path().join("plain");
                fs::write(&plain, "b,a\n9,8\n2,1\n").unwrap();
                plain
            },
            &json!({"types": "string"}),
        ));
        assert_eq!((read.rows, read.end), (expected.rows, Ok(())));
        let path = directory.path().join("array");
        write(
            &spec("json", &path, &json!({"compression": compression})),
            &[json!(1), json!("x")],
            1,
        )
        .unwrap();
        let read = support::read(&spec("json", &path, &json!({})));
        assert_eq!(
            (read.rows, read.end),
            (vec![support::number(1.0), support::text("x")], Ok(()))
        );
    }
}

#[test]
fn files_of_a_directory_are_whole_ones() {
    let records: Vec<Value> = (0..5)
        .map(|n| json!({"part": format!("p{}", n % 2), "n": n}))
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let text = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    // When files are ended at a number of rows, then each has its header, or its brackets.
    for (kind, expected) in [
        (
            "csv",
            ["n,part\n0,p0\n1,p1\n", "n,part\n2,p0\n3,p1\n", "n,part\n4,p0\n"],
        ),
        (
            "json",
            [
                "[\n{\"n\":0,\"part\":\"p0\"},\n{\"n\":1,\"part\":\"p1\"}\n]\n",
                "[\n{\"n\":2,\"part\":\"p0\"},\n{\"n\":3,\"part\":\"p1\"}\n]\n",
                "[\n{\"n\":4,\"part\":\"p0\"}\n]\n",
            ],
        ),
    ] {
        write(
            &spec(kind, directory.path(), &json!({"maxFileRows": 2})),
            &records,
            1,
        )
        .unwrap();
        for (number, expected) in expected.iter().enumerate() {
            assert_eq!(text(&format!("part-00000-{number:05}.{kind}")), *expected);
        }
    }
    // When they are divided by a field, then that is not in them.
    let directory = tempfile::tempdir().unwrap();
    write(
        &spec("csv", directory.path(), &json!({"partitionBy": ["part"]})),
        &records,
        1,
    )
    .unwrap();
    let files = names(directory.path());
    assert_eq!(files.len(), 2, "{files:?}");
    let mut texts: Vec<String> = files
        .iter()
        .map(|name| fs::read_to_string(directory.path().join(name)).unwrap())
        .collect();
    texts.sort();
    assert_eq!(texts, ["n\n0\n2\n4\n", "n\n1\n3\n"]);
}

#[test]
fn a_json_array_cannot_be_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let error = write_error(
        &spec("json", &directory.path().join("a"), &json!({"append": true})),
        &[],
        1,
    );
    assert_eq!(error.code, ErrorCode::PlanSink);
}
