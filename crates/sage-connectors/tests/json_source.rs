//! JSON documents and the records that come of them, compared with `serde_json`.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use sage_types::{ErrorCode, ErrorValue, SageError};
use serde_json::{Value, json};
use support::{Js, Read, json_parse, number, object, read, read_error, read_split, spec, text};
use tempfile::TempDir;

struct JsonDocument {
    _directory: TempDir,
    path: PathBuf,
}

fn document(content: impl AsRef<[u8]>) -> JsonDocument {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("document.json");
    fs::write(&path, content).unwrap();
    JsonDocument {
        _directory: directory,
        path,
    }
}

fn read_json(content: impl AsRef<[u8]>, options: &Value) -> Read {
    let document = document(content);
    read(&spec("json", &document.path, options))
}

fn rows(content: impl AsRef<[u8]>, options: &Value) -> Vec<Js> {
    let result = read_json(content, options);
    assert_eq!(result.end, Ok(()));
    result.rows
}

fn error(content: impl AsRef<[u8]>, options: &Value) -> SageError {
    let document = document(content);
    read_error(&spec("json", &document.path, options))
}

fn js(value: &Value) -> Js {
    json_parse(&value.to_string()).unwrap()
}

#[test]
fn the_elements_of_an_array_are_records() {
    let a = |value: f64| object([("a", number(value))]);
    for content in [
        "[{\"a\":1},{\"a\":2}]",
        "\u{FEFF} [\r\n  {\r\n    \"a\": 1\r\n  },\r\n  {\"a\"\n:\n2}\n]\n",
        "[{\"a\":1}]\n[]\n[{\"a\":2}]",
        "{\"a\":1}{\"a\":2}",
        "{\"a\":1}\n[{\"a\":2}]",
    ] {
        assert_eq!(rows(content, &json!({})), [a(1.0), a(2.0)], "{content}");
    }
    for content in ["", " \n", "[]", "[ \n ]", "[][]"] {
        assert_eq!(rows(content, &json!({})), [], "{content:?}");
    }
    assert_eq!(
        rows("[1,\"a\\\"]\",null,[true,[]],{}] 7 \"x\"", &json!({})),
        [
            number(1.0),
            text("a\"]"),
            Js::Null,
            Js::Array(vec![Js::Bool(true), Js::Array(vec![])]),
            object([]),
            number(7.0),
            text("x")
        ]
    );
}

#[test]
fn a_path_leads_to_the_records() {
    let content = r#"{"skip":{"rows":[9],"s":"}]"},"n":-1.5,"result":{"rows":[{"a":1},{"a":2}],"more":[[]]},"end":true}"#;
    let expected = [object([("a", number(1.0))]), object([("a", number(2.0))])];
    assert_eq!(rows(content, &json!({"at": ["result", "rows"]})), expected);
    assert_eq!(
        rows(content, &json!({"at": ["result", "rows", "1"]})),
        expected[1..]
    );
    assert_eq!(rows(content, &json!({"at": ["n"]})), [number(-1.5)]);
    assert_eq!(
        rows(
            format!("{content}\n{content}"),
            &json!({"at": ["result", "rows"]})
        ),
        [&expected[..], &expected[..]].concat()
    );
    assert_eq!(
        rows(r#"[0,{"a/b":[1]}]"#, &json!({"at": ["1", "a/b"]})),
        [number(1.0)]
    );
    assert_eq!(
        rows(
            r#"{"rows":[{"a":1,"b":2}]}"#,
            &json!({"at": ["rows"], "columns": ["b"]})
        ),
        [object([("b", number(2.0))])]
    );
    for (at, what) in [
        (json!(["result", "lines"]), "does not have"),
        (json!(["n", "rows"]), "no object"),
        (json!(["result", "rows", "2"]), "does not have"),
    ] {
        let error = error(content, &json!({ "at": at }));
        assert_eq!(error.code, ErrorCode::FormatJson);
        assert!(error.message.contains(what), "{at}: {}", error.message);
    }
}

#[test]
fn what_is_malformed_is_said_where_it_is() {
    let good = "[\n  {\"a\": 1},\n  {\"a\": 2}";
    for (rest, line, column, what, count) in [
        (",\n  {\"a\": 3,}\n]", 4, 11, "another field", 2),
        (",\n\n]", 5, 1, "a value is missing", 2),
        (",,1]", 3, 12, "a value is missing", 2),
        (" {\"a\": 3}]", 3, 12, "a comma or ]", 1),
        (",\n \"x\ny\"]", 4, 4, "ends inside a string", 2),
        (",\n tru]", 4, 2, "not a JSON value", 2),
        (",\n [1}]", 4, 4, "a comma or ]", 2),
    ] {
        let result = read_json(format!("{good}{rest}"), &json!({}));
        let error = result.end.unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatJson);
        assert!(error.message.contains(what), "{rest:?}: {}", error.message);
        assert_eq!(
            (&error.context["line"], &error.context["column"]),
            (
                &ErrorValue::Number(line.into()),
                &ErrorValue::Number(column.into())
            ),
            "{rest:?}: {}",
            error.message
        );
        assert_eq!(result.rows.len(), count, "{rest:?}");
    }
    for (content, what) in [
        ("[1,2", "inside the array"),
        ("[1,", "inside the array"),
        ("{\"a\":", "inside a record"),
        ("\"abc", "inside a record"),
        ("]", "a value is missing"),
        ("[1]]", "a value is missing"),
        ("nul", "not a JSON value"),
    ] {
        let error = error(content, &json!({}));
        assert_eq!(error.code, ErrorCode::FormatJson);
        assert!(error.message.contains(what), "{content}: {}", error.message);
    }
    // What is shown is what the file has, and its end is on its last line.
    for (content, at, message) in [
        (
            "[1",
            None,
            "line 1, byte 2: the file ends inside the array of records: 1",
        ),
        (
            "[",
            None,
            "line 1, byte 1: the file ends inside the array of records",
        ),
        (
            "[\n1,\ntrue",
            None,
            "line 3, column 5: the file ends inside the array of records: true",
        ),
        ("[1,2] x", None, "line 1, byte 6: this is not a JSON value: x"),
        (
            "[1x]",
            None,
            "line 1, column 3: the line goes on behind the value: [1x]",
        ),
        (
            "{\"a\":[1],\"a\":2}",
            Some("a"),
            "is there twice: {\"a\":[1],\"a\":2}",
        ),
    ] {
        let error = error(content, &at.map_or_else(|| json!({}), |at| json!({ "at": [at] })));
        assert!(error.message.ends_with(message), "{content}: {}", error.message);
    }
    let bad = read_json(b"[1,2,\n\"\xFF\",3]", &json!({}));
    assert_eq!(bad.rows, [number(1.0), number(2.0)]);
    let bad = bad.end.unwrap_err();
    assert_eq!(
        (bad.code, &bad.context["line"], &bad.context["byte"]),
        (
            ErrorCode::FormatUtf8,
            &ErrorValue::Number(2.0),
            &ErrorValue::Number(7.0)
        )
    );
}

#[test]
fn lines_are_counted_over_many_blocks() {
    for line_end in ["\n", "\r\n"] {
        let mut content = format!(
            "{{\"before\": [{}],{line_end}\"rows\": [{line_end}",
            "1,2,".repeat(200_000) + "3"
        );
        for n in 0..50_000 {
            let _ = write!(content, "{{\"n\":{line_end}{line_end}{n}}},{line_end}");
        }
        content += "oops]}";
        let result = read_json(&content, &json!({"at": ["rows"]}));
        assert_eq!(result.rows.len(), 50_000);
        let error = result.end.unwrap_err();
        assert_eq!(
            error.context["line"],
            ErrorValue::Number(150_003.0),
            "{line_end:?} {}",
            error.message
        );
        assert_eq!(error.context["column"], ErrorValue::Number(1.0));
    }
}

#[test]
fn one_instance_reads_it_all() {
    let document = document("[1,2,3]");
    let spec = spec("json", &document.path, &json!({}));
    assert_eq!(read_split(&spec, 0, 3).unwrap().rows.len(), 3);
    assert_eq!(read_split(&spec, 1, 3).unwrap().rows, []);
}

#[test]
fn a_record_that_is_too_long_is_an_error_wherever_it_is() {
    let long = format!("[1,\"{}\"]", "x".repeat(2000));
    let result = read_json(&long, &json!({"maxRecordBytes": 1000}));
    assert_eq!(result.end.unwrap_err().code, ErrorCode::FormatRecord);
    let open = error(
        format!("[\"{}", "x".repeat(2_000_000)),
        &json!({"maxRecordBytes": 1000}),
    );
    assert_eq!(open.code, ErrorCode::FormatRecord);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\\\[\\]{},é😀\n]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab\"\\]]{0,2}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn elements_are_those_that_serde_json_reads(
        elements in prop::collection::vec(value(), 0..30),
        pretty in any::<bool>(),
        deep in any::<bool>(),
        batch_rows in 1_usize..9,
    ) {
        let array = Value::from(elements.clone());
        let content = if deep { json!({"x": array, "rows": array, "y": 1}) } else { array };
        let content = if pretty { serde_json::to_string_pretty(&content).unwrap() } else { content.to_string() };
        let at = if deep { json!(["rows"]) } else { json!([]) };
        let found = rows(&content, &json!({"at": at, "batchRows": batch_rows}));
        prop_assert_eq!(found, elements.iter().map(js).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_end_in_records_or_an_error(
        content in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}\",:\\\\ \n\ra1-]{0,120}".prop_map(String::into_bytes),
        ],
        deep in any::<bool>(),
    ) {
        let result = read_json(&content, &json!({"at": if deep { json!(["a"]) } else { json!([]) }}));
        let parsed = serde_json::Deserializer::from_slice(&content).into_iter::<Value>().collect::<Result<Vec<_>, _>>();
        if !deep && let Ok(documents) = parsed {
            // What is JSON has its records.
            let expected: Vec<Js> = documents.iter().flat_map(|document| match document {
                Value::Array(elements) => elements.iter().map(js).collect(),
                other => vec![js(other)],
            }).collect();
            prop_assert_eq!(result.end, Ok(()));
            prop_assert_eq!(result.rows, expected);
        }
    }
}
