//! Sinks that write many files: limits, and what earlier runs left.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sage_connectors::{BatchSink, SourceSplit, open_sink};
use sage_types::ErrorCode;
use serde_json::{Value, json};
use support::spec;
use support::written::{
    by_directory, directory_spec, frames_of, names, records_of, tree, write, write_batches, write_error,
};

#[test]
fn no_more_files_are_open_than_allowed_and_none_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let records: Vec<Value> = (0..300).map(|n| json!({ "k": n * 7 % 23, "n": n })).collect();
    let spec = directory_spec(
        directory.path(),
        &json!({ "partitionBy": ["k"], "maxOpenFiles": 3 }),
    );
    let (frames, registry) = frames_of(&records, 5);
    let mut sink = open_sink(&spec, SourceSplit::WHOLE, Arc::default()).unwrap();
    for frame in &frames {
        sink.write(&frame.view(&registry).unwrap()).unwrap();
        #[cfg(target_os = "linux")]
        assert!(open_below(directory.path()) <= 3);
    }
    sink.prepare(true).unwrap();
    #[cfg(target_os = "linux")]
    assert_eq!(open_below(directory.path()), 0);
    let files = sink.commit().unwrap().files;
    assert_eq!(files, names(directory.path()).len() as u64);
    for (folder, records) in by_directory(directory.path()) {
        let key: u64 = folder.strip_prefix("k=").unwrap().parse().unwrap();
        let expected: Vec<Value> = (0..300)
            .filter(|n| n * 7 % 23 == key)
            .map(|n| json!({ "n": n }))
            .collect();
        assert_eq!(records, expected, "in the order of the file names");
    }
}

/// Files below the directory that this process has open.
#[cfg(target_os = "linux")]
fn open_below(directory: &Path) -> usize {
    let directory = fs::canonicalize(directory).unwrap();
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|path| {
            path.starts_with(&directory) && path.extension().is_some_and(|extension| extension == "tmp")
        })
        .count()
}

#[test]
fn a_file_ends_at_its_number_of_records() {
    for (batch_rows, most) in [(7, 10), (100, 10), (10, 10), (3, 1), (1000, 999)] {
        let directory = tempfile::tempdir().unwrap();
        let records: Vec<Value> = (0..100).map(Value::from).collect();
        let spec = directory_spec(directory.path(), &json!({ "maxFileRows": most }));
        write_batches(&spec, &records, 1, batch_rows).unwrap();
        let files: Vec<Vec<Value>> = tree(directory.path())
            .iter()
            .map(|(name, content)| records_of(name, content))
            .collect();
        let expected: Vec<Vec<Value>> = records.chunks(most).map(<[Value]>::to_vec).collect();
        assert_eq!(files, expected);
        assert_eq!(names(directory.path())[0], "part-00000-00000.jsonl");
    }
}

#[test]
fn a_file_ends_at_about_its_number_of_bytes() {
    // A compressor keeps up to a block before it writes.
    for (compression, more) in [("none", 4000), ("zstd", 140_000)] {
        let directory = tempfile::tempdir().unwrap();
        let records: Vec<Value> = (0..40_000)
            .map(|n| json!({ "n": n, "x": n * 7919 % 10_007 }))
            .collect();
        let spec = directory_spec(
            directory.path(),
            &json!({ "maxFileBytes": 10_000, "compression": compression }),
        );
        let report = write_batches(&spec, &records, 1, 100).unwrap().remove(0);
        let files = tree(directory.path());
        assert!(files.len() > 2, "{}", files.len());
        assert_eq!((report.files, report.records), (files.len() as u64, 40_000));
        let sizes: Vec<usize> = files.values().map(Vec::len).collect();
        for size in &sizes[..sizes.len() - 1] {
            assert!((10_000..10_000 + more).contains(size), "{sizes:?}");
        }
        let read: Vec<Value> = files
            .iter()
            .flat_map(|(name, content)| records_of(name, content))
            .collect();
        assert_eq!(read, records);
    }
}

#[test]
fn files_of_columns_end_as_well() {
    for kind in ["parquet", "arrow"] {
        let directory = tempfile::tempdir().unwrap();
        let path = format!("{}/", directory.path().display());
        let records: Vec<Value> = (0..100_000)
            .map(|n| json!({ "n": n, "x": n * 7919 % 10_007 }))
            .collect();
        write_batches(
            &spec(kind, path.as_ref(), &json!({ "maxFileBytes": 50_000 })),
            &records,
            1,
            5000,
        )
        .unwrap();
        let names = names(directory.path());
        assert!(names.len() > 2, "{kind}: {names:?}");
        let rows: Vec<support::Js> = names
            .iter()
            .flat_map(|name| support::read(&spec(kind, &directory.path().join(name), &json!({}))).rows)
            .collect();
        assert_eq!(rows.len(), 100_000);
        assert_eq!(
            rows[99_999],
            support::object([
                ("n", support::number(99_999.0)),
                ("x", support::number(f64::from(99_999_u32 * 7919 % 10_007)))
            ])
        );
    }
}

#[test]
fn without_records_there_is_an_empty_file_or_no_partition() {
    let directory = tempfile::tempdir().unwrap();
    write(
        &directory_spec(directory.path(), &json!({ "maxFileRows": 5 })),
        &[],
        1,
    )
    .unwrap();
    assert_eq!(names(directory.path()), ["part-00000-00000.jsonl"]);
    let directory = tempfile::tempdir().unwrap();
    write(
        &directory_spec(directory.path(), &json!({ "partitionBy": ["a"] })),
        &[],
        2,
    )
    .unwrap();
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn a_missing_directory_is_an_error_unless_it_is_to_be_made() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("a/b");
    let options = json!({ "partitionBy": ["k"] });
    let error = write_error(&directory_spec(&missing, &options), &[json!({ "k": 1 })], 1);
    assert_eq!(error.code, ErrorCode::IoNotFound);
    assert!(error.message.contains("mkdir: true"), "{}", error.message);
    let made = json!({ "partitionBy": ["k"], "mkdir": true });
    write(&directory_spec(&missing, &made), &[json!({ "k": 1, "n": 2 })], 1).unwrap();
    assert_eq!(names(directory.path()), ["a/b/k=1/part-00000-00000.jsonl"]);
}

#[test]
fn parts_of_more_instances_before_are_refused_removed_or_kept_as_asked() {
    let all = |directory: &Path| {
        let mut records: Vec<Value> = by_directory(directory).into_values().flatten().collect();
        records.sort_by_key(Value::as_u64);
        records
    };
    let first: Vec<Value> = (0..50).map(Value::from).collect();
    let second: Vec<Value> = (50..80).map(Value::from).collect();
    let earlier = || {
        let directory = tempfile::tempdir().unwrap();
        write(&directory_spec(directory.path(), &json!({})), &first, 4).unwrap();
        fs::write(directory.path().join("notes.txt"), "mine").unwrap();
        directory
    };

    let directory = earlier();
    let error = write_error(&directory_spec(directory.path(), &json!({})), &second, 2);
    assert_eq!(error.code, ErrorCode::IoExists);
    assert!(
        error.message.contains("part-00002.jsonl") && error.message.contains("'replace'"),
        "{}",
        error.message
    );
    assert_eq!(names(directory.path()).len(), 5, "nothing has changed");

    // As many instances replace each other's files, as one file is replaced.
    write(&directory_spec(directory.path(), &json!({})), &second, 4).unwrap();
    fs::remove_file(directory.path().join("notes.txt")).unwrap();
    assert_eq!(all(directory.path()), second);

    let directory = earlier();
    write(
        &directory_spec(directory.path(), &json!({ "existing": "replace" })),
        &second,
        2,
    )
    .unwrap();
    assert_eq!(
        names(directory.path()),
        ["notes.txt", "part-00000.jsonl", "part-00001.jsonl"]
    );
    fs::remove_file(directory.path().join("notes.txt")).unwrap();
    assert_eq!(all(directory.path()), second);

    let directory = earlier();
    for _ in 0..2 {
        write(
            &directory_spec(directory.path(), &json!({ "existing": "add" })),
            &second,
            2,
        )
        .unwrap();
    }
    fs::remove_file(directory.path().join("notes.txt")).unwrap();
    assert_eq!(all(directory.path()).len(), 50 + 30 + 30);
}

#[test]
fn partitions_of_an_earlier_run_are_refused_removed_or_kept_as_asked() {
    let run = |directory: &Path, existing: &str, keys: std::ops::Range<u64>, instances: u32| {
        let records: Vec<Value> = keys.map(|k| json!({ "k": k, "n": k })).collect();
        let options = json!({ "partitionBy": ["k"], "existing": existing });
        write_batches(&directory_spec(directory, &options), &records, instances, 1)
    };
    let directory = tempfile::tempdir().unwrap();
    run(directory.path(), "error", 0..6, 3).unwrap();
    // Other partitions stand beside them.
    run(directory.path(), "error", 6..8, 1).unwrap();
    assert_eq!(by_directory(directory.path()).len(), 8);
    let before = tree(directory.path());
    assert_eq!(
        run(directory.path(), "error", 7..9, 1).unwrap_err().code,
        ErrorCode::IoExists
    );
    assert_eq!(tree(directory.path()), before);
    assert!(!directory.path().join("k=8").exists());

    run(directory.path(), "add", 7..9, 1).unwrap();
    assert_eq!(by_directory(directory.path())["k=7"].len(), 2);

    run(directory.path(), "replace", 2..4, 2).unwrap();
    let left: Vec<String> = by_directory(directory.path()).into_keys().collect();
    assert_eq!(left, ["k=2", "k=3"]);
    assert!(
        !directory.path().join("k=7").exists(),
        "empty directories go as well"
    );
    assert_eq!(by_directory(directory.path()).values().flatten().count(), 2);
}

#[test]
fn a_sink_that_is_aborted_leaves_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    write(
        &directory_spec(directory.path(), &json!({ "partitionBy": ["k"] })),
        &[json!({ "k": 1 })],
        1,
    )
    .unwrap();
    let before = tree(directory.path());
    for existing in ["add", "replace"] {
        let spec = directory_spec(
            directory.path(),
            &json!({ "partitionBy": ["k"], "existing": existing }),
        );
        let mut sink: Box<dyn BatchSink> = open_sink(&spec, SourceSplit::WHOLE, Arc::default()).unwrap();
        let (frames, registry) = frames_of(&[json!({ "k": 1 }), json!({ "k": 2 })], 1);
        for frame in &frames {
            sink.write(&frame.view(&registry).unwrap()).unwrap();
        }
        sink.prepare(true).unwrap();
        sink.abort();
        assert_eq!(tree(directory.path()), before);
        assert!(!directory.path().join("k=2").exists());
    }
}

#[test]
fn given_partitions_of_one_batch_when_too_many_are_open_then_the_first_one_is_completed() {
    let records: Vec<Value> = [1, 2, 3, 2].iter().map(|k| json!({ "k": k })).collect();
    // A sink that goes on must complete the same files as the one before it: not one by chance.
    for _chance in 0..8 {
        let directory = tempfile::tempdir().unwrap();
        let spec = directory_spec(
            directory.path(),
            &json!({ "partitionBy": ["k"], "maxOpenFiles": 2 }),
        );
        write_batches(&spec, &records, 1, 2).unwrap();
        assert_eq!(
            names(directory.path()),
            [
                "k=1/part-00000-00000.jsonl",
                "k=2/part-00000-00001.jsonl",
                "k=3/part-00000-00002.jsonl"
            ]
        );
    }
}
