//! Text lines as strings.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use sage_types::{ErrorCode, ErrorValue};
use serde_json::json;
use support::{Js, read, read_split, spec, text};
use tempfile::TempDir;

fn lines(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lines.txt");
    fs::write(&path, content).unwrap();
    (directory, path)
}

#[test]
fn a_file_that_grows_while_its_readers_open_it_gives_each_line_once() {
    let (_directory, path) = lines("a\nb\nc\nd\n");
    let pinned = sage_connectors::pin_source(&spec("textLines", &path, &json!({}))).unwrap();
    let mut rows = Vec::new();
    for instance in 0..4 {
        rows.extend(read_split(&pinned, instance, 4).unwrap().rows);
        let mut content = fs::read(&path).unwrap();
        content.extend_from_slice(b"a line that comes later\n");
        fs::write(&path, content).unwrap();
    }
    assert_eq!(rows, ["a", "b", "c", "d"].map(text));
}

#[test]
fn a_line_is_as_long_as_it_may_be_or_an_error_behind_those_before() {
    for (content, limit, before) in [
        ("ab\nabcdefghij\nabcdefghijk\nz\n", 10, 2),
        ("abcdefghijk\n", 10, 0),
        ("ab\nabcdefghijk", 10, 1),
        ("ab\nabcdefghijk\n", 11, 2),
    ] {
        let (_directory, path) = lines(content);
        let result = read(&spec("textLines", &path, &json!({"maxLineBytes": limit})));
        assert_eq!(result.rows.len(), before, "{content}");
        match result.end {
            Ok(()) => assert_eq!(limit, 11),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::FormatRecord);
                let byte = content.find("abcdefghijk").unwrap();
                assert_eq!(error.context["byte"], ErrorValue::Number(byte as f64));
            }
        }
    }
}

#[test]
fn each_line_is_a_string_without_its_line_end() {
    let (_directory, path) = lines("\u{FEFF}first\r\n\nthird é😀\r\r\n last");
    let result = read(&spec("textLines", &path, &json!({})));
    assert_eq!(
        result.rows,
        [text("first"), text(""), text("third é😀\r"), text(" last")]
    );
    assert_eq!(result.layouts, [r#"{"row":"str"}"#]);
    let position: serde_json::Value = serde_json::from_str(&result.position).unwrap();
    assert_eq!(position, json!({"file": path, "byte": 31}));
    let (_directory, path) = lines("");
    assert_eq!(read(&spec("textLines", &path, &json!({}))).rows, []);
}

#[test]
fn malformed_bytes_are_an_error_that_names_them_or_replaced_and_counted() {
    let (_directory, path) = lines(b"good\nb\xF0\x9F\x98d\ngood\n\xFF\xFF");
    let result = read(&spec("textLines", &path, &json!({})));
    assert_eq!(result.rows, [text("good")]);
    let error = result.end.unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatUtf8);
    assert_eq!(error.context["line"], ErrorValue::Number(2.0));
    assert_eq!(error.context["byte"], ErrorValue::Number(6.0));

    let result = read(&spec("textLines", &path, &json!({"invalidUtf8": "replace"})));
    // What node gives: Buffer.from([0x62, 0xF0, 0x9F, 0x98, 0x64]).toString() and so on.
    assert_eq!(
        result.rows,
        [
            text("good"),
            text("b\u{FFFD}d"),
            text("good"),
            text("\u{FFFD}\u{FFFD}")
        ]
    );
    assert_eq!(result.statistics.replaced_lines, 2);
}

#[test]
fn a_batch_is_closed_at_64_kib() {
    let (_directory, path) = lines(format!("{}\n", "x".repeat(999)).repeat(500));
    assert_eq!(read(&spec("textLines", &path, &json!({}))).frame_rows[0], 66);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_read_once_at_any_parallelism(
        // Short and long, also longer than the blocks that are read.
        parts in proptest::collection::vec((prop_oneof![8 => 0..30_usize, 1 => 1000..3000_usize], prop_oneof!["\n", "\r\n", "\n\n", "é\n"]), 0..60),
        huge in proptest::option::of((any::<prop::sample::Index>(), 200_000..600_000_usize)),
        end_of_file in any::<bool>(),
        instances in 1..20_u32,
    ) {
        let mut content = String::new();
        for (index, (length, line_end)) in parts.iter().enumerate() {
            let length = match &huge {
                Some((at, length)) if at.index(parts.len()) == index => *length,
                _ => *length,
            };
            content.push_str(&index.to_string().repeat(length / 2));
            content.push_str(line_end);
        }
        if !end_of_file {
            content.push_str("last");
        }
        let (_directory, path) = lines(&content);
        let mut rows = Vec::new();
        for instance in 0..instances {
            let split = read_split(&spec("textLines", &path, &json!({})), instance, instances).unwrap();
            prop_assert_eq!(split.end, Ok(()));
            rows.extend(split.rows);
        }
        let expected: Vec<Js> = content.lines().map(text).collect();
        prop_assert_eq!(rows, expected);
    }
}
