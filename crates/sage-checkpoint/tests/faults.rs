//! What the operating system refuses is an error that names the path and says what to do.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::path::Path;

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{CheckpointStore, EpochWriter, Files, read_epoch};
use sage_types::{ErrorCode, SageError};
use support::{DIRECTORY, Job, path_of, put, store_in};

fn assert_error(error: &SageError, code: ErrorCode, words: &[&str]) {
    assert_eq!(error.code, code, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{error}");
    }
}

#[test]
fn given_a_directory_without_a_parent_then_the_error_names_both() {
    let files = SimulatedFiles::new();
    let error = CheckpointStore::open(files.shared(), "/not/there", 1).unwrap_err();
    assert_error(
        &error,
        ErrorCode::IoNotFound,
        &["/not/there", "/not does not exist", "make it"],
    );
}

#[test]
fn given_a_file_in_the_place_of_the_directory_then_the_error_says_so() {
    let files = SimulatedFiles::new();
    files.create(Path::new("/file")).unwrap();
    let error = CheckpointStore::open(files.shared(), "/file", 1).unwrap_err();
    assert_error(
        &error,
        ErrorCode::IoNotAFile,
        &["/file is a file", "another directory"],
    );
    let error = CheckpointStore::open(files.shared(), "/file/below", 1).unwrap_err();
    assert_error(
        &error,
        ErrorCode::IoNotAFile,
        &["/file/below", "correct the path"],
    );
}

#[test]
fn given_a_read_only_disk_then_opening_and_committing_are_refused_and_reading_is_not() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    Job::default().commit_whole(&store, 1).unwrap();
    files.set_read_only(true);
    let error = Job::default().commit_whole(&store, 2).unwrap_err();
    assert_error(&error, ErrorCode::IoPermission, &[DIRECTORY, "allow this user"]);
    assert_eq!(store.newest().unwrap().unwrap().epoch, 1);
    drop(store);
    let error = store_in(&files, 1).unwrap_err();
    assert_error(&error, ErrorCode::IoPermission, &[DIRECTORY]);
    let read = sage_checkpoint::read_epoch(&files.shared(), Path::new(DIRECTORY)).unwrap();
    assert_eq!(read.epoch, 1);
}

#[test]
fn given_a_directory_that_is_removed_while_it_is_in_use_then_the_error_says_so() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    Job::default().commit_whole(&store, 1).unwrap();
    let mut writer = store.begin(2).unwrap();
    Job::default().add_whole(&mut writer).unwrap();
    files.lose_directory(Path::new(DIRECTORY));
    let error = writer.commit("{}").unwrap_err();
    assert_error(
        &error,
        ErrorCode::IoChanged,
        &[DIRECTORY, "was removed while it was in use"],
    );
    let error = store.begin(3).unwrap_err();
    assert_error(&error, ErrorCode::IoChanged, &[DIRECTORY]);
}

#[test]
fn given_a_full_disk_then_the_epoch_fails_and_a_later_one_works() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    let job = Job::default();
    job.commit_whole(&store, 1).unwrap();
    files.full_after(files.written_bytes() + 50);
    let error = job.commit_whole(&store, 2).unwrap_err();
    assert_error(&error, ErrorCode::IoDiskFull, &[DIRECTORY, "free space"]);
    assert_eq!(store.epochs(), [1]);
    assert_eq!(
        files.list(Path::new(DIRECTORY)).unwrap().len(),
        2,
        "no temporary file is left"
    );
    files.free_space();
    let next = store.next_epoch();
    assert_eq!(next, 3);
    job.commit_whole(&store, next).unwrap();
}

#[test]
fn given_a_sync_that_fails_then_the_epoch_does_not_exist() {
    let job = Job::default();
    // The file, then the directory.
    for sync in [1, 2] {
        let files = SimulatedFiles::new();
        let store = store_in(&files, 1).unwrap();
        job.commit_whole(&store, 1).unwrap();
        files.fail_sync(files.syncs() + sync);
        let error = job.commit_whole(&store, 2).unwrap_err();
        assert_error(&error, ErrorCode::IoWrite, &[DIRECTORY]);
        assert_eq!(store.epochs(), [1]);
        assert_eq!(store.newest().unwrap().unwrap().epoch, 1);
        job.commit_whole(&store, 3).unwrap();
        assert_eq!(store.epochs(), [3]);
    }
}

/// A merge whose file is synced, and then not the directory.
fn merge_unsynced(files: &SimulatedFiles, store: &CheckpointStore, epoch: u64) {
    files.fail_sync(files.syncs() + 2);
    assert_eq!(store.merge(epoch).unwrap_err().code, ErrorCode::IoWrite);
}

/// A store with epoch 2 on top of epoch 1.
fn changed_store(files: &SimulatedFiles, job: &Job) -> CheckpointStore {
    let store = store_in(files, 1).unwrap();
    job.commit_whole(&store, 1).unwrap();
    job.commit_changes(&store, 2, 1, &[]).unwrap();
    store
}

#[test]
fn given_a_merge_whose_directory_cannot_be_synced_then_the_bases_stay() {
    let files = SimulatedFiles::new();
    let store = changed_store(&files, &Job::default());
    merge_unsynced(&files, &store, 2);
    assert_eq!(store.epochs(), [2, 1]);
    for seed in 0..50 {
        let found = store_in(&files.restarted(seed), 1)
            .unwrap()
            .newest()
            .unwrap()
            .unwrap();
        assert_eq!((found.epoch, found.skipped().len()), (2, 0));
    }
}

#[test]
fn given_a_merge_whose_directory_cannot_be_synced_when_another_process_goes_on_then_a_crash_brings_nothing_back_that_is_of_no_use()
 {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 2).unwrap();
    let mut job = Job::default();
    job.apply(&[put(0, 1, "key", &"long ".repeat(100_000))]);
    job.commit_whole(&store, 1).unwrap();
    let step = [put(0, 2, "other", "value")];
    job.apply(&step);
    job.commit_changes(&store, 2, 1, &step).unwrap();
    merge_unsynced(&files, &store, 2);
    drop(store);

    // No crash: it finds the merged file, on which nobody can count.
    let store = store_in(&files, 2).unwrap();
    job.commit_whole(&store, 3).unwrap();
    assert_eq!(store.epochs(), [3, 2]);

    for seed in 0..50 {
        let after = files.restarted(seed);
        let found = read_epoch(&after.shared(), &path_of(2)).unwrap();
        assert_eq!(Job::of(&found).unwrap(), job);
        let names = after.list(Path::new(DIRECTORY)).unwrap();
        let store = store_in(&after, 2).unwrap();
        assert_eq!(store.newest().unwrap().unwrap().epoch, 3, "{names:?}");
    }
}

#[test]
fn given_a_merge_that_is_done_once_more_then_nothing_is_in_doubt() {
    let files = SimulatedFiles::new();
    let job = Job::default();
    let store = changed_store(&files, &job);
    merge_unsynced(&files, &store, 2);
    let names = || {
        let mut names = files.list(Path::new(DIRECTORY)).unwrap();
        names.sort();
        names
    };
    assert_eq!(names().len(), 4, "{:?}", names());
    store.merge(2).unwrap().unwrap();
    assert_eq!(names(), ["LOCK", "epoch-00000000000000000002.ckpt"]);
    // Or it is not needed any more.
    job.commit_changes(&store, 3, 2, &[]).unwrap();
    merge_unsynced(&files, &store, 3);
    job.commit_whole(&store, 4).unwrap();
    assert_eq!(names(), ["LOCK", "epoch-00000000000000000004.ckpt"]);
}

#[test]
fn given_a_savepoint_that_cannot_be_written_then_nothing_is_left_of_it() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    Job::default().commit_whole(&store, 1).unwrap();
    files.create(Path::new("/file")).unwrap();
    let path = Path::new("/file/below/savepoint");
    let error = store.write_savepoint(1, path).unwrap_err();
    assert_error(&error, ErrorCode::IoNotAFile, &["/file"]);
    files.remove(Path::new("/file")).unwrap();
    files.full_after(files.written_bytes() + 50);
    let path = Path::new("/savepoint");
    assert_eq!(
        store.write_savepoint(1, path).unwrap_err().code,
        ErrorCode::IoDiskFull
    );
    assert!(files.list(Path::new("/")).unwrap().is_empty());
    files.free_space();
    store.write_savepoint(1, path).unwrap();
    let error = EpochWriter::to_file(files.shared(), path, 1).unwrap_err();
    assert_error(
        &error,
        ErrorCode::IoExists,
        &["/savepoint exists already", "another path"],
    );
    assert_eq!(
        store.write_savepoint(9, path).unwrap_err().code,
        ErrorCode::IoNotFound
    );
    let error = store.write_savepoint(1, Path::new(DIRECTORY)).unwrap_err();
    assert_error(&error, ErrorCode::IoExists, &["is a directory", "another path"]);
    assert!(files.bytes_of(&path_of(1)).is_ok());
}

#[test]
fn given_a_file_that_comes_to_the_place_of_a_savepoint_while_it_is_written_then_that_stays() {
    let files = SimulatedFiles::new();
    let path = Path::new("/savepoint");
    let mut writer = EpochWriter::to_file(files.shared(), path, 1).unwrap();
    Job::default().add_whole(&mut writer).unwrap();
    files.create(path).unwrap().write_all(b"mine").unwrap();
    let error = writer.commit("{}").unwrap_err();
    assert_error(&error, ErrorCode::IoExists, &["/savepoint exists already"]);
    assert_eq!(files.bytes_of(path).unwrap(), b"mine");
    assert_eq!(files.list(Path::new("/")).unwrap(), ["savepoint"]);
}
