//! Files and streams of Arrow IPC, written and read, and those of other writers.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray,
    RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use sage_connectors::plan_splits;
use sage_types::{ErrorCode, ErrorValue};
use serde_json::{Value, json};
use support::written::{write, write_batches};
use support::{Js, number, object, read, read_error, read_split, spec, text};

fn arrow(path: &Path, options: &Value) -> String {
    spec("arrow", path, options)
}

fn records(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({ "n": n, "x": n as f64 / 4.0, "s": format!("é{n}"), "b": n % 2 == 0, "o": { "a": n % 5 }, "l": [n, "t"], "late": if n < 30 { Value::Null } else { json!("z") } }))
        .collect()
}

fn as_js(records: &[Value]) -> Vec<Js> {
    records
        .iter()
        .map(|record| support::json_parse(&record.to_string()).unwrap())
        .collect()
}

#[test]
fn what_was_written_is_read_again_in_each_form_and_compression() {
    for format in ["file", "stream"] {
        for compression in ["none", "lz4", "zstd"] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("out");
            let sink = arrow(&path, &json!({ "format": format, "compression": compression }));
            let report = write(&sink, &records(500), 1).unwrap().remove(0);
            assert_eq!(
                (report.records, report.bytes),
                (500, fs::metadata(&path).unwrap().len())
            );
            let result = read(&arrow(&path, &json!({})));
            assert_eq!(result.end, Ok(()));
            assert_eq!(result.rows, as_js(&records(500)));
            assert_eq!(result.statistics.records, 500);
            // The library alone, without our code.
            let rows: usize = if format == "file" {
                FileReader::try_new(File::open(&path).unwrap(), None)
                    .unwrap()
                    .map(|batch| batch.unwrap().num_rows())
                    .sum()
            } else {
                StreamReader::try_new(File::open(&path).unwrap(), None)
                    .unwrap()
                    .map(|batch| batch.unwrap().num_rows())
                    .sum()
            };
            assert_eq!(rows, 500);
        }
    }
}

#[test]
fn no_records_are_a_file_with_the_declared_columns() {
    for format in ["file", "stream"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        write(
            &arrow(
                &path,
                &json!({ "format": format, "schema": { "a": "f64", "b": { "c": "str?" } } }),
            ),
            &[],
            1,
        )
        .unwrap();
        let result = read(&arrow(&path, &json!({ "columns": ["a"] })));
        assert_eq!((result.rows.len(), result.end), (0, Ok(())));
    }
}

#[test]
fn record_batches_are_large_and_shared_by_the_instances() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let numbers: Vec<Value> = (0..200_000).map(|n| json!({ "n": n })).collect();
    write_batches(&arrow(&path, &json!({})), &numbers, 1, 1000).unwrap();
    let file = arrow(&path, &json!({}));
    assert_eq!(plan_splits(&file).unwrap().max_splits, 4);
    for instances in 1..7 {
        let parts: Vec<_> = (0..instances)
            .map(|instance| read_split(&file, instance, instances).unwrap())
            .collect();
        let rows: Vec<Js> = parts.into_iter().flat_map(|part| part.rows).collect();
        assert!(rows.iter().eq(&as_js(&numbers)), "{instances} instances");
    }
}

#[test]
fn a_stream_has_one_reader() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    write(&arrow(&path, &json!({ "format": "stream" })), &records(100), 1).unwrap();
    let file = arrow(&path, &json!({}));
    assert_eq!(plan_splits(&file).unwrap().max_splits, 1);
    assert_eq!(read_split(&file, 0, 3).unwrap().rows.len(), 100);
    assert_eq!(
        read_split(&file, 1, 3).unwrap().rows.len() + read_split(&file, 2, 3).unwrap().rows.len(),
        0
    );
}

/// A file of another writer: types that we read and do not write.
fn foreign(path: &Path, stream: bool) {
    let dictionary: DictionaryArray<Int8Type> = vec![Some("red"), None, Some("blue"), Some("red")]
        .into_iter()
        .collect();
    let numbers = DictionaryArray::<Int8Type>::new(
        vec![Some(1), Some(0), None, Some(1)].into(),
        Arc::new(Int64Array::from(vec![7, 8])),
    );
    let item =
        |name: &str, array: ArrayRef| (Arc::new(Field::new(name, array.data_type().clone(), true)), array);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("color", Arc::new(dictionary)),
        ("coded", Arc::new(numbers)),
        (
            "view",
            Arc::new(StringViewArray::from(vec![
                "a long string that is not inline",
                "",
                "é",
                "x",
            ])),
        ),
        (
            "large",
            Arc::new(LargeStringArray::from(vec!["a", "b", "c", "d"])),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(vec![1_500, -1, 0, 2_000]).with_timezone("UTC")),
        ),
        (
            "place",
            Arc::new(StructArray::from(vec![item(
                "x",
                Arc::new(Float64Array::from(vec![0.5, 1.0, 1.5, 2.0])),
            )])),
        ),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<
                arrow_array::types::Int32Type,
                _,
                _,
            >(vec![
                Some(vec![Some(1), None]),
                None,
                Some(vec![]),
                Some(vec![Some(2)]),
            ])),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = File::create(path).unwrap();
    if stream {
        let mut writer = StreamWriter::try_new(file, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    } else {
        let mut writer =
            FileWriter::try_new_with_options(file, &batch.schema(), IpcWriteOptions::default()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }
}

#[test]
fn dictionaries_and_other_types_become_plain_values() {
    for stream in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("foreign");
        foreign(&path, stream);
        let result = read(&arrow(&path, &json!({})));
        assert_eq!(result.end, Ok(()));
        let date = |millis: f64| Js::Date(millis.to_bits());
        let row = |color: Js, coded: Js, view: &str, large: &str, at: f64, x: f64, list: Js| {
            object([
                ("color", color),
                ("coded", coded),
                ("view", text(view)),
                ("large", text(large)),
                ("at", date(at)),
                ("place", object([("x", number(x))])),
                ("list", list),
            ])
        };
        assert_eq!(
            result.rows,
            [
                row(
                    text("red"),
                    number(8.0),
                    "a long string that is not inline",
                    "a",
                    1.0,
                    0.5,
                    Js::Array(vec![number(1.0), Js::Null])
                ),
                row(Js::Null, number(7.0), "", "b", -1.0, 1.0, Js::Null),
                row(text("blue"), Js::Null, "é", "c", 0.0, 1.5, Js::Array(vec![])),
                row(
                    text("red"),
                    number(8.0),
                    "x",
                    "d",
                    2.0,
                    2.0,
                    Js::Array(vec![number(2.0)])
                ),
            ]
        );
        let narrow = read(&arrow(&path, &json!({ "columns": ["large", "color"] })));
        assert_eq!(
            narrow.rows[1],
            object([("color", Js::Null), ("large", text("b"))])
        );
        let error = read_error(&arrow(&path, &json!({ "columns": ["none"] })));
        assert_eq!(error.code, ErrorCode::FormatColumnMissing);
        assert!(error.message.contains("color, coded"), "{}", error.message);
    }
}

#[test]
fn the_position_is_a_record_batch_and_a_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let batch = |from: i32| {
        let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(from..from + 10));
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    };
    let mut writer = FileWriter::try_new(File::create(&path).unwrap(), &batch(0).schema()).unwrap();
    for from in [0, 10, 20] {
        writer.write(&batch(from)).unwrap();
    }
    writer.finish().unwrap();
    let registry = Arc::new(sage_frame::LayoutRegistry::new());
    let source = arrow(&path, &json!({ "batchRows": 6 }));
    let mut source =
        sage_connectors::open_source(&source, sage_connectors::SourceSplit::WHOLE, registry).unwrap();
    let mut positions = Vec::new();
    while support::next_rows(source.as_mut()).unwrap() > 0 {
        positions.push(source.place());
    }
    let at = |batch: usize, row: usize| json!({ "file": path, "batch": batch, "row": row }).to_string();
    assert_eq!(
        positions,
        [at(0, 5), at(1, 0), at(1, 5), at(2, 0), at(2, 5), at(3, 0)]
    );
}

#[test]
fn what_is_not_arrow_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for content in [
        &b""[..],
        b"ARROW1",
        b"{\"a\":1}\n",
        b"PAR1PAR1",
        &[0; 100],
        b"ARROW1\0\0garbage garbage garbage ARROW1",
    ] {
        fs::write(&path, content).unwrap();
        let error = read_error(&arrow(&path, &json!({})));
        assert_eq!(
            error.code,
            ErrorCode::FormatArrow,
            "{content:?}: {}",
            error.message
        );
        assert!(error.message.contains("file"), "{}", error.message);
    }
    assert_eq!(
        read_error(&arrow(&directory.path().join("none"), &json!({}))).code,
        ErrorCode::IoNotFound
    );
}

fn written(format: &str) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    write(
        &arrow(&path, &json!({ "format": format, "compression": "zstd" })),
        &records(60),
        1,
    )
    .unwrap();
    let content = fs::read(&path).unwrap();
    (directory, path, content)
}

#[test]
fn what_is_behind_the_end_of_a_stream_is_an_error_and_not_left_out() {
    let (_directory, path, content) = written("stream");
    for behind in [&content[..], b"\0", &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]] {
        fs::write(&path, [&content[..], behind].concat()).unwrap();
        let result = read(&arrow(&path, &json!({})));
        assert_eq!(result.rows.len(), 60);
        let error = result.end.unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatArrow);
        assert_eq!(
            error.context["byte"],
            ErrorValue::Number(content.len() as f64),
            "{}",
            error.message
        );
    }
}

#[test]
fn a_truncated_file_or_stream_is_an_error_wherever_it_ends() {
    for format in ["file", "stream"] {
        let (_directory, path, content) = written(format);
        for end in (0..content.len())
            .step_by(7)
            .chain(content.len() - 9..content.len())
        {
            fs::write(&path, &content[..end]).unwrap();
            let error = read_error(&arrow(&path, &json!({})));
            assert!(
                matches!(error.code, ErrorCode::FormatArrow | ErrorCode::IoTruncated),
                "{end}: {}",
                error.message
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_are_an_error_or_other_rows_and_never_a_crash(
        stream in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (_directory, path, mut content) = written(if stream { "stream" } else { "file" });
        for (at, byte) in damage {
            let at = at.index(content.len());
            content[at] = byte;
        }
        fs::write(&path, &content).unwrap();
        if let Ok(result) = read_split(&arrow(&path, &json!({})), 0, 1)
            && let Err(error) = result.end
        {
            let names = error.message.contains("out") || error.context.get("file").is_some_and(|file| file.to_string().contains("out"));
            prop_assert!(names, "{error:?}");
        }
    }
}

#[test]
fn text_that_a_file_marks_as_json_and_is_none_is_an_error_that_names_the_column() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let extension =
        std::collections::HashMap::from([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())]);
    let schema = Schema::new(vec![
        Field::new("list", DataType::Utf8, true).with_metadata(extension),
    ]);
    let of = |texts: Vec<Option<&str>>| {
        let column: ArrayRef = Arc::new(StringArray::from(texts));
        RecordBatch::try_new(Arc::new(schema.clone()), vec![column]).unwrap()
    };
    let write = |batch: &RecordBatch| {
        let mut writer = FileWriter::try_new(File::create(&path).unwrap(), &schema).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
    };
    write(&of(vec![Some("[1]"), None]));
    assert_eq!(read(&arrow(&path, &json!({}))).rows.len(), 2);
    write(&of(vec![Some("[1]"), Some("M0,\"v")]));
    let error = read_error(&arrow(&path, &json!({})));
    assert!(
        error.message.contains("list") && error.message.contains("JSON"),
        "{}",
        error.message
    );
}

#[test]
fn a_field_with_a_type_that_no_record_has_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let interval: ArrayRef = Arc::new(arrow_array::IntervalYearMonthArray::from(vec![1]));
    assert_eq!(
        *interval.data_type(),
        DataType::Interval(arrow_schema::IntervalUnit::YearMonth)
    );
    let batch = RecordBatch::try_from_iter([("k", keys), ("every", interval)]).unwrap();
    let mut writer = FileWriter::try_new(File::create(&path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let error = read_error(&arrow(&path, &json!({})));
    assert_eq!(error.code, ErrorCode::FormatColumnType);
    assert!(
        error.message.contains("every") && error.message.contains("columns"),
        "{}",
        error.message
    );
    assert_eq!(
        read(&arrow(&path, &json!({ "columns": ["k"] }))).rows,
        [object([("k", text("a"))])]
    );
}
