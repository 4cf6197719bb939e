//! CSV and JSON documents that come out of a pipe, and files that change while they are read.
#![allow(clippy::unwrap_used, reason = "a test may be short")]
#![cfg(unix)]

mod support;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use sage_connectors::{NextBatch, SourceSplit, open_source};
use sage_types::{ErrorCode, ErrorValue};
use serde_json::{Value, json};
use support::csv_file::file;
use support::packed::{Packing, pack};
use support::{next_rows, read_error, spec};
use tempfile::TempDir;

fn pipe() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    (directory, path)
}

/// Rows of the first batch of a pipe, and of all behind: `first` is written into it, and `rest` when nothing more comes out.
fn rows_of_pipe(kind: &str, options: &Value, first: Vec<u8>, rest: Vec<u8>) -> (usize, usize) {
    let (_directory, path) = pipe();
    let spec = spec(kind, &path, options);
    let (proceed, may_proceed) = mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
        pipe.write_all(&first).unwrap();
        may_proceed.recv().unwrap();
        pipe.write_all(&rest).unwrap();
    });
    // Another instance does not touch it.
    let split = |instance| SourceSplit {
        instance,
        instances: 2,
    };
    let mut other = open_source(&spec, split(1), Arc::default()).unwrap();
    assert!(matches!(other.next().unwrap(), NextBatch::Ended));
    let mut source = open_source(&spec, split(0), Arc::default()).unwrap();
    let before = next_rows(source.as_mut()).unwrap();
    // It says that nothing comes, and leaves it to the task how long that may last.
    assert!(matches!(source.next().unwrap(), NextBatch::Waiting));
    source.wait(Duration::from_millis(1));
    proceed.send(()).unwrap();
    let mut behind = 0;
    loop {
        match next_rows(source.as_mut()).unwrap() {
            0 => break,
            rows => behind += rows,
        }
    }
    writer.join().unwrap();
    (before, behind)
}

#[test]
fn records_of_a_pipe_do_not_wait_for_its_end() {
    let options = json!({"types": "string"});
    let csv = ("a,b\n1,x\n2,\"y\n", "z\"\n3,x");
    assert_eq!(rows_of_pipe("csv", &options, csv.0.into(), csv.1.into()), (1, 2));
    let json = ("[{\"a\":1},{\"a\":2},{\"a\"", ":3}]");
    assert_eq!(
        rows_of_pipe("json", &json!({}), json.0.into(), json.1.into()),
        (2, 1)
    );
}

#[test]
fn a_pipe_may_be_compressed() {
    let packed = |text: &str| pack(text.as_bytes(), &Packing::Gzip(Vec::new()));
    let rows = rows_of_pipe(
        "csv",
        &json!({"types": "string"}),
        packed("a\n1\n2\n"),
        packed("3\n"),
    );
    assert_eq!(rows, (2, 1));
    let rows = rows_of_pipe("json", &json!({}), packed("[1,2,3"), packed("4]"));
    assert_eq!(rows, (2, 1));
}

#[test]
fn a_pipe_that_says_nothing_keeps_nobody() {
    for (kind, content) in [
        ("csv", ""),
        ("csv", "a,b"),
        ("csv", "a,b\n1,2\n"),
        ("json", ""),
        ("json", "[{"),
    ] {
        // Given a pipe that stays open and silent: of CSV not even the types are known.
        let (_directory, path) = pipe();
        let (done, wait) = mpsc::channel::<()>();
        let writer = {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
                pipe.write_all(content.as_bytes()).unwrap();
                wait.recv().unwrap();
            })
        };
        let mut source =
            open_source(&spec(kind, &path, &json!({})), SourceSplit::WHOLE, Arc::default()).unwrap();
        // Then the source says so, again and again.
        for _ in 0..5 {
            assert!(
                matches!(source.next().unwrap(), NextBatch::Waiting),
                "{kind} {content:?}"
            );
            source.wait(Duration::from_millis(5));
        }
        drop(source);
        done.send(()).unwrap();
        writer.join().unwrap();
    }
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    for (kind, content) in [("csv", "a\n1\n"), ("json", "[1]\n")] {
        let file = file(content);
        let pinned = json!({"files": [{"path": file.path, "bytes": 1000, "compression": "none"}]});
        let error = read_error(&spec(kind, &file.path, &pinned));
        assert_eq!(
            (error.code, &error.context["byte"]),
            (ErrorCode::IoTruncated, &ErrorValue::Number(4.0))
        );
    }
}

#[test]
fn formats_that_are_read_at_several_places_refuse_a_pipe_and_do_not_wait_for_its_writer() {
    for kind in ["arrow", "parquet"] {
        let (_directory, path) = pipe();

        let error = read_error(&spec(kind, &path, &json!({})));

        assert_eq!(error.code, ErrorCode::IoNotAFile, "{error}");
        assert!(error.message.contains("is not a regular file"), "{error}");
        assert_eq!(
            error.context.get("file"),
            Some(&ErrorValue::from(path.display().to_string()))
        );
    }
}
