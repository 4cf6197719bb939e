//! Savepoints stand alone, and listings say what is in them.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::path::Path;

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{CheckpointStore, EpochWriter, inspect, read_epoch};
use serde_json::json;
use support::{Job, delete, put, store_in};

/// A store with an epoch that holds changes.
fn changed_store(files: &SimulatedFiles) -> (CheckpointStore, Job) {
    let store = store_in(files, 1).unwrap();
    let mut job = Job::default();
    job.apply(&[put(0, 1, "a", "1"), put(0, 3, "b", "1"), put(1, 2, "c", "1")]);
    job.commit_whole(&store, 1).unwrap();
    let step = [put(0, 1, "a", "new"), delete(0, 3, "b")];
    job.apply(&step);
    job.commit_changes(&store, 2, 1, &step).unwrap();
    (store, job)
}

#[test]
fn given_an_epoch_with_changes_then_its_savepoint_needs_no_other_file() {
    let files = SimulatedFiles::new();
    let (store, job) = changed_store(&files);
    let path = Path::new("/savepoint");
    let summary = store.newest().unwrap().unwrap().write_savepoint(path).unwrap();
    assert_eq!((summary.epoch, summary.path.as_path()), (2, path));
    let bytes = files.bytes_of(path).unwrap();

    let elsewhere = SimulatedFiles::new();
    drop(sage_checkpoint::Files::create(&elsewhere, Path::new("/moved")).unwrap());
    elsewhere
        .tamper(Path::new("/moved"), |file| *file = bytes)
        .unwrap();
    let restored = read_epoch(&elsewhere.shared(), Path::new("/moved")).unwrap();

    assert_eq!(restored.epoch, 2);
    assert_eq!(Job::of(&restored).unwrap(), job);
    assert_eq!(Job::of(&store.read(path).unwrap()).unwrap(), job);
}

#[test]
fn given_a_savepoint_that_was_written_then_a_crash_does_not_lose_it() {
    let files = SimulatedFiles::new();
    let (store, job) = changed_store(&files);
    store.write_savepoint(2, Path::new("/savepoint")).unwrap();
    for seed in 0..50 {
        let restored = read_epoch(&files.restarted(seed).shared(), Path::new("/savepoint")).unwrap();
        assert_eq!(Job::of(&restored).unwrap(), job);
    }
}

#[test]
fn given_directories_that_are_not_there_then_a_savepoint_makes_them_and_a_crash_does_not_lose_them() {
    let files = SimulatedFiles::new();
    let (store, job) = changed_store(&files);
    let path = Path::new("/a/b/savepoint");
    store.write_savepoint(2, path).unwrap();
    for seed in 0..50 {
        let restored = read_epoch(&files.restarted(seed).shared(), path).unwrap();
        assert_eq!(Job::of(&restored).unwrap(), job);
    }
}

#[test]
fn given_a_job_without_a_directory_then_it_writes_a_savepoint_of_its_own() {
    let files = SimulatedFiles::new();
    let mut job = Job::default();
    job.apply(&[put(0, 1, "a", "1")]);
    let mut writer = EpochWriter::to_file(files.shared(), Path::new("/savepoint"), 7).unwrap();
    job.add_whole(&mut writer).unwrap();
    writer.commit(&job.metadata()).unwrap();
    let restored = read_epoch(&files.shared(), Path::new("/savepoint")).unwrap();
    assert_eq!((restored.epoch, Job::of(&restored).unwrap()), (7, job));
}

#[test]
fn given_an_epoch_then_its_listing_has_sizes_and_counts() {
    let files = SimulatedFiles::new();
    let (store, _) = changed_store(&files);
    store.write_savepoint(2, Path::new("/savepoint")).unwrap();

    let listing = inspect(&files.shared(), Path::new("/savepoint")).unwrap();

    let json = listing.to_json();
    assert_eq!((&json["formatVersion"], &json["epoch"]), (&json!(1), &json!(2)));
    assert_eq!(json["metadata"], json!({ "position": 2 }));
    let length = files.bytes_of(Path::new("/savepoint")).unwrap().len();
    assert_eq!(
        json["files"],
        json!([{ "path": "/savepoint", "epoch": 2, "bytes": length }])
    );
    assert_eq!(
        json["parts"][1],
        json!({
            "operator": "count", "instance": 0, "parallelism": 2, "name": "state",
            "kind": "keyed", "isFull": true, "bytes": 15, "entries": 1,
        })
    );
    assert_eq!(json["parts"][0]["entries"], json!(null));
    let text = listing.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "epoch 2");
    assert_eq!(lines[3], "  name:source  position  0/1  own     8 bytes");
    assert_eq!(
        lines[4],
        "  count        state     0/2  keyed  15 bytes, 1 entries"
    );

    let listing = inspect(&files.shared(), Path::new(support::DIRECTORY)).unwrap();
    assert_eq!(listing.files.len(), 2);
    assert!(
        !listing.parts[1].is_full && listing.to_string().contains("2 changes"),
        "{listing}"
    );
}
