//! CSV and JSON documents that come out of a pipe, and files that change while they are read.
#![allow(clippy::unwrap_used, reason = "a test may be short")]
#![cfg(unix)]

mod support;

use std::fs;
use std::io::Write;
use std::sync::{Arc, mpsc};

use sage_connectors::{BatchSource, SourceSplit, open_source};
use sage_types::{ErrorCode, ErrorValue};
use serde_json::{Value, json};
use support::csv_file::file;
use support::{read_error, spec};

/// Rows of each batch of a pipe into which `first` is written, and `rest` when a batch has come out.
fn rows_of_pipe(kind: &str, options: &Value, first: &'static str, rest: &'static str) -> Vec<usize> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let spec = spec(kind, &path, options);
    let (proceed, may_proceed) = mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
        pipe.write_all(first.as_bytes()).unwrap();
        may_proceed.recv().unwrap();
        pipe.write_all(rest.as_bytes()).unwrap();
    });
    // Another instance does not touch it.
    let other = SourceSplit {
        instance: 1,
        instances: 2,
    };
    assert!(
        open_source(&spec, other, Arc::default())
            .unwrap()
            .next()
            .unwrap()
            .is_none()
    );
    let whole = SourceSplit {
        instance: 0,
        instances: 2,
    };
    let mut source: Box<dyn BatchSource> = open_source(&spec, whole, Arc::default()).unwrap();
    let mut rows = Vec::new();
    while let Some(frame) = source.next().unwrap() {
        rows.push(frame.rows());
        if rows.len() == 1 {
            proceed.send(()).unwrap();
        }
    }
    writer.join().unwrap();
    rows
}

#[test]
fn records_of_a_pipe_do_not_wait_for_its_end() {
    let options = json!({"types": "string"});
    assert_eq!(
        rows_of_pipe("csv", &options, "a,b\n1,x\n2,\"y\n", "z\"\n3,x"),
        [1, 1, 1]
    );
    assert_eq!(
        rows_of_pipe("json", &json!({}), "[{\"a\":1},{\"a\":2},{\"a\"", ":3}]"),
        [2, 1]
    );
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let file = file("a\n1\n");
    let error = read_error(&spec("csv", &file.path, &json!({"bytes": 1000})));
    assert_eq!(
        (error.code, &error.context["byte"]),
        (ErrorCode::IoTruncated, &ErrorValue::Number(4.0))
    );
}
