//! JSON lines as records: batches, errors, files of all kinds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;
use std::io::Write as _;

use proptest::prelude::*;
use sage_types::{ErrorCode, ErrorValue};
use serde_json::json;
use support::json_file::{jsonl, lines};
use support::{Js, json_parse, next_rows, number, object, read, read_error, read_split, spec, text};

#[test]
fn batches_have_at_most_so_many_rows_and_bytes() {
    let file = lines("{\"a\":1}\n".repeat(2500));
    assert_eq!(read(&jsonl(&file.path)).frame_rows, [1024, 1024, 452]);
    let result = read(&spec("jsonLines", &file.path, &json!({"batchRows": 2000})));
    assert_eq!(result.frame_rows, [2000, 500]);
    assert!(
        result.position.contains(&format!("\"byte\":{}", 2500 * 8)),
        "{}",
        result.position
    );
    let file = lines(format!("{{\"a\":\"{}\"}}\n", "x".repeat(1000)).repeat(1000));
    assert!(
        read(&jsonl(&file.path))
            .frame_rows
            .iter()
            .all(|&rows| rows <= 130)
    );
}

#[test]
fn a_projection_keeps_the_columns_it_names() {
    let file = lines(concat!(
        "{\"a\":1,\"skip\":{\"x\":[1,2,{\"y\":\"}\"}]},\"b\":\"x\",\"z\":\"\\ud83d\"}\n",
        "{\"b\":\"y\",\"a\":2,\"\\udc00\":3}\n{\"skip\":\"\\\"\",\"n\":null}\n7\n{\"a\":3,\"c\":1}\n"
    ));
    let result = read(&spec(
        "jsonLines",
        &file.path,
        &json!({"columns": ["b", "a", "absent"]}),
    ));
    assert_eq!(result.end, Ok(()));
    assert_eq!(
        result.rows,
        [
            object([("a", number(1.0)), ("b", text("x"))]),
            object([("a", number(2.0)), ("b", text("y"))]),
            object([]),
            number(7.0),
            object([("a", number(3.0))]),
        ]
    );
    // What is skipped must be JSON all the same.
    let file = lines("{\"a\":1,\"skip\":tru}\n");
    let error = read_error(&spec("jsonLines", &file.path, &json!({"columns": ["a"]})));
    assert_eq!(
        (error.code, error.context["byte"].clone()),
        (ErrorCode::FormatJson, ErrorValue::Number(14.0))
    );
}

#[test]
fn a_broken_line_ends_it_all_and_is_named() {
    let file = lines("{\"a\":1}\r\n\r\n{\"a\":2}\r\n{\"a\":3,}\r\n{\"a\":4}\r\n");
    let result = read(&jsonl(&file.path));
    assert_eq!(
        result.rows,
        [object([("a", number(1.0))]), object([("a", number(2.0))])]
    );
    let error = result.end.unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatJson);
    assert_eq!(
        error.context["file"],
        ErrorValue::Text(file.path.display().to_string())
    );
    assert_eq!(error.context["line"], ErrorValue::Number(4.0));
    assert_eq!(error.context["byte"], ErrorValue::Number(27.0));
    assert_eq!(
        error.context["excerpt"],
        ErrorValue::Text("{\"a\":3,}".to_owned())
    );
    assert_eq!(
        error.message,
        format!(
            "{}, line 4, byte 27: a comma must be followed by another field: {{\"a\":3,}}",
            file.path.display()
        )
    );
    // A line that is cut off in the middle of a type change is broken, not wider.
    let file = lines("{\"a\":1}\n{\"a\":\"x");
    let result = read(&jsonl(&file.path));
    assert_eq!((result.rows.len(), result.layouts.len()), (1, 1));
    assert!(
        result
            .end
            .unwrap_err()
            .message
            .contains("the line ends inside a string")
    );
}

#[test]
fn a_broken_line_of_a_later_split_has_its_line_number_in_the_file() {
    let mut content: Vec<String> = (0..10_000).map(|row| format!("{{\"row\":{row}}}")).collect();
    content[9_000] = "{\"row\":9000".to_owned();
    let file = lines(content.join("\n"));
    let errors: Vec<_> = (0..4)
        .filter_map(|instance| read_split(&jsonl(&file.path), instance, 4).unwrap().end.err())
        .collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].context["line"], ErrorValue::Number(9001.0));
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_or_replaced() {
    let file = lines(b"{\"a\":\"good\"}\n{\"a\":\"b\xFFd\"}\n\xC3\n{\"a\":\"good\"}\n");
    let result = read(&jsonl(&file.path));
    assert_eq!(result.rows.len(), 1);
    let error = result.end.unwrap_err();
    assert_eq!(
        (error.code, &error.context["byte"]),
        (ErrorCode::FormatUtf8, &ErrorValue::Number(20.0))
    );
    assert_eq!(error.context["line"], ErrorValue::Number(2.0));

    let file = lines(b"{\"a\":\"good\"}\n{\"a\":\"b\xFFd\"}\n\"\xC3\"\n{\"a\":\"good\"}\n\"\xE2\x82\"");
    let result = read(&spec("jsonLines", &file.path, &json!({"invalidUtf8": "replace"})));
    assert_eq!(result.end, Ok(()));
    assert_eq!(result.statistics.replaced_lines, 3);
    let a = |value| object([("a", text(value))]);
    assert_eq!(
        result.rows,
        [
            a("good"),
            a("b\u{FFFD}d"),
            text("\u{FFFD}"),
            a("good"),
            text("\u{FFFD}")
        ]
    );
}

#[test]
fn files_that_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.jsonl");
    for (path, code) in [
        (missing.as_path(), ErrorCode::IoNotFound),
        (directory.path(), ErrorCode::IoNotFound),
        (&missing.join("below"), ErrorCode::IoNotFound),
    ] {
        let error = read_error(&jsonl(path));
        assert_eq!(error.code, code, "{}", error.message);
        assert_eq!(
            error.context["file"],
            ErrorValue::Text(path.display().to_string())
        );
        assert_eq!(sage_connectors::probe(&jsonl(path)).unwrap_err().code, code);
    }
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(
        read_error(&jsonl(&file.join("below"))).code,
        ErrorCode::IoNotAFile
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_by_the_first_instance_and_its_lines_do_not_wait_for_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let pipe = path.clone();
    let (proceed, may_proceed) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(pipe).unwrap();
        pipe.write_all(b"{\"a\":1}\n{\"a\":2}\n{\"a\"").unwrap();
        may_proceed.recv().unwrap();
        pipe.write_all(b":3}").unwrap();
    });
    let registry = std::sync::Arc::new(sage_frame::LayoutRegistry::new());
    let mut source =
        sage_connectors::open_source(&jsonl(&path), sage_connectors::SourceSplit::WHOLE, registry).unwrap();
    assert_eq!(next_rows(source.as_mut()).unwrap(), 2);
    proceed.send(()).unwrap();
    assert_eq!(next_rows(source.as_mut()).unwrap(), 1);
    assert_eq!(next_rows(source.as_mut()).unwrap(), 0);
    writer.join().unwrap();
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let file = lines("{\"a\":1}\n".repeat(10));
    let error = read_error(&spec(
        "jsonLines",
        &file.path,
        &json!({"files": [{"path": file.path, "bytes": 1000, "compression": "none"}]}),
    ));
    assert_eq!(
        (error.code, &error.context["byte"]),
        (ErrorCode::IoTruncated, &ErrorValue::Number(80.0))
    );
}

/// JSON texts in many forms: white space, escapes, duplicate names, all types.
fn json_text() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>()
            .prop_filter("JSON has no such", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
        any::<i64>().prop_map(|number| number.to_string()),
        (any::<i32>(), 0..400_i32).prop_map(|(digits, places)| format!("{digits}e-{places}")),
        ("-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?"),
    ];
    let string = prop_oneof![
        "[a-z]{0,20}".prop_map(|text| format!("\"{text}\"")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        proptest::collection::vec(any::<u16>(), 0..6).prop_map(|units| format!(
            "\"{}\"",
            units
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>()
        )),
    ];
    let leaf = prop_oneof![
        3 => number,
        3 => string,
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        2 => Just("null".to_owned()),
    ];
    let name = prop_oneof![
        9 => "[a-e]".prop_map(|name| format!("\"{name}\"")),
        1 => Just("\"\\u0061\"".to_owned()),
        1 => Just("\"long name with é\"".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        let space = "[ \t\r]{0,2}";
        prop_oneof![
            4 => (proptest::collection::vec((name.clone(), space, inner.clone()), 0..6)).prop_map(|fields| {
                let fields: Vec<String> =
                    fields.into_iter().map(|(name, space, value)| format!("{space}{name}{space}:{space}{value}{space}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
            1 => proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(" ,"))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_oracle_agrees_with_serde_json(line in json_text()) {
        // serde_json refuses unpaired surrogates and numbers beyond the range; where it does not, both must agree.
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&line) {
            prop_assert_eq!(json_parse(&line), Some(from_serde(&value)));
        }
    }

    #[test]
    fn any_lines_at_any_parallelism_are_delivered_once_and_in_order(
        records in proptest::collection::vec((json_text(), prop_oneof!["\n", "\r\n", "\n\n", " \r\n\t\n"]), 0..40),
        end_of_file in any::<bool>(),
        mark in any::<bool>(),
        instances in 1..9_u32,
        batch_rows in 1..50_usize,
    ) {
        let mut content = String::from(if mark { "\u{FEFF}" } else { "" });
        let last = records.len().saturating_sub(1);
        for (index, (record, line_end)) in records.iter().enumerate() {
            content.push_str(record);
            if index < last || end_of_file {
                content.push_str(line_end);
            }
        }
        let file = lines(&content);
        let spec = spec("jsonLines", &file.path, &json!({"batchRows": batch_rows}));
        let mut rows = Vec::new();
        for instance in 0..instances {
            let split = read_split(&spec, instance, instances).unwrap();
            prop_assert_eq!(split.end, Ok(()));
            rows.extend(split.rows);
        }
        let expected: Vec<Js> = records.iter().map(|(record, _)| json_parse(record).unwrap()).collect();
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn a_projection_is_the_record_without_the_other_fields(
        records in proptest::collection::vec(json_text(), 1..20),
        columns in proptest::collection::btree_set("[a-f]", 0..4),
    ) {
        let file = lines(records.join("\n"));
        let result = read(&spec("jsonLines", &file.path, &json!({"columns": columns})));
        let expected: Vec<Js> = records
            .iter()
            .map(|record| match json_parse(record).unwrap() {
                Js::Object(mut fields) => {
                    fields.retain(|name, _| columns.contains(&String::from_utf16_lossy(name)));
                    Js::Object(fields)
                }
                other => other,
            })
            .collect();
        prop_assert_eq!(result.end, Ok(()));
        prop_assert_eq!(result.rows, expected);
    }

    #[test]
    fn a_damaged_line_is_judged_as_json_parse_judges_it(
        record in json_text(),
        at in any::<prop::sample::Index>(),
        damage in prop_oneof![Just(None), prop::sample::select(b"{}[]\",:\\ 0.-eEnt\x01\x7fu".to_vec()).prop_map(Some)],
        insert in any::<bool>(),
    ) {
        let mut bytes = record.into_bytes();
        let at = at.index(bytes.len());
        match damage {
            None => { bytes.remove(at); }
            Some(byte) if insert => bytes.insert(at, byte),
            Some(byte) => bytes[at] = byte,
        }
        let Ok(line) = String::from_utf8(bytes) else { return Ok(()) };
        let file = lines(format!("{line}\n"));
        let result = read(&jsonl(&file.path));
        let empty = line.trim_matches([' ', '\t', '\r']).is_empty();
        match json_parse(&line) {
            Some(value) => {
                prop_assert_eq!(result.end, Ok(()), "{}", line);
                prop_assert_eq!(result.rows, [value]);
            }
            None if empty => prop_assert!(result.end.is_ok() && result.rows.is_empty()),
            None => {
                let error = result.end.expect_err(&line);
                prop_assert_eq!(error.code, ErrorCode::FormatJson);
                prop_assert_eq!(&error.context["line"], &ErrorValue::Number(1.0));
            }
        }
    }
}

fn from_serde(value: &serde_json::Value) -> Js {
    use serde_json::Value;
    match value {
        Value::Null => Js::Null,
        Value::Bool(value) => Js::Bool(*value),
        Value::Number(value) => number(value.as_f64().unwrap()),
        Value::String(value) => text(value),
        Value::Array(items) => Js::Array(items.iter().map(from_serde).collect()),
        Value::Object(fields) => Js::Object(
            fields
                .iter()
                .map(|(name, value)| (name.encode_utf16().collect(), from_serde(value)))
                .collect(),
        ),
    }
}
