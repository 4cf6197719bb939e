//! Files of lines to write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_collect,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use sage_connectors::{BatchSink, NextBatch, SourceSplit, open_sink, open_source};
use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, ErrorValue, SageError};
use serde_json::json;
use support::batch::Batch;
use support::{Js, json_parse, spec};

fn sink(kind: &str, path: &Path) -> Box<dyn BatchSink> {
    open_sink(&spec(kind, path, &json!({})), SourceSplit::WHOLE, Arc::default()).unwrap()
}

fn sink_error(spec: &str, part: SourceSplit) -> SageError {
    open_sink(spec, part, Arc::default()).map(drop).unwrap_err()
}

/// What one batch is written as.
fn written(kind: &str, layout: &str, batch: &Batch) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let mut sink = sink(kind, &path);
    batch.write(layout, &mut *sink).unwrap();
    let report = sink.commit().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        (report.records, report.bytes),
        (batch.rows as u64, text.len() as u64)
    );
    assert_eq!(
        report.path,
        fs::canonicalize(&path).unwrap().display().to_string()
    );
    text
}

fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn records_are_written_as_json_stringify_writes_them() {
    let batch = Batch::of_rows(4)
        .f64s(&[1.0, -0.0, f64::NAN, 1e21])
        .presence(&[0, 1, 2, 3])
        .i32s(&[-7, 0, 0, 0])
        .bools(&[1, 0, 1, 0])
        .f64s(&[0.0, f64::NAN, 1_709_210_096_789.0, -62_198_755_200_000.0])
        .strings(&[&[0x22, 0x5C, 0x0A], &[0xD83D], &[0xD83D, 0xDE00], &[0xE9, 0x1F]])
        .texts(&["[1, 2]", "null", "\"\\ud83d\"", "{\n\"a\": 1\r\n}"]);
    let layout =
        r#"{"row":{"rec":[["n","f64"],["i","i32?"],["b","bool"],["d","date"],["s","str"],["j","json"]]}}"#;
    assert_eq!(
        written("jsonLines", layout, &batch),
        concat!(
            r#"{"n":1,"i":-7,"b":true,"d":"1970-01-01T00:00:00.000Z","s":"\"\\\n","j":[1, 2]}"#,
            "\n",
            r#"{"n":0,"i":null,"b":false,"d":null,"s":"\ud83d","j":null}"#,
            "\n",
            r#"{"n":null,"b":true,"d":"2024-02-29T12:34:56.789Z","s":"😀","j":"\ud83d"}"#,
            "\n",
            r#"{"n":1e+21,"b":false,"d":"-000001-01-01T00:00:00.000Z","s":"é\u001f","j":{ "a": 1  }}"#,
            "\n",
        )
    );
}

#[test]
fn undefined_is_left_away_in_objects_and_null_in_arrays() {
    let batch = Batch::of_rows(3)
        .presence(&[0, 1, 3])
        .presence(&[2, 0, 0])
        .f64s(&[0.0; 3])
        .presence(&[0, 0, 2])
        .presence(&[2, 0, 0])
        .f64s(&[0.0, 5.0, 0.0])
        .texts(&["x", "y", ""])
        .presence(&[1, 2, 3]);
    let layout = r#"{"row":{"rec":[["o",{"rec":[["u","f64?"]],"opt":true}],["t",{"tup":["f64?","str"],"opt":true}],["z","nil?"]]}}"#;
    assert_eq!(
        written("jsonLines", layout, &batch),
        "{\"o\":{},\"t\":[null,\"x\"],\"z\":null}\n{\"o\":null,\"t\":[5,\"y\"]}\n{}\n"
    );
}

#[test]
fn names_are_escaped_and_array_indexes_come_first() {
    let batch = Batch::of_rows(1)
        .f64s(&[1.0])
        .f64s(&[2.0])
        .f64s(&[3.0])
        .f64s(&[4.0])
        .f64s(&[5.0]);
    let layout =
        r#"{"row":{"rec":[["q\"\n","f64"],["10","f64"],["2","f64"],["01","f64"],["4294967295","f64"]]}}"#;
    assert_eq!(
        written("jsonLines", layout, &batch),
        "{\"2\":3,\"10\":2,\"q\\\"\\n\":1,\"01\":4,\"4294967295\":5}\n"
    );
}

#[test]
fn a_key_is_not_part_of_the_record_and_records_need_not_be_objects() {
    let batch = Batch::of_rows(2)
        .texts(&["k", "l"])
        .presence(&[0, 2])
        .texts(&["a", ""]);
    assert_eq!(
        written("jsonLines", r#"{"key":"str","row":"str?"}"#, &batch),
        "\"a\"\nnull\n"
    );
    let batch = Batch::of_rows(2).texts(&["{\"a\":1}", "7"]);
    assert_eq!(
        written("jsonLines", r#"{"row":"json"}"#, &batch),
        "{\"a\":1}\n7\n"
    );
}

#[test]
fn what_only_javascript_reads_is_an_internal_error() {
    let directory = tempfile::tempdir().unwrap();
    for kind in ["jsonLines", "textLines"] {
        let mut sink = sink(kind, &directory.path().join("out"));
        let batch = Batch::of_rows(1).i32s(&[1]).bools(&[0]).texts(&[""]);
        let error = batch.write(r#"{"row":"any"}"#, &mut *sink).unwrap_err();
        let expected = if kind == "jsonLines" {
            ErrorCode::Internal
        } else {
            ErrorCode::FormatRecord
        };
        assert_eq!(error.code, expected);
    }
    assert_eq!(entries(directory.path()), [""; 0]);
}

#[test]
fn text_lines_are_strings_of_the_records() {
    let batch = Batch::of_rows(3).texts(&["a", "", "é😀"]);
    assert_eq!(written("textLines", r#"{"row":"str"}"#, &batch), "a\n\né😀\n");
    let batch = Batch::of_rows(3).f64s(&[1.5, f64::NAN, -0.0]);
    assert_eq!(written("textLines", r#"{"row":"f64"}"#, &batch), "1.5\nNaN\n0\n");
    let batch = Batch::of_rows(2).bools(&[1, 0]);
    assert_eq!(written("textLines", r#"{"row":"bool"}"#, &batch), "true\nfalse\n");
}

#[test]
fn text_lines_refuse_what_is_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    for (layout, batch, what) in [
        (
            r#"{"row":{"rec":[["a","f64"]]}}"#,
            Batch::of_rows(1).f64s(&[1.0]),
            "map()",
        ),
        (
            r#"{"row":"str?"}"#,
            Batch::of_rows(2).presence(&[0, 1]).texts(&["a", ""]),
            "record 2 is null",
        ),
        (
            r#"{"row":"str"}"#,
            Batch::of_rows(1).strings(&[&[0xDC00]]),
            "invalidStrings",
        ),
    ] {
        let error = batch.write(layout, &mut *sink("textLines", &path)).unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatRecord);
        assert!(error.message.contains(what), "{}", error.message);
    }
    let spec = spec("textLines", &path, &json!({"invalidStrings": "replace"}));
    let mut sink = open_sink(&spec, SourceSplit::WHOLE, Arc::default()).unwrap();
    Batch::of_rows(2)
        .strings(&[&[0x61, 0xDC00, 0xD800], &[0x62]])
        .write(r#"{"row":"str"}"#, &mut *sink)
        .unwrap();
    assert_eq!(sink.commit().unwrap().replaced_strings, 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a\u{FFFD}\u{FFFD}\nb\n");
}

#[test]
fn the_result_appears_at_commit_and_nothing_is_left_of_an_abort() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.jsonl");
    fs::write(&path, "before\n").unwrap();
    let one = Batch::of_rows(1).f64s(&[1.0]);

    for end in ["abort", "drop", "commit"] {
        let mut sink = sink("jsonLines", &path);
        one.write(r#"{"row":"f64"}"#, &mut *sink).unwrap();
        let names = entries(directory.path());
        assert_eq!(names.len(), 2);
        let temporary = names.iter().find(|name| *name != "out.jsonl").unwrap();
        assert!(
            temporary.starts_with(".out.jsonl.") && temporary.ends_with(".tmp"),
            "{temporary}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\n");
        match end {
            "abort" => sink.abort(),
            "drop" => drop(sink),
            _ => assert_eq!(sink.commit().unwrap().records, 1),
        }
        assert_eq!(entries(directory.path()), ["out.jsonl"]);
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
}

#[test]
fn what_could_not_be_written_in_full_cannot_be_committed() {
    let directory = tempfile::tempdir().unwrap();
    for kind in ["jsonLines", "textLines", "parquet"] {
        let mut sink = sink(kind, &directory.path().join("out"));
        let any = Batch::of_rows(1).i32s(&[1]).bools(&[0]).texts(&[""]);
        // A Parquet file waits for the records that decide its columns.
        let failed = any
            .write(r#"{"row":"any"}"#, &mut *sink)
            .and_then(|()| sink.prepare(true).map(drop));
        assert_eq!(
            failed.unwrap_err().code,
            if kind == "textLines" {
                ErrorCode::FormatRecord
            } else {
                ErrorCode::Internal
            }
        );
        assert_eq!(sink.commit().unwrap_err().code, ErrorCode::Internal);
        assert_eq!(entries(directory.path()), [""; 0]);
    }
}

#[test]
fn each_instance_writes_its_part() {
    let directory = tempfile::tempdir().unwrap();
    let part = SourceSplit {
        instance: 3,
        instances: 4,
    };
    for (path, expected) in [
        (directory.path().join("out-{part}.jsonl"), "out-00003.jsonl"),
        (directory.path().to_owned(), "part-00003.jsonl"),
    ] {
        let sink = open_sink(&spec("jsonLines", &path, &json!({})), part, Arc::default()).unwrap();
        sink.commit().unwrap();
        assert!(directory.path().join(expected).exists(), "{expected}");
    }
    let error = sink_error(
        &spec("jsonLines", &directory.path().join("one.jsonl"), &json!({})),
        part,
    );
    assert_eq!(error.code, ErrorCode::PlanOutputPath);
    assert!(error.message.contains("{part}"), "{}", error.message);
}

#[test]
fn a_missing_directory_is_an_error_or_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/out.jsonl");
    let error = sink_error(&spec("jsonLines", &path, &json!({})), SourceSplit::WHOLE);
    assert_eq!(error.code, ErrorCode::IoNotFound);
    assert!(error.message.contains("mkdir: true"), "{}", error.message);
    assert_eq!(
        error.context["file"],
        ErrorValue::Text(path.display().to_string())
    );

    let spec = spec("jsonLines", &path, &json!({"mkdir": true}));
    open_sink(&spec, SourceSplit::WHOLE, Arc::default())
        .unwrap()
        .commit()
        .unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let (link, file) = (directory.path().join("link"), directory.path().join("file"));
    fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    sink("jsonLines", &link).commit().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[test]
fn a_spec_that_is_none_is_an_error() {
    for json in [
        "{}",
        r#"{"type":"jsonLines"}"#,
        r#"{"type":"xml","path":"a"}"#,
        r#"{"type":"jsonLines","path":"a","x":1}"#,
    ] {
        assert_eq!(sink_error(json, SourceSplit::WHOLE).code, ErrorCode::PlanSink);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_told_apart_from_other_failures() {
    // Written at once, and kept in memory until the end.
    for length in [1_000_000, 1] {
        for kind in ["jsonLines", "textLines", "parquet"] {
            let mut sink = sink(kind, Path::new("/dev/full"));
            let batch = Batch::of_rows(1).texts(&[&"x".repeat(length)]);
            let failed = batch
                .write(r#"{"row":"str"}"#, &mut *sink)
                .and_then(|()| sink.prepare(true).map(drop));
            let error = failed.unwrap_err();
            assert_eq!(error.code, ErrorCode::IoDiskFull, "{kind}: {error:?}");
            assert_eq!(error.context["file"], ErrorValue::Text("/dev/full".to_owned()));
        }
    }
}

/// What a process does that may write files of 64 KiB at most: see the test below, which starts it.
#[test]
#[ignore = "run by the_result_is_untouched_when_the_disk_is_full in a process with a limit"]
fn child_with_a_file_size_limit() {
    let path = std::path::PathBuf::from(std::env::var("SAGE_TEST_PATH").unwrap());
    for kind in ["jsonLines", "textLines", "parquet"] {
        let mut sink = sink(kind, &path);
        let mut random = 1_u64;
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f64::from_bits(random >> 2)
        };
        let values: Vec<f64> = (0..200_000).map(|_| next()).collect();
        let outcome = Batch::of_rows(values.len())
            .f64s(&values)
            .write(r#"{"row":"f64"}"#, &mut *sink);
        let error = match outcome {
            Err(error) => {
                sink.abort();
                error
            }
            Ok(()) => sink.commit().unwrap_err(),
        };
        assert_eq!(error.code, ErrorCode::IoDiskFull, "{kind}: {error:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_result_is_untouched_when_the_disk_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    fs::write(&path, "before").unwrap();
    // Without the trap the limit would kill the process by a signal.
    let status = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact child_with_a_file_size_limit --ignored",
        ])
        .arg(std::env::current_exe().unwrap())
        .env("SAGE_TEST_PATH", &path)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(entries(directory.path()), ["out"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
}

#[cfg(unix)]
#[test]
fn a_directory_that_may_not_be_written_is_a_matter_of_permission() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let path = directory.path().join("out");
    // Some users (root) may do everything.
    if fs::write(&path, "").is_err() {
        let error = sink_error(&spec("jsonLines", &path, &json!({})), SourceSplit::WHOLE);
        assert_eq!(error.code, ErrorCode::IoPermission);
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<f64>()
            .prop_filter("JSON has no such", |value| value.is_finite())
            .prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(3, 16, 5, |inner| {
        prop_oneof![
            4 => proptest::collection::btree_map("[a-f\"é]{1,2}", inner.clone(), 0..5).prop_map(|fields| json!(fields)),
            1 => proptest::collection::vec(inner, 0..4).prop_map(|items| json!(items)),
        ]
    })
}

proptest! {
    #[test]
    fn what_was_read_is_written_again(records in proptest::collection::vec(value(), 0..30)) {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        let content: String = records.iter().map(|record| format!("{record}\n")).collect();
        fs::write(&from, &content).unwrap();

        let registry = Arc::new(LayoutRegistry::new());
        let mut source =
            open_source(&spec("jsonLines", &from, &json!({})), SourceSplit::WHOLE, Arc::clone(&registry)).unwrap();
        let mut sink = sink("jsonLines", &to);
        while let NextBatch::Frame(frame) = source.next().unwrap() {
            sink.write(&frame.view(&registry).unwrap()).unwrap();
        }
        sink.commit().unwrap();

        // -0 is written as 0, as JSON.stringify does.
        let again = fs::read_to_string(&to).unwrap();
        let parsed: Vec<Js> = again.lines().map(|line| without_negative_zero(json_parse(line).unwrap())).collect();
        let expected: Vec<Js> = content.lines().map(|line| without_negative_zero(json_parse(line).unwrap())).collect();
        prop_assert_eq!(parsed, expected);
    }
}

fn without_negative_zero(value: Js) -> Js {
    match value {
        Js::Number(bits) if f64::from_bits(bits) == 0.0 => Js::Number(0),
        Js::Array(items) => Js::Array(items.into_iter().map(without_negative_zero).collect()),
        Js::Object(fields) => Js::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name, without_negative_zero(value)))
                .collect(),
        ),
        other => other,
    }
}
