//! A merge in a thread of its own, beside commits, readers and removals.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{CheckpointStore, DiskFiles, FaultHook, FaultPoint, Files, read_epoch};
use support::{Job, put};

const EPOCHS: u64 = 300;

/// The job after so many epochs: the position says which.
fn check(job: &Job) {
    let last = job.state[&0][&(1, b"last".to_vec())].clone();
    assert_eq!(String::from_utf8(last).unwrap(), job.position.to_string());
    assert_eq!(job.state[&1].len() as u64, job.position.min(10));
}

fn run(files: &Arc<dyn Files>, directory: &std::path::Path, retained: usize) {
    let store = CheckpointStore::open(Arc::clone(files), directory, retained).unwrap();
    let is_done = AtomicBool::new(false);
    let mut merges = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut job = Job::default();
            for epoch in 1..=EPOCHS {
                let slot = (epoch % 10).to_string();
                let changes = [
                    put(0, 1, "last", &epoch.to_string()),
                    put(1, 2, &slot, &epoch.to_string()),
                ];
                job.apply(&changes);
                let summary = match store.base_for_changes() {
                    Some(base) => job.commit_changes(&store, epoch, base, &changes),
                    None => job.commit_whole(&store, epoch),
                };
                assert!(summary.unwrap().warnings.is_empty());
            }
            is_done.store(true, Ordering::Release);
        });
        // One that has the lock, and one that has not, as a command that lists has.
        scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                if let Some(found) = store.newest().unwrap() {
                    assert!(found.skipped().is_empty(), "{:?}", found.skipped());
                    check(&Job::of(&found).unwrap());
                }
            }
        });
        scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                if let Ok(found) = read_epoch(files, directory) {
                    check(&Job::of(&found).unwrap());
                }
            }
        });
        let merging = scope.spawn(|| {
            let mut merges = 0;
            while !is_done.load(Ordering::Acquire) {
                match store.needs_merge() {
                    Some(epoch) => merges += u64::from(store.merge(epoch).unwrap().is_some()),
                    None => std::thread::yield_now(),
                }
            }
            merges
        });
        merges = merging.join().unwrap();
    });
    assert!(merges > 0);
    let found = store.newest().unwrap().unwrap();
    assert_eq!(found.epoch, EPOCHS);
    check(&Job::of(&found).unwrap());
    assert!(store.epochs().len() <= retained + 32);
}

#[test]
fn given_merges_beside_commits_on_a_simulated_disk_then_every_epoch_that_is_read_is_right() {
    let files = SimulatedFiles::new();
    run(&files.shared(), support::DIRECTORY.as_ref(), 2);
    let after_crash = files.restarted(1);
    let found = support::store_in(&after_crash, 2)
        .unwrap()
        .newest()
        .unwrap()
        .unwrap();
    assert_eq!(found.epoch, EPOCHS);
}

#[test]
fn given_merges_beside_commits_on_disk_then_every_epoch_that_is_read_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let files: Arc<dyn Files> = Arc::new(DiskFiles::new());
    run(&files, folder.path(), 1);
}

#[test]
fn given_an_epoch_that_is_removed_while_it_is_merged_then_it_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<OnceLock<CheckpointStore>> = Arc::default();
    // While the merged file is written, the next epoch is committed, and only one is retained.
    let (commits, is_merging) = (Arc::clone(&store), Arc::new(AtomicBool::new(false)));
    let armed = Arc::clone(&is_merging);
    let hook: FaultHook = Arc::new(move |point, _| {
        if point == FaultPoint::BeforeFlush && armed.swap(false, Ordering::AcqRel) {
            Job::default().commit_whole(commits.get().unwrap(), 3).unwrap();
        }
    });
    let files: Arc<dyn Files> = Arc::new(DiskFiles::with_hook(hook));
    let store = store.get_or_init(|| CheckpointStore::open(files, folder.path(), 1).unwrap());
    Job::default().commit_whole(store, 1).unwrap();
    let mut changed = Job::default();
    let second = [put(0, 1, "a", "b")];
    changed.apply(&second);
    changed.commit_changes(store, 2, 1, &second).unwrap();

    is_merging.store(true, Ordering::Release);
    let merged = store.merge(2).unwrap();

    assert!(merged.is_none());
    assert_eq!(store.epochs(), [3]);
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["LOCK", "epoch-00000000000000000003.ckpt"]);
}
