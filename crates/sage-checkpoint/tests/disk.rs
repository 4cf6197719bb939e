//! The real file system: locks, and processes that are killed.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sage_checkpoint::{CheckpointStore, DiskFiles, FaultPoint, FaultTarget, Files, inspect};
use sage_types::ErrorCode;
use support::{Job, put};

/// What the child is told stands behind these in its arguments, where the test runner takes them for names of tests that are not there.
const DIRECTORY_ARGUMENT: &str = "directory=";
const POINT_ARGUMENT: &str = "point=";

fn disk() -> Arc<dyn Files> {
    Arc::new(DiskFiles::new())
}

fn open(directory: &Path) -> sage_types::Result<CheckpointStore> {
    CheckpointStore::open(disk(), directory, 1)
}

/// The job after so many epochs.
fn job_at(epoch: u64) -> Job {
    let mut job = Job::default();
    for number in 1..=epoch {
        job.apply(&[
            put(0, 1, "last", &number.to_string()),
            put(1, 2, &number.to_string(), ""),
        ]);
    }
    job
}

/// Epochs 1 and 2, and then 3 with changes, which is merged.
fn run_epochs(store: &CheckpointStore) {
    for epoch in 1..=2 {
        job_at(epoch).commit_whole(store, epoch).unwrap();
    }
    let changes = [put(0, 1, "last", "3"), put(1, 2, "3", "")];
    job_at(3).commit_changes(store, 3, 2, &changes).unwrap();
    store.merge(3).unwrap();
}

#[test]
fn given_epochs_on_disk_when_the_directory_is_opened_again_then_the_newest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("checkpoints");
    run_epochs(&open(&directory).unwrap());
    let store = open(&directory).unwrap();
    let found = store.newest().unwrap().unwrap();
    assert_eq!((found.epoch, Job::of(&found).unwrap()), (3, job_at(3)));
    assert_eq!(store.epochs(), [3]);
    let savepoint = folder.path().join("savepoint");
    store.write_savepoint(3, &savepoint).unwrap();
    assert_eq!(inspect(&disk(), &savepoint).unwrap().parts.len(), 3);
}

#[test]
fn given_a_directory_in_use_then_a_second_job_of_the_process_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let writer = store.begin(1).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointLocked);
    let pid = std::process::id();
    assert!(
        error
            .message
            .contains(&format!("another job of this process ({pid})")),
        "{error}"
    );
    assert_eq!(error.context["pid"], pid.into());
    assert!(error.context.contains_key("startedMs"));
    drop(store);
    assert!(open(folder.path()).is_err(), "somebody still writes");
    drop(writer);
    open(folder.path()).unwrap();
}

#[test]
fn given_a_process_that_is_killed_at_any_fault_point_then_the_lock_is_free_and_no_epoch_is_lost() {
    for point in FaultPoint::ALL {
        let epochs: &[u64] = match point {
            FaultPoint::BeforeMergeRename | FaultPoint::AfterMergeRename => &[3],
            FaultPoint::BeforeRetention | FaultPoint::DuringRetention | FaultPoint::AfterRetention => &[2, 3],
            _ => &[1, 2, 3],
        };
        for &epoch in epochs {
            let folder = tempfile::tempdir().unwrap();
            let target = format!("{point}:{epoch}");
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "--test-threads=1", "child_that_is_killed"])
                .arg(format!("{DIRECTORY_ARGUMENT}{}", folder.path().display()))
                .arg(format!("{POINT_ARGUMENT}{target}"))
                .output()
                .unwrap()
                .status;
            assert!(!status.success(), "{target} was not reached");

            let store = open(folder.path()).unwrap();
            let found = store.newest().unwrap();

            let number = found.as_ref().map_or(0, |found| found.epoch);
            let is_named = !matches!(
                point,
                FaultPoint::BeforeParts
                    | FaultPoint::DuringParts
                    | FaultPoint::BeforeIndex
                    | FaultPoint::BeforeFlush
                    | FaultPoint::AfterFlush
                    | FaultPoint::BeforeRename
            );
            assert_eq!(number, if is_named { epoch } else { epoch - 1 }, "{target}");
            if let Some(found) = found {
                assert_eq!(Job::of(&found).unwrap(), job_at(number), "{target}");
            }
            let leftovers = std::fs::read_dir(folder.path()).unwrap().filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().contains(".tmp")
            });
            assert_eq!(leftovers.count(), 0, "{target}");
        }
    }
}

#[test]
#[ignore = "it is a process that another test starts and kills"]
fn child_that_is_killed() {
    let argument = |name: &str| {
        let arguments = std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned));
        arguments.unwrap()
    };
    let target: FaultTarget = argument(POINT_ARGUMENT).parse().unwrap();
    let files = Arc::new(DiskFiles::with_hook(target.aborting()));
    run_epochs(&CheckpointStore::open(files, argument(DIRECTORY_ARGUMENT), 1).unwrap());
}

#[test]
fn given_a_process_that_has_the_directory_then_the_error_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let lock = folder.path().join("LOCK");
    std::fs::write(&lock, "pid=4000000000\nstartedMs=1\n").unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(error.message.contains("in use by process 4000000000"), "{error}");
    std::fs::write(&lock, "something else").unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(error.message.contains("in use by another process"), "{error}");
    drop(store);
    open(folder.path()).unwrap();
}

#[test]
fn given_files_of_somebody_else_then_they_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["notes.tmp", "epoch-1.ckpt", "savepoint.ckpt"] {
        std::fs::write(folder.path().join(name), "mine").unwrap();
    }
    std::fs::write(
        folder.path().join("epoch-00000000000000000003.ckpt.tmp"),
        "left over",
    )
    .unwrap();
    run_epochs(&open(folder.path()).unwrap());
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let epoch = "epoch-00000000000000000003.ckpt";
    assert_eq!(
        names,
        ["LOCK", epoch, "epoch-1.ckpt", "notes.tmp", "savepoint.ckpt"]
    );
}
