//! JSON lines as records: what each value becomes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use sage_types::ErrorCode;
use serde_json::json;
use support::json_file::{assert_as_json_parse, jsonl, lines};
use support::{next_rows, read_error, spec};

#[test]
fn objects_become_columns() {
    let result = assert_as_json_parse(
        "{\"id\":1,\"name\":\"a\",\"ok\":true}\n{\"id\":2.5,\"name\":\"b\",\"ok\":false}\n",
    );
    assert_eq!(
        result.layouts,
        [r#"{"row":{"rec":[["id","f64"],["name","str"],["ok","bool"]]}}"#]
    );
    assert_eq!(result.frame_rows, [2]);
}

#[test]
fn nested_objects_become_records_and_arrays_become_json() {
    let result = assert_as_json_parse(concat!(
        r#"{"user":{"id":7,"address":{"city":"Ulm"}},"tags":["a",1,{"b":null}]}"#,
        "\n",
        r#"{"user":{"id":8,"address":{"city":"Bonn"}},"tags":[]}"#
    ));
    assert_eq!(
        result.layouts,
        [
            r#"{"row":{"rec":[["user",{"rec":[["id","f64"],["address",{"rec":[["city","str"]]}]]}],["tags","json"]]}}"#
        ]
    );
}

#[test]
fn null_and_missing_widen_without_ending_the_batch() {
    let result = assert_as_json_parse(concat!(
        "{\"a\":1,\"r\":{\"x\":\"é\"}}\n{\"a\":null}\n{\"b\":\"late\",\"r\":null}\n{}\n{\"r\":{\"y\":1},\"n\":null}\n",
        "{\"n\":null,\"a\":3}\n"
    ));
    assert_eq!(result.frame_rows, [6]);
    assert_eq!(
        result.layouts,
        [
            r#"{"row":{"rec":[["a","f64?"],["r",{"rec":[["x","str?"],["y","f64?"]],"opt":true}],["b","str?"],["n","nil?"]]}}"#
        ]
    );
}

#[test]
fn a_field_of_several_types_becomes_json_after_the_rows_before_were_handed_over() {
    let result = assert_as_json_parse(
        "{\"v\":1}\n{\"v\":2}\n{\"v\":\"x\"}\n{\"v\":{\"a\":1}}\n{\"v\":null}\n{}\n{\"v\":3}\n",
    );
    assert_eq!(result.frame_rows, [2, 5]);
    assert_eq!(
        result.layouts,
        [
            r#"{"row":{"rec":[["v","f64"]]}}"#,
            r#"{"row":{"rec":[["v","json?"]]}}"#
        ]
    );
}

#[test]
fn a_record_need_not_be_an_object() {
    let result = assert_as_json_parse("1\n2\n");
    assert_eq!(result.layouts, [r#"{"row":"f64"}"#]);
    assert_as_json_parse("\"a\"\nnull\n\"b\"\n");
    assert_as_json_parse("[1,2]\n[3]\n");
    assert_as_json_parse("null\n");
    let result = assert_as_json_parse("{\"a\":1}\n7\n[true]\nnull\n{\"a\":2}\n");
    assert_eq!(result.layouts.last().unwrap(), r#"{"row":"json"}"#);
}

#[test]
fn numbers_are_those_of_json_parse() {
    assert_as_json_parse(concat!(
        "{\"n\":-0}\n{\"n\":0.1}\n{\"n\":1e999}\n{\"n\":-1e999}\n{\"n\":5e-324}\n{\"n\":9007199254740993}\n",
        "{\"n\":123456789012345678901234567890}\n{\"n\":1.7976931348623157e308}\n{\"n\":0.1e-6}\n{\"n\":1E2}\n"
    ));
}

#[test]
fn the_last_of_several_fields_with_one_name_counts() {
    assert_as_json_parse(concat!(
        "{\"a\":1,\"a\":2}\n{\"a\":3,\"b\":\"x\",\"a\":4,\"b\":\"yy\"}\n",
        "{\"o\":{\"p\":\"q\"},\"o\":{\"p\":\"rr\"},\"a\":1}\n",
        "{\"a\":1,\"a\":null}\n{\"a\":null,\"a\":1}\n{\"o\":{\"p\":\"q\"},\"o\":null}\n{\"o\":null,\"o\":{\"p\":\"1\",\"p\":\"2\"}}\n",
        "{\"a\":\"text\",\"a\":5}\n{\"o\":{\"p\":\"q\",\"s\":1},\"o\":{}}\n"
    ));
}

#[test]
fn proto_is_a_field_like_any_other() {
    let result = assert_as_json_parse("{\"__proto__\":{\"x\":1},\"constructor\":\"c\",\"\":0}\n");
    assert_eq!(
        result.layouts,
        [r#"{"row":{"rec":[["__proto__",{"rec":[["x","f64"]]}],["constructor","str"],["","f64"]]}}"#]
    );
}

#[test]
fn names_may_be_escaped() {
    assert_as_json_parse(
        "{\"a\\u0062\":1,\"c\\n\":\"x\"}\n{\"ab\":2,\"c\\u000a\":\"y\"}\n{\"ab\":1,\"a\\u0062\":5}\n",
    );
}

#[test]
fn unpaired_surrogates_survive() {
    let result = assert_as_json_parse(concat!(
        "{\"s\":\"plain\",\"t\":\"é\"}\n{\"s\":\"\\ud83d\",\"t\":\"😀\"}\n{\"s\":\"\\ude00\\ud83d\\ude00\",\"t\":\"x\"}\n",
        "{\"s\":\"é漢😀\",\"t\":\"\\ud83d\\ude00\"}\n"
    ));
    assert_eq!(result.frame_rows, [4]);
    // In arrays they stay escapes.
    assert_as_json_parse("{\"s\":[\"\\ud83d\"]}\n");
    // In names no layout can hold them.
    let result = assert_as_json_parse("{\"a\":1}\n{\"\\ud83d\":1}\n{\"o\":{\"\\udc00\":{}}}\n");
    assert_eq!(result.layouts.last().unwrap(), r#"{"row":"json"}"#);
    let result = assert_as_json_parse("{\"a\":1,\"o\":{\"x\":1}}\n{\"a\":1,\"o\":{\"\\udc00\":2}}\n");
    assert_eq!(
        result.layouts.last().unwrap(),
        r#"{"row":{"rec":[["a","f64"],["o","json"]]}}"#
    );
}

#[test]
fn byte_order_mark_line_ends_and_empty_lines() {
    let result = assert_as_json_parse("\u{FEFF}{\"a\":1}\r\n\r\n  \t\n\n{ \"a\" :\t2 } \r\n{\"a\":3}");
    assert_eq!(result.statistics.empty_lines, 3);
    assert_eq!(result.statistics.records, 3);
    for content in ["", "\n", "\n\n\r\n", "\u{FEFF}"] {
        assert_eq!(assert_as_json_parse(content).rows.len(), 0);
    }
    // More empty lines than a batch has bytes are not the end.
    let result = assert_as_json_parse(&format!("1\n{}2\n", "\n".repeat(1_000_000)));
    assert_eq!(result.statistics.empty_lines, 1_000_000);
}

#[test]
fn lines_may_be_of_many_megabytes() {
    let long = "x".repeat(9_000_000);
    let items = (0..500_000)
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let result = assert_as_json_parse(&format!(
        "{{\"a\":\"short\"}}\n{{\"a\":\"{long}\"}}\n{{\"a\":\"s\",\"l\":[{items}]}}\n{{\"a\":\"é{long}\\u0041\"}}\n{{\"a\":\"end\"}}"
    ));
    assert_eq!(result.rows.len(), 5);
}

#[test]
fn a_line_longer_than_the_limit_is_an_error() {
    let file = lines(format!("1\n\"{}\"\n", "x".repeat(2_000_000)));
    let error = read_error(&spec(
        "jsonLines",
        &file.path,
        &json!({"maxLineBytes": 1_000_000}),
    ));
    assert_eq!(error.code, ErrorCode::FormatRecord);
    assert!(error.message.contains("maxLineBytes"), "{}", error.message);
}

#[test]
fn depth_beyond_what_columns_allow_becomes_json() {
    let deep = |depth: usize| "{\"d\":".repeat(depth) + "1" + &"}".repeat(depth);
    assert_as_json_parse(&(deep(5) + "\n" + &deep(100) + "\n"));
    let file = lines("[".repeat(300_000) + &"]".repeat(300_000));
    // The oracle of the test is recursive: only count.
    let registry = std::sync::Arc::new(sage_frame::LayoutRegistry::new());
    let mut source =
        sage_connectors::open_source(&jsonl(&file.path), sage_connectors::SourceSplit::WHOLE, registry)
            .unwrap();
    assert_eq!(next_rows(source.as_mut()).unwrap(), 1);
}

#[test]
fn objects_used_as_maps_become_json() {
    let content: String = (0..300)
        .map(|row| format!("{{\"id\":{row},\"counts\":{{\"u{row}\":1,\"v{row}\":2}}}}\n"))
        .collect();
    let result = assert_as_json_parse(&content);
    assert_eq!(
        result.layouts.last().unwrap(),
        r#"{"row":{"rec":[["id","f64"],["counts","json"]]}}"#
    );

    let content: String = (0..2000).map(|row| format!("{{\"f{row}\":{row}}}\n")).collect();
    let result = assert_as_json_parse(&content);
    assert_eq!(result.layouts.last().unwrap(), r#"{"row":"json"}"#);
    assert!(result.layouts.len() <= 3);
}

#[test]
fn an_edge_sees_a_bounded_number_of_layouts() {
    // Each field in turn changes its type, each time after a few good rows.
    let mut content = String::new();
    for turn in 0..200 {
        for row in 0..3 {
            content.push('{');
            for field in 0..200 {
                let value = if field == turn && row == 2 { "\"x\"" } else { "1" };
                content.push_str(&format!(
                    "{}\"f{field}\":{value}",
                    if field > 0 { "," } else { "" }
                ));
            }
            content.push_str("}\n");
        }
    }
    let result = assert_as_json_parse(&content);
    assert!(result.layouts.len() <= 64, "{}", result.layouts.len());
    assert_eq!(result.layouts.last().unwrap(), r#"{"row":"json"}"#);
}
