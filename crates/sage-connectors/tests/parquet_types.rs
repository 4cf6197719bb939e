//! What the types of a Parquet file become.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationMicrosecondArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array,
    IntervalYearMonthArray, LargeStringArray, NullArray, StringArray, StringViewArray, StructArray,
    Time32MillisecondArray, Time64MicrosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt32Array, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sage_types::{ErrorCode, ErrorValue};
use serde_json::{Value, json};
use support::table::{table, table_with};
use support::{Js, json_parse, number, object, read, read_error, read_split, text};
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
