//! CSV files and the records that come of them.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fmt::Write as _;

use sage_types::{ErrorCode, ErrorValue};
use serde_json::json;
use support::csv_file::{error, file, read_csv, rows};
use support::{Js, number, object, read_error, spec, text};

#[test]
fn cells_become_fields_of_the_types_that_the_first_records_suggest() {
    assert_eq!(
        rows(
            "id,price,name,ok,zip\n1,2.50,lamp,true,01234\n2,,\"desk, oak\",FALSE,99999\n",
            &json!({})
        ),
        [
            object([
                ("id", number(1.0)),
                ("price", number(2.5)),
                ("name", text("lamp")),
                ("ok", Js::Bool(true)),
                ("zip", text("01234")),
            ]),
            object([
                ("id", number(2.0)),
                ("price", Js::Null),
                ("name", text("desk, oak")),
                ("ok", Js::Bool(false)),
                ("zip", text("99999")),
            ]),
        ]
    );
}

#[test]
fn line_ends_of_every_kind_end_records_and_quoted_ones_do_not() {
    let expected = [
        object([("a", text("x")), ("b", text("1\n2"))]),
        object([("a", text("y")), ("b", text("\r\n"))]),
        object([("a", text("z")), ("b", text("\""))]),
    ];
    for line_end in ["\n", "\r\n", "\r"] {
        for last in ["", line_end] {
            let lines = ["a,b", "x,\"1\n2\"", "y,\"\r\n\"", "z,\"\"\"\""].join(line_end) + last;
            assert_eq!(rows(&lines, &json!({})), expected, "{lines:?}");
        }
    }
}

#[test]
fn empty_lines_comments_and_a_byte_order_mark_are_no_records() {
    let result = read_csv(
        "\u{FEFF}\n# made by hand\na,b\n\n1,2\n#,\"\n\r\n3,4\n\n",
        &json!({"comment": "#"}),
    );
    assert_eq!(
        result.rows,
        [
            object([("a", number(1.0)), ("b", number(2.0))]),
            object([("a", number(3.0)), ("b", number(4.0))]),
        ]
    );
    assert_eq!((result.end, result.statistics.empty_lines), (Ok(()), 3));
    assert_eq!(rows("", &json!({})), []);
    assert_eq!(rows("\n\n", &json!({})), []);
    assert_eq!(rows("a,b\n", &json!({"columns": ["a"]})), []);
}

#[test]
fn names_come_from_the_header_from_the_user_or_from_nowhere() {
    let two = |a: &str, b: &str| {
        [Js::Object(
            [(a, number(1.0)), (b, text("x"))]
                .map(|(name, value)| (name.encode_utf16().collect(), value))
                .into(),
        )]
    };
    assert_eq!(
        rows("1,x\n", &json!({"header": false})),
        two("column0", "column1")
    );
    assert_eq!(rows("1,x\n", &json!({"header": ["n", "s"]})), two("n", "s"));
    assert_eq!(rows(",s\n1,x\n", &json!({})), two("column0", "s"));
    assert_eq!(
        rows("made\r\nby, hand\"\nn,\"s\"\n1,x\n", &json!({"skipLines": 2})),
        two("n", "s")
    );
    let twice = error("n,s,n\n1,x,2\n", &json!({}));
    assert_eq!(twice.code, ErrorCode::FormatCsv);
    assert!(
        twice.message.contains("header: ['a', 'b' ...], skipLines: 1"),
        "{twice:?}"
    );
    assert_eq!(
        rows(
            "n,s,n\n1,x,2\n",
            &json!({"header": ["n", "s", "m"], "skipLines": 1})
        )
        .len(),
        1
    );
}

#[test]
fn a_value_that_does_not_fit_an_inferred_type_stays_what_is_written() {
    let mut lines = "n,b\n".to_owned();
    for n in 0..1500 {
        let _ = writeln!(lines, "{n},true");
    }
    lines += "n/a,maybe\n007,true\n,\n12345678901234567890,FALSE\n1.5,true\n";
    let found = rows(&lines, &json!({}));
    let pair = |n: Js, b: Js| object([("n", n), ("b", b)]);
    assert_eq!(
        found[1499..],
        [
            pair(number(1499.0), Js::Bool(true)),
            pair(text("n/a"), text("maybe")),
            pair(text("007"), Js::Bool(true)),
            pair(Js::Null, Js::Null),
            pair(text("12345678901234567890"), Js::Bool(false)),
            pair(number(1.5), Js::Bool(true)),
        ]
    );
    // Within the first records there is no number: they decide.
    let found = rows("n\nn/a\n1\n", &json!({}));
    assert_eq!(found, [object([("n", text("n/a"))]), object([("n", text("1"))])]);
    let found = rows("n\n1\nn/a\n", &json!({"inferRows": 1}));
    assert_eq!(
        found,
        [object([("n", number(1.0))]), object([("n", text("n/a"))])]
    );
}

#[test]
fn given_types_are_kept_or_the_record_is_bad() {
    let types = json!({"n": "number", "b": "boolean", "d": "date", "j": "json", "s": "string"});
    assert_eq!(
        rows(
            "n,b,d,j,s\n007,1,2024-02-29,\"{\"\"a\"\":\n[1]}\",7\n,,,,\n",
            &json!({ "types": types })
        ),
        [
            object([
                ("n", number(7.0)),
                ("b", Js::Bool(true)),
                ("d", Js::Date(1_709_164_800_000_f64.to_bits())),
                ("j", object([("a", Js::Array(vec![number(1.0)]))])),
                ("s", text("7")),
            ]),
            object([
                ("n", Js::Null),
                ("b", Js::Null),
                ("d", Js::Null),
                ("j", Js::Null),
                ("s", text("")),
            ]),
        ]
    );
    for (column, cell, expected) in [
        ("n", "seven", "a number"),
        ("b", "maybe", "true or false"),
        ("d", "29.2.2024", "a date"),
        ("j", "{a}", "JSON"),
    ] {
        let content = format!("s,{column}\n\"two\nlines\",\nx,{cell}\n");
        let error = error(content, &json!({ "types": { (column): types[column] } }));
        assert_eq!(error.code, ErrorCode::FormatCsv);
        assert_eq!(error.context["line"], ErrorValue::Number(4.0));
        assert_eq!(error.context["field"], ErrorValue::Text(column.to_owned()));
        assert_eq!(error.context["found"], ErrorValue::Text(cell.to_owned()));
        assert!(error.message.contains(expected), "{}", error.message);
    }
    let absent = error("a\n1\n", &json!({"types": {"b": "number"}}));
    assert_eq!(absent.code, ErrorCode::FormatColumnMissing);
}

#[test]
fn nulls_are_the_texts_that_the_user_names() {
    let options = json!({"nulls": ["NA", "-1"], "types": {"s": "string"}});
    assert_eq!(
        rows("n,s\n5,NA\n-1,\"NA\"\nNA,\n\"-1\",x\n", &options),
        [
            object([("n", number(5.0)), ("s", Js::Null)]),
            object([("n", Js::Null), ("s", text("NA"))]),
            object([("n", Js::Null), ("s", text(""))]),
            object([("n", Js::Null), ("s", text("x"))]),
        ]
    );
}

#[test]
fn other_dialects() {
    let one = |a: Js, b: Js| [object([("a", a), ("b", b)])];
    assert_eq!(
        rows("a;b\n'it''s;';2\n", &json!({"delimiter": ";", "quote": "'"})),
        one(text("it's;"), number(2.0))
    );
    assert_eq!(
        rows("a\tb\n\"x\ty\"\t5\" pipe\n", &json!({"delimiter": "\t"})),
        one(text("x\ty"), text("5\" pipe"))
    );
    assert_eq!(
        rows("a,b\n\"x\\\"y\\\\\",\"\\n\"\n", &json!({"escape": "\\"})),
        one(text("x\"y\\"), text("\\n"))
    );
    assert_eq!(
        rows(
            "a,b\n\"x,\"y\n",
            &json!({"quote": false, "header": ["a", "b"], "skipLines": 1})
        ),
        one(text("\"x"), text("\"y"))
    );
    assert_eq!(
        rows(" a , b \n  x y \t,  \" z \"  \n \t\n", &json!({"trim": true})),
        one(text("x y"), text(" z "))
    );
}

#[test]
fn records_of_another_width_are_bad_padded_or_left_out() {
    let content = "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,\n13,14,15\n";
    let short = error(content, &json!({}));
    assert_eq!(short.code, ErrorCode::FormatCsv);
    assert_eq!(
        (
            &short.context["line"],
            &short.context["found"],
            &short.context["expected"]
        ),
        (
            &ErrorValue::Number(3.0),
            &ErrorValue::Number(2.0),
            &ErrorValue::Number(3.0)
        )
    );
    let three = |a: f64, b: f64, c: Js| object([("a", number(a)), ("b", number(b)), ("c", c)]);
    let skipped = read_csv(content, &json!({"onError": "skip"}));
    assert_eq!(
        skipped.rows,
        [three(1.0, 2.0, number(3.0)), three(13.0, 14.0, number(15.0))]
    );
    assert_eq!((skipped.end, skipped.statistics.skipped_records), (Ok(()), 3));
    let padded = read_csv(content, &json!({"width": "pad", "onError": "skip"}));
    assert_eq!(
        padded.rows,
        [
            three(1.0, 2.0, number(3.0)),
            three(4.0, 5.0, Js::Null),
            three(10.0, 11.0, number(12.0)),
            three(13.0, 14.0, number(15.0)),
        ]
    );
    assert_eq!(padded.statistics.skipped_records, 1);
}

#[test]
fn broken_quotes_are_named_or_left_out() {
    let behind = error("a,b\n1,\"x\"y\n2,z\n", &json!({}));
    assert_eq!(behind.code, ErrorCode::FormatCsv);
    assert_eq!(behind.context["field"], ErrorValue::Text("b".to_owned()));
    assert_eq!(behind.context["line"], ErrorValue::Number(2.0));
    assert!(behind.message.contains("must be doubled"), "{}", behind.message);
    let open = error("a,b\n1,x\n2,\"never\nclosed\n", &json!({}));
    assert!(
        open.message
            .contains("line 3: a quote is opened and never closed"),
        "{}",
        open.message
    );
    for content in ["a,b\n1,\"x\"y\n2,z\n", "a,b\n2,z\n1,\"x\n"] {
        let result = read_csv(content, &json!({"onError": "skip"}));
        assert_eq!(result.rows, [object([("a", number(2.0)), ("b", text("z"))])]);
        assert_eq!((result.end, result.statistics.skipped_records), (Ok(()), 1));
    }
}

#[test]
fn a_quote_that_is_open_from_the_first_record_on_is_no_empty_file() {
    // Given files that are one open quote: nothing of them can be read, and that is said.
    for (content, header, line) in [
        ("a,\"b\n1,2\n", json!({}), 1),
        ("# c\n\na,\"b\n1,2\n", json!({"comment": "#"}), 3),
        ("\"", json!({}), 1),
        ("1,\"b\n1,2\n", json!({"header": false}), 1),
        ("\n\"a,b\n1,2\n", json!({"header": ["a", "b"]}), 2),
    ] {
        let open = error(content, &header);
        assert_eq!(open.code, ErrorCode::FormatCsv, "{content:?}");
        assert!(open.message.contains("never closed"), "{}", open.message);
        assert_eq!(
            open.context["line"],
            ErrorValue::Number(f64::from(line)),
            "{content:?}"
        );
    }
    // Without names nothing can be left out; with them it is one record.
    let header = error("a,\"b\n1,2\n", &json!({"onError": "skip"}));
    assert_eq!(header.code, ErrorCode::FormatCsv);
    for header in [json!(["a", "b"]), json!(false)] {
        let skipped = read_csv("1,\"b\n1,2\n", &json!({"header": header, "onError": "skip"}));
        assert_eq!((skipped.rows.len(), skipped.end), (0, Ok(())));
        assert_eq!(skipped.statistics.skipped_records, 1);
    }
}

#[test]
fn errors_show_what_was_found_also_at_the_very_end() {
    let open = error("a,b\n1,\"two\n", &json!({}));
    assert!(
        open.message.contains("never closed: 1,\"two;"),
        "{}",
        open.message
    );
    let bytes = error(b"a\nx\xFF", &json!({}));
    assert!(
        bytes.message.contains("not UTF-8: \u{FFFD};"),
        "{}",
        bytes.message
    );
}

#[test]
fn errors_about_names_are_on_the_line_of_the_names() {
    for (content, options) in [
        ("a,a\n1,2\n", json!({})),
        ("a,\"b\n\"\n1,2\n", json!({"columns": ["c"]})),
        ("a,b\n1,2\n", json!({"types": {"c": "number"}})),
    ] {
        let names = error(content, &options);
        assert_eq!(
            names.context["line"],
            ErrorValue::Number(1.0),
            "{}",
            names.message
        );
    }
    // What is to be left out is all up to the names and with them.
    let twice = error("title\n\na,a\n1,2\n", &json!({"skipLines": 1}));
    assert_eq!(twice.context["line"], ErrorValue::Number(3.0));
    assert!(twice.message.contains("skipLines: 3"), "{}", twice.message);
}

#[test]
fn a_table_in_utf16_is_told_to_be_converted() {
    let units = "\u{FEFF}a,b\n1,2\n".encode_utf16();
    let little: Vec<u8> = units.clone().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    for content in [little, big] {
        let names = error(&content, &json!({}));
        assert_eq!(names.code, ErrorCode::FormatUtf8);
        assert!(
            names
                .message
                .ends_with("begins as UTF-16 does, convert the file to UTF-8"),
            "{}",
            names.message
        );
    }
}

#[test]
fn a_file_that_lost_all_its_bytes_since_it_was_found_is_no_empty_file() {
    let file = file("");
    let options = json!({"files": [{"path": file.path, "bytes": 8, "compression": "none"}]});
    let shrunk = read_error(&spec("csv", &file.path, &options));
    assert_eq!(shrunk.code, ErrorCode::IoTruncated, "{}", shrunk.message);
}

#[test]
fn bytes_that_are_not_utf8_are_bad_replaced_or_left_out() {
    let content = b"a,b\n1,x\n2,\xFFy\n3,z\n4,\xC3";
    let row = |a: f64, b: &str| object([("a", number(a)), ("b", text(b))]);
    let bad = error(content, &json!({}));
    assert_eq!(bad.code, ErrorCode::FormatUtf8);
    assert_eq!(
        (&bad.context["line"], &bad.context["byte"]),
        (&ErrorValue::Number(3.0), &ErrorValue::Number(10.0))
    );
    let skipped = read_csv(content, &json!({"onError": "skip"}));
    assert_eq!(
        (skipped.rows, skipped.end),
        (vec![row(1.0, "x"), row(3.0, "z")], Ok(()))
    );
    assert_eq!(skipped.statistics.skipped_records, 2);
    let replaced = read_csv(content, &json!({"invalidUtf8": "replace"}));
    assert_eq!(
        replaced.rows,
        [
            row(1.0, "x"),
            row(2.0, "\u{FFFD}y"),
            row(3.0, "z"),
            row(4.0, "\u{FFFD}")
        ]
    );
    assert_eq!(replaced.statistics.replaced_lines, 2);
}

#[test]
fn a_projection_keeps_the_columns_it_names_and_checks_given_types_all_the_same() {
    let content = "a,b,c\n1,\"x,\n\",2024-01-01\n2,y,nonsense\n";
    let options = json!({"columns": ["a"]});
    assert_eq!(
        rows(content, &options),
        [object([("a", number(1.0))]), object([("a", number(2.0))])]
    );
    let typed = json!({"columns": ["a"], "types": {"c": "date"}, "onError": "skip"});
    let result = read_csv(content, &typed);
    assert_eq!(result.rows, [object([("a", number(1.0))])]);
    assert_eq!(result.statistics.skipped_records, 1);
    let absent = error(content, &json!({"columns": ["a", "d"]}));
    assert_eq!(absent.code, ErrorCode::FormatColumnMissing);
    assert!(absent.message.contains("a, b, c"), "{}", absent.message);
}

#[test]
fn a_record_that_is_too_long_is_an_error_wherever_it_is() {
    for before in [0, 300_000] {
        let content = format!("a\n{}\"{}\"\nb\n", "x\n".repeat(before), "y".repeat(2000));
        let result = read_csv(&content, &json!({"maxRecordBytes": 1000}));
        assert_eq!(result.rows.len(), before);
        assert_eq!(result.end.unwrap_err().code, ErrorCode::FormatRecord);
    }
    let open = error(
        format!("a\n\"{}", "y".repeat(2_000_000)),
        &json!({"maxRecordBytes": 1000}),
    );
    assert_eq!(open.code, ErrorCode::FormatRecord);
}

#[test]
fn more_columns_than_a_record_may_have_ask_for_a_choice() {
    let names: Vec<String> = (0..300).map(|n| format!("c{n}")).collect();
    let content = format!("{}\n{}\n", names.join(","), vec!["1"; 300].join(","));
    let all = error(&content, &json!({}));
    assert_eq!(all.code, ErrorCode::FormatCsv);
    assert!(
        all.message.contains("line 1: the table has 300 columns"),
        "{}",
        all.message
    );
    assert_eq!(
        rows(&content, &json!({"columns": ["c299"]})),
        [object([("c299", number(1.0))])]
    );
}
