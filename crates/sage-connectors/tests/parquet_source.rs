//! Parquet files to read: splits, projections, damage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BinaryArray, Float64Array, Int32Array, Int64Array, StringArray};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use sage_connectors::{NextBatch, SourceSplit, plan_splits, probe};
use sage_types::{ErrorCode, ErrorValue};
use serde_json::json;
use support::table::{table, table_with};
use support::{Js, next_rows, number, object, read, read_error, read_split, spec, text};
#[test]
fn long_rows_make_short_frames_and_lists_are_cut_with_them() {
    let mut list = ListBuilder::new(StringBuilder::new());
    for row in 0..3000 {
        list.values().append_value(format!("é{row}{}", "x".repeat(500)));
        list.values().append_value("y");
        list.append(true);
    }
    let array: ArrayRef = Arc::new(list.finish());
    let file = table(&[
        ("n", Arc::new(Int32Array::from_iter_values(0..3000))),
        ("l", array),
    ]);
    let result = read(&file.spec(&json!({})));
    assert!(
        result.frame_rows.iter().all(|&rows| rows <= 600),
        "{:?}",
        result.frame_rows
    );
    let expected: Vec<Js> = (0..3000)
        .map(|row| {
            let items = Js::Array(vec![text(&format!("é{row}{}", "x".repeat(500))), text("y")]);
            object([("n", number(f64::from(row))), ("l", items)])
        })
        .collect();
    assert_eq!(result.rows, expected);
}

#[test]
fn row_groups_are_split_over_the_instances() {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10))
        .build();
    let values = Int32Array::from_iter_values(0..95);
    let file = table_with(&[("n", Arc::new(values))], properties);
    let plan = plan_splits(&file.spec(&json!({}))).unwrap();
    assert_eq!((plan.row_groups, plan.max_splits), (10, 10));
    for instances in 1..14 {
        let mut rows = Vec::new();
        for instance in 0..instances {
            rows.extend(
                read_split(&file.spec(&json!({})), instance, instances)
                    .unwrap()
                    .rows,
            );
        }
        let expected: Vec<Js> = (0..95)
            .map(|value| object([("n", number(f64::from(value)))]))
            .collect();
        assert_eq!(rows, expected, "{instances} instances");
    }
}

#[test]
fn the_position_is_a_row_group_and_a_row() {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10))
        .build();
    let file = table_with(
        &[("n", Arc::new(Int32Array::from_iter_values(0..25)))],
        properties,
    );
    let registry = Arc::new(sage_frame::LayoutRegistry::new());
    let mut source =
        sage_connectors::open_source(&file.spec(&json!({"batchRows": 6})), SourceSplit::WHOLE, registry)
            .unwrap();
    let mut positions = vec![source.place()];
    while next_rows(source.as_mut()).unwrap() > 0 {
        positions.push(source.place());
    }
    let at = |row_group: u32, row: u32| {
        json!({ "file": file.path, "rowGroup": row_group, "row": row }).to_string()
    };
    assert_eq!(
        positions,
        [
            "null".to_owned(),
            at(0, 6),
            at(1, 2),
            at(1, 8),
            at(2, 4),
            at(3, 0)
        ]
    );
}

#[test]
fn a_projection_names_columns_that_are_there() {
    let file = table(&[
        ("a", Arc::new(Int32Array::from(vec![1]))),
        ("b", Arc::new(BinaryArray::from_vec(vec![b"x"]))),
        ("c", Arc::new(StringArray::from(vec!["z"]))),
    ]);
    let result = read(&file.spec(&json!({"columns": ["c", "a"]})));
    assert_eq!(result.rows, [object([("a", number(1.0)), ("c", text("z"))])]);
    let result = read(&file.spec(&json!({"columns": []})));
    assert_eq!(result.rows, [object([])]);
    let error = read_error(&file.spec(&json!({"columns": ["a", "d"]})));
    assert_eq!(error.code, ErrorCode::FormatColumnMissing);
    assert!(
        error.message.contains("no column d") && error.message.contains("a, b, c"),
        "{}",
        error.message
    );
}

#[test]
fn what_is_not_a_parquet_file_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    for content in [
        &b""[..],
        b"PAR1",
        b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n",
        b"PAR1\0\0\0\0\xFF\xFF\xFF\x7FPAR1",
    ] {
        fs::write(&path, content).unwrap();
        let error = read_error(&spec("parquet", &path, &json!({})));
        assert_eq!(error.code, ErrorCode::FormatParquet, "{}", error.message);
        assert_eq!(
            error.context["file"],
            ErrorValue::Text(path.display().to_string())
        );
        assert_eq!(
            probe(&spec("parquet", &path, &json!({}))).unwrap_err().code,
            ErrorCode::FormatParquet
        );
    }
    let missing = spec("parquet", &directory.path().join("y"), &json!({}));
    assert_eq!(read_error(&missing).code, ErrorCode::IoNotFound);
}

fn any_table() -> Vec<u8> {
    let file = table(&[
        (
            "a",
            Arc::new(
                (0..500)
                    .map(|row| (row % 7 != 0).then_some(row))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "b",
            Arc::new(StringArray::from_iter_values(
                (0..500).map(|row| format!("text {}", row % 30)),
            )),
        ),
        (
            "c",
            Arc::new(Float64Array::from_iter_values(
                (0..500).map(|row| f64::from(row) / 3.0),
            )),
        ),
    ]);
    fs::read(&file.path).unwrap()
}

#[test]
fn a_truncated_file_is_an_error_wherever_it_ends() {
    let content = any_table();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    for length in (0..content.len()).step_by(97) {
        fs::write(&path, &content[..length]).unwrap();
        let error = read_error(&spec("parquet", &path, &json!({})));
        assert_eq!(
            error.code,
            ErrorCode::FormatParquet,
            "{length} bytes: {}",
            error.message
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_gives_rows_or_an_error_and_never_a_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut content = any_table();
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.parquet");
        fs::write(&path, &content).unwrap();
        if let Err(error) = probe(&spec("parquet", &path, &json!({}))) {
            prop_assert!(error.context.contains_key("file"), "{:?}", error);
        }
        match read_split(&spec("parquet", &path, &json!({})), 0, 1) {
            Ok(read) => if let Err(error) = read.end {
                prop_assert!(error.context.contains_key("file"), "{:?}", error);
            },
            Err(error) => prop_assert!(error.context.contains_key("file"), "{:?}", error),
        }
    }
}

/// The file of three million flights that the benchmarks use, where it is installed.
#[test]
fn three_million_flights() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../node_modules/vega-datasets/data/flights-3m.parquet");
    if !path.exists() {
        return;
    }
    let spec = spec("parquet", &path, &json!({"columns": ["delay", "distance"]}));
    let registry = Arc::new(sage_frame::LayoutRegistry::new());
    let (mut rows, mut distance) = (0, 0.0);
    for instance in 0..3 {
        let split = SourceSplit {
            instance,
            instances: 3,
        };
        let mut source = sage_connectors::open_source(&spec, split, Arc::clone(&registry)).unwrap();
        while let NextBatch::Frame(frame) = source.next().unwrap() {
            let view = frame.view(&registry).unwrap();
            rows += view.rows();
            let sage_frame::ColumnData::I32(values) = view.column("distance").unwrap().data else {
                panic!()
            };
            distance += values.iter().map(|&value| f64::from(value)).sum::<f64>();
        }
    }
    assert_eq!((rows, distance), (3_000_000, flights_distance(&path)));
}

/// The same by the Parquet library alone.
fn flights_distance(path: &Path) -> f64 {
    use arrow_array::cast::AsArray as _;
    let file = File::open(path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let mut sum = 0.0;
    for batch in reader {
        let batch = batch.unwrap();
        let column = batch.column_by_name("distance").unwrap();
        let values = column.as_primitive::<arrow_array::types::Int64Type>();
        sum += values.values().iter().map(|&value| value as f64).sum::<f64>();
    }
    sum
}
