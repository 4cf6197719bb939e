//! Lines behind those that are there.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use sage_connectors::{BatchSink, SourceSplit, open_sink};
use sage_types::ErrorCode;
use serde_json::{Value, json};
use support::batch::Batch;
use support::spec;
use support::written::{names, text_of, write, write_error};

fn append_spec(path: &Path, compression: &str) -> String {
    spec(
        "jsonLines",
        path,
        &json!({ "append": true, "compression": compression }),
    )
}

fn records(from: usize, to: usize) -> Vec<Value> {
    (from..to).map(Value::from).collect()
}

fn lines(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat()
}

/// What some tool writes.
fn encode(compression: &str, text: &str) -> Vec<u8> {
    match compression {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::encode_all(text.as_bytes(), 1).unwrap(),
        _ => text.as_bytes().to_vec(),
    }
}

const METHODS: [(&str, &str); 3] = [("none", ""), ("gzip", ".gz"), ("zstd", ".zst")];

#[test]
fn the_old_bytes_stay_and_the_new_lines_follow() {
    for (compression, suffix) in METHODS {
        for old in ["", "old\n", "no line end", "\n", "a\nb"] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            let before = if old.is_empty() {
                Vec::new()
            } else {
                encode(compression, old)
            };
            fs::write(&path, &before).unwrap();
            let inode = fs::metadata(&path).unwrap();
            for round in 0..3 {
                write(
                    &append_spec(&path, compression),
                    &records(round * 10, round * 10 + 10),
                    1,
                )
                .unwrap();
            }
            let content = fs::read(&path).unwrap();
            assert!(content.starts_with(&before));
            let mended = if old.is_empty() || old.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            assert_eq!(
                text_of(suffix, &content),
                format!("{old}{mended}{}", lines(0, 30))
            );
            assert_eq!(names(directory.path()), ["log"]);
            #[cfg(unix)]
            assert_eq!(
                std::os::unix::fs::MetadataExt::ino(&inode),
                std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap())
            );
        }
    }
}

#[test]
fn no_records_change_nothing_and_a_missing_file_is_created() {
    for (compression, suffix) in METHODS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        write(&append_spec(&path, compression), &records(0, 5), 1).unwrap();
        let content = fs::read(&path).unwrap();
        assert_eq!(text_of(suffix, &content), lines(0, 5));
        let report = write(&append_spec(&path, compression), &[], 1).unwrap().remove(0);
        assert_eq!((report.records, report.bytes), (0, 0));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_sink_that_is_aborted_or_fails_leaves_the_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    fs::write(&path, "old").unwrap();
    let text = spec("textLines", &path, &json!({ "append": true }));
    let batch = Batch::of_rows(1).texts(&["new"]);

    let mut sink = open_sink(&text, SourceSplit::WHOLE, Arc::default()).unwrap();
    batch.write(r#"{"row":"str"}"#, &mut *sink).unwrap();
    sink.prepare(true).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    sink.abort();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");

    let mut sink = open_sink(&text, SourceSplit::WHOLE, Arc::default()).unwrap();
    batch.write(r#"{"row":"str"}"#, &mut *sink).unwrap();
    let unfit = Batch::of_rows(1).f64s(&[1.0]);
    unfit
        .write(r#"{"row":{"rec":[["a","f64"]]}}"#, &mut *sink)
        .unwrap_err();
    assert_eq!(sink.commit().unwrap_err().code, ErrorCode::Internal);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(directory.path()), ["log"]);
}

#[test]
fn a_file_that_changes_meanwhile_is_not_touched() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("longer", |path| {
            fs::OpenOptions::new()
                .append(true)
                .open(path)
                .unwrap()
                .write_all(b"other\n")
                .unwrap();
        }),
        ("shorter", |path| fs::write(path, "o").unwrap()),
        ("another file", |path| {
            let other = path.with_extension("other");
            fs::write(&other, "old\n").unwrap();
            fs::rename(other, path).unwrap();
        }),
        ("gone", |path| fs::remove_file(path).unwrap()),
    ];
    for prepared in [false, true] {
        for (what, change) in changes {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            fs::write(&path, "old\n").unwrap();
            let spec = append_spec(&path, "none");
            let mut sink = open_sink(&spec, SourceSplit::WHOLE, Arc::default()).unwrap();
            Batch::of_rows(1)
                .texts(&["1"])
                .write(r#"{"row":"json"}"#, &mut *sink)
                .unwrap();
            if prepared {
                sink.prepare(true).unwrap();
            }
            change(&path);
            let theirs = fs::read(&path).ok();
            let error = sink.commit().unwrap_err();
            let expected = if what == "gone" {
                ErrorCode::IoNotFound
            } else {
                ErrorCode::IoChanged
            };
            assert_eq!(error.code, expected, "{what}: {}", error.message);
            assert!(error.message.contains("log"), "{}", error.message);
            assert_eq!(fs::read(&path).ok(), theirs);
            assert!(names(directory.path()).iter().all(|name| name == "log"));
        }
    }
}

#[test]
fn a_file_that_somebody_creates_meanwhile_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let sink: Box<dyn BatchSink> =
        open_sink(&append_spec(&path, "none"), SourceSplit::WHOLE, Arc::default()).unwrap();
    fs::write(&path, "other\n").unwrap();
    assert_eq!(sink.commit().unwrap_err().code, ErrorCode::IoChanged);
    assert_eq!(fs::read_to_string(&path).unwrap(), "other\n");
}

#[test]
fn what_is_there_in_another_form_is_an_error_that_says_so() {
    for (compression, _) in METHODS {
        for (other, _) in METHODS.iter().filter(|(other, _)| *other != compression) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            let content = encode(other, "old\n");
            fs::write(&path, &content).unwrap();
            let error = write_error(&append_spec(&path, compression), &records(0, 1), 1);
            assert_eq!(error.code, ErrorCode::FormatCompression);
            assert!(error.message.contains("compression"), "{}", error.message);
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}

#[test]
fn a_compressed_file_that_was_cut_off_is_an_error_and_stays() {
    for (compression, _) in &METHODS[1..] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let content = encode(compression, &lines(0, 1000));
        fs::write(&path, &content[..content.len() - 3]).unwrap();
        let error = write_error(&append_spec(&path, compression), &records(0, 1), 1);
        assert_eq!(error.code, ErrorCode::FormatCompression);
        assert_eq!(fs::read(&path).unwrap().len(), content.len() - 3);
    }
}

#[test]
fn parts_are_appended_to_each_by_its_instance() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().join("log-{part}"), directory.path().join("in/")] {
        fs::create_dir_all(directory.path().join("in")).unwrap();
        for _ in 0..2 {
            write(&append_spec(&path, "none"), &records(0, 20), 2).unwrap();
        }
    }
    assert_eq!(
        names(directory.path()),
        [
            "in/part-00000.jsonl",
            "in/part-00001.jsonl",
            "log-00000",
            "log-00001"
        ]
    );
    let all: usize = names(directory.path())
        .iter()
        .map(|name| {
            fs::read_to_string(directory.path().join(name))
                .unwrap()
                .lines()
                .count()
        })
        .sum();
    assert_eq!(all, 80);
}
