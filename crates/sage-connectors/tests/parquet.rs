//! Parquet files to read and to write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationMicrosecondArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array,
    IntervalYearMonthArray, LargeStringArray, NullArray, RecordBatch, StringArray, StringViewArray,
    StructArray, Time32MillisecondArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt32Array, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use proptest::prelude::*;
use sage_connectors::{BatchSink, SourceSplit, open_sink, plan_splits, probe};
use sage_types::{ErrorCode, ErrorValue, SageError};
use serde_json::{Value, json};
use support::batch::Batch;
use support::{Js, json_parse, number, object, read, read_error, read_split, spec, text};
use tempfile::TempDir;

struct Table {
    _directory: TempDir,
    path: PathBuf,
}

impl Table {
    fn spec(&self, options: &Value) -> String {
        spec("parquet", &self.path, options)
    }
}

fn table_with(columns: &[(&str, ArrayRef)], properties: WriterProperties) -> Table {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.parquet");
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .iter()
            .map(|(name, array)| (*name, ArrayRef::clone(array), true)),
    )
    .unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    Table {
        _directory: directory,
        path,
    }
}

fn table(columns: &[(&str, ArrayRef)]) -> Table {
    table_with(columns, WriterProperties::default())
}

/// The only column of a table: its layout and its values.
fn column_with(array: ArrayRef, options: &Value) -> (String, Vec<Js>) {
    let result = read(&table(&[("c", array)]).spec(options));
    assert_eq!(result.end, Ok(()));
    let name: Vec<u16> = "c".encode_utf16().collect();
    let values = result
        .rows
        .into_iter()
        .map(|row| match row {
            Js::Object(mut fields) => fields.remove(&name).unwrap_or(Js::Undefined),
            other => panic!("{other:?}"),
        })
        .collect();
    let layout = result.layouts.concat();
    let layout = layout
        .strip_prefix(r#"{"row":{"rec":[["c","#)
        .and_then(|layout| layout.strip_suffix("]]}}"));
    (layout.unwrap_or("?").to_owned(), values)
}

fn column(array: impl arrow_array::Array + 'static) -> (String, Vec<Js>) {
    column_with(Arc::new(array), &json!({}))
}

fn numbers(values: &[f64]) -> Vec<Js> {
    values.iter().map(|&value| number(value)).collect()
}

fn dates(values: &[f64]) -> Vec<Js> {
    values.iter().map(|&value| Js::Date(value.to_bits())).collect()
}

#[test]
fn numbers_of_all_widths() {
    let expected = numbers(&[1.0, -2.0]);
    assert_eq!(
        column(Int8Array::from(vec![1, -2])),
        ("\"i32\"".to_owned(), expected.clone())
    );
    assert_eq!(
        column(Int32Array::from(vec![1, -2])),
        ("\"i32\"".to_owned(), expected.clone())
    );
    assert_eq!(
        column(Int64Array::from(vec![1, -2])),
        ("\"i32\"".to_owned(), expected.clone())
    );
    assert_eq!(
        column(Float32Array::from(vec![1.0, -2.0])),
        ("\"f64\"".to_owned(), expected.clone())
    );
    assert_eq!(
        column(Float64Array::from(vec![1.0, -2.0])),
        ("\"f64\"".to_owned(), expected)
    );
    let (layout, values) = column(Float64Array::from(vec![-0.0, f64::NAN, f64::INFINITY]));
    assert_eq!(
        (layout.as_str(), values),
        ("\"f64\"", numbers(&[-0.0, f64::NAN, f64::INFINITY]))
    );
    assert_eq!(
        column(UInt32Array::from(vec![u32::MAX])),
        ("\"f64\"".to_owned(), numbers(&[4_294_967_295.0]))
    );
    assert_eq!(
        column(UInt64Array::from(vec![1 << 50])),
        ("\"f64\"".to_owned(), numbers(&[(1_u64 << 50) as f64]))
    );
}

#[test]
fn int64_is_i32_only_when_the_statistics_of_all_row_groups_allow_it() {
    let (layout, values) = column(Int64Array::from(vec![1, 3_000_000_000]));
    assert_eq!((layout.as_str(), values), ("\"f64\"", numbers(&[1.0, 3e9])));

    // The second row group has a large value: the split with the first one decides alike.
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(2))
        .build();
    let large = table_with(
        &[("c", Arc::new(Int64Array::from(vec![1, 2, 3_000_000_000, 4])))],
        properties,
    );
    let layouts: Vec<_> = (0..2)
        .map(|instance| {
            read_split(&large.spec(&json!({})), instance, 2)
                .unwrap()
                .layouts
                .concat()
        })
        .collect();
    assert_eq!(layouts, [r#"{"row":{"rec":[["c","f64"]]}}"#; 2]);

    let without = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let unknown = table_with(&[("c", Arc::new(Int64Array::from(vec![1, 2])))], without);
    assert_eq!(
        read(&unknown.spec(&json!({}))).layouts,
        [r#"{"row":{"rec":[["c","f64?"]]}}"#]
    );
}

#[test]
fn whole_numbers_that_a_double_does_not_hold_are_an_error_unless_told_otherwise() {
    let large = (1_i64 << 53) + 1;
    let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(large)]));
    let file = table(&[("id", ArrayRef::clone(&array))]);
    let error = read_error(&file.spec(&json!({})));
    assert_eq!(error.code, ErrorCode::FormatColumnType);
    assert_eq!(error.context["field"], ErrorValue::Text("id".to_owned()));
    assert_eq!(
        error.context["file"],
        ErrorValue::Text(file.path.display().to_string())
    );
    assert!(
        error.message.contains("9007199254740993") && error.message.contains("int64: 'string'"),
        "{}",
        error.message
    );

    let (layout, values) = column_with(ArrayRef::clone(&array), &json!({"int64": "string"}));
    assert_eq!(
        (layout.as_str(), values),
        ("\"str?\"", vec![text("1"), Js::Null, text("9007199254740993")])
    );
    let (layout, values) = column_with(array, &json!({"int64": "f64"}));
    assert_eq!(
        (layout.as_str(), values),
        ("\"f64?\"", vec![number(1.0), Js::Null, number(large as f64)])
    );
    let (_, values) = column(Int64Array::from(vec![(1 << 53) - 1, -(1 << 53) + 1]));
    assert_eq!(
        values,
        numbers(&[9_007_199_254_740_991.0, -9_007_199_254_740_991.0])
    );
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert_eq!(
        read_error(&table(&[("c", ArrayRef::clone(&unsigned))]).spec(&json!({}))).code,
        ErrorCode::FormatColumnType
    );
    assert_eq!(
        column_with(unsigned, &json!({"int64": "string"})).1,
        [text("18446744073709551615")]
    );
}

#[test]
fn moments_are_dates() {
    let expected = dates(&[1_500_000_000_000.0, -1.0]);
    let micros = TimestampMicrosecondArray::from(vec![1_500_000_000_000_999, -1]);
    assert_eq!(column(micros.clone()), ("\"date\"".to_owned(), expected.clone()));
    assert_eq!(
        column(micros.with_timezone("+02:00")),
        ("\"date\"".to_owned(), expected.clone())
    );
    let nanos = TimestampNanosecondArray::from(vec![1_500_000_000_000_999_999, -1]);
    assert_eq!(column(nanos), ("\"date\"".to_owned(), expected));
    assert_eq!(
        column(TimestampSecondArray::from(vec![2])),
        ("\"date\"".to_owned(), dates(&[2000.0]))
    );
    let days = Date32Array::from(vec![Some(1), None, Some(-1)]);
    let expected = vec![
        Js::Date(86_400_000_f64.to_bits()),
        Js::Null,
        Js::Date((-86_400_000_f64).to_bits()),
    ];
    assert_eq!(column(days), ("\"date?\"".to_owned(), expected));
    assert_eq!(
        column(Time64MicrosecondArray::from(vec![1500])),
        ("\"f64\"".to_owned(), numbers(&[1.5]))
    );
}

#[test]
fn strings_in_all_their_forms() {
    let strings = ["a", "", "é漢😀", "a"];
    let expected: Vec<Js> = strings.iter().map(|string| text(string)).collect();
    assert_eq!(
        column(StringArray::from(strings.to_vec())),
        ("\"str\"".to_owned(), expected.clone())
    );
    assert_eq!(
        column(LargeStringArray::from(strings.to_vec())),
        ("\"str\"".to_owned(), expected.clone())
    );
    assert_eq!(
        column(StringViewArray::from(strings.to_vec())),
        ("\"str\"".to_owned(), expected.clone())
    );
    let dictionary: DictionaryArray<Int32Type> = strings.into_iter().collect();
    assert_eq!(column(dictionary), ("\"str\"".to_owned(), expected));
    let (layout, values) = column(StringArray::from(vec![Some("x"), None]));
    assert_eq!((layout.as_str(), values), ("\"str?\"", vec![text("x"), Js::Null]));
    let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), None, Some("x")].into_iter().collect();
    assert_eq!(column(dictionary).1, [text("x"), Js::Null, text("x")]);
}

#[test]
fn the_other_types() {
    let (layout, values) = column(BooleanArray::from(vec![Some(true), None, Some(false)]));
    assert_eq!(
        (layout.as_str(), values),
        ("\"bool?\"", vec![Js::Bool(true), Js::Null, Js::Bool(false)])
    );
    assert_eq!(column(NullArray::new(2)).0, "\"nil?\"");

    let decimals = || Decimal128Array::from(vec![Some(1250), None, Some(-7)]);
    let short = decimals().with_precision_and_scale(15, 2).unwrap();
    let (layout, values) = column(short);
    assert_eq!(
        (layout.as_str(), values),
        ("\"f64?\"", vec![number(12.5), Js::Null, number(-0.07)])
    );
    let long = decimals().with_precision_and_scale(30, 2).unwrap();
    let (layout, values) = column(long.clone());
    assert_eq!(
        (layout.as_str(), values),
        ("\"str?\"", vec![text("12.50"), Js::Null, text("-0.07")])
    );
    assert_eq!(
        column_with(Arc::new(long), &json!({"decimal": "f64"})).0,
        "\"f64?\""
    );

    let bytes = || Arc::new(BinaryArray::from_vec(vec![b"abc", "é".as_bytes()]));
    let error = read_error(&table(&[("blob", bytes())]).spec(&json!({})));
    assert_eq!(error.code, ErrorCode::FormatColumnType);
    assert!(error.message.contains("binary: 'base64'"), "{}", error.message);
    assert_eq!(
        column_with(bytes(), &json!({"binary": "base64"})).1,
        [text("YWJj"), text("w6k=")]
    );
    assert_eq!(
        column_with(bytes(), &json!({"binary": "utf8"})).1,
        [text("abc"), text("é")]
    );
    let not_text = Arc::new(BinaryArray::from_vec(vec![b"\xFF"]));
    let error = read_error(&table(&[("blob", not_text)]).spec(&json!({"binary": "utf8"})));
    assert_eq!(error.code, ErrorCode::FormatParquet);
}

#[test]
fn structs_are_objects_lists_are_arrays_and_maps_are_objects() {
    let inner = StructArray::from(vec![
        (
            Arc::new(Field::new("x", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("s", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["a", "b", "c", "d"])) as ArrayRef,
        ),
    ]);
    let (fields, arrays, _) = inner.into_parts();
    let outer = StructArray::new(
        fields,
        arrays,
        Some(NullBuffer::from(vec![true, true, false, true])),
    );
    let (layout, values) = column(outer);
    assert_eq!(layout, r#"{"rec":[["x","i32?"],["s","str?"]],"opt":true}"#);
    assert_eq!(
        values,
        [
            object([("x", number(1.0)), ("s", text("a"))]),
            object([("x", Js::Null), ("s", text("b"))]),
            Js::Null,
            object([("x", number(4.0)), ("s", text("d"))]),
        ]
    );

    let mut list = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    list.values().values().append_value("é\"");
    list.values().values().append_null();
    list.values().append(true);
    list.values().append(false);
    list.append(true);
    list.append(false);
    list.append(true);
    list.values().values().append_value("z");
    list.values().append(true);
    list.append(true);
    let (layout, values) = column(list.finish());
    assert_eq!(layout, "\"json?\"");
    let parsed = |json: &str| json_parse(json).unwrap();
    assert_eq!(
        values,
        [
            parsed(r#"[["é\"",null],null]"#),
            Js::Null,
            parsed("[]"),
            parsed(r#"[["z"]]"#)
        ]
    );

    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.keys().append_value("l");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(true).unwrap();
    assert_eq!(
        column(map.finish()).1,
        [parsed(r#"{"k":1,"l":null}"#), parsed("{}")]
    );
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("x");
    map.append(true).unwrap();
    assert_eq!(column(map.finish()).1, [parsed(r#"[[7,"x"]]"#)]);
}

#[test]
fn lists_of_fixed_size_and_rarer_types() {
    let mut pairs = FixedSizeListBuilder::new(Int32Builder::new(), 2);
    for row in 0..3000 {
        pairs.values().append_value(row);
        pairs.values().append_value(-row);
        pairs.append(row % 5 != 0);
    }
    let file = table(&[("c", Arc::new(pairs.finish()))]);
    let result = read(&file.spec(&json!({"batchRows": 700})));
    let expected: Vec<Js> = (0..3000)
        .map(|row| {
            let pair = Js::Array(numbers(&[f64::from(row), f64::from(-row)]));
            object([("c", if row % 5 == 0 { Js::Null } else { pair })])
        })
        .collect();
    assert_eq!(result.rows, expected);

    assert_eq!(
        column(Time32MillisecondArray::from(vec![1500])).1,
        numbers(&[1500.0])
    );
    assert_eq!(
        column(DurationMicrosecondArray::from(vec![1500])).1,
        numbers(&[1.5])
    );
    let decimal = Decimal256Array::from(vec![arrow_buffer::i256::from(-5)])
        .with_precision_and_scale(50, 1)
        .unwrap();
    assert_eq!(column(decimal).1, [text("-0.5")]);
    let intervals = IntervalYearMonthArray::from(vec![1]);
    let error = read_error(&table(&[("c", Arc::new(intervals))]).spec(&json!({})));
    assert_eq!(error.code, ErrorCode::FormatColumnType);
    assert!(error.message.contains("option columns"), "{}", error.message);
}

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
    let mut positions = vec![source.position()];
    while source.next().unwrap().is_some() {
        positions.push(source.position());
    }
    let at = |row_group: u32, row: u32| format!("{{\"rowGroup\":{row_group},\"row\":{row}}}");
    assert_eq!(
        positions,
        [at(0, 0), at(0, 6), at(1, 2), at(1, 8), at(2, 4), at(3, 0)]
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
    let first = (
        r#"{"row":{"rec":[["a","f64"],["b","str"]]}}"#,
        Batch::of_rows(1).f64s(&[1.0]).texts(&["x"]),
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
        result.rows,
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
    let first = || (r#"{"row":{"rec":[["a","f64"]]}}"#, Batch::of_rows(1).f64s(&[1.0]));
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
    assert_eq!(rows[1], object([("a", number(2.0)), ("b", text("x"))]));

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
    assert_eq!(
        rows,
        [
            object([("a", number(1.0))]),
            object([("a", json_parse("[1]").unwrap())])
        ]
    );
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
        while let Some(frame) = source.next().unwrap() {
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
