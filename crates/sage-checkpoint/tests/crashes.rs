//! A crash at any moment loses no epoch whose commit returned.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{CheckpointStore, Files};
use sage_types::Result;
use support::{Change, DIRECTORY, Job, changes, path_of, store_in};

#[derive(Debug, Clone)]
enum Step {
    /// Everything is handed over.
    Whole(Vec<Change>),
    /// Changes are handed over, if they can be.
    Changes(Vec<Change>),
    /// The newest epoch is merged.
    Merge,
    /// An epoch is begun and given up.
    GiveUp,
    /// The directory is closed and opened.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => changes().prop_map(Step::Whole),
        5 => changes().prop_map(Step::Changes),
        2 => Just(Step::Merge),
        1 => Just(Step::GiveUp),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..10)
}

/// What a run has tried, and what it was told.
#[derive(Debug, Default)]
struct Run {
    tried: BTreeMap<u64, Job>,
    /// The newest epoch whose commit returned.
    committed: u64,
}

impl Run {
    /// Goes on after failures until the machine crashes.
    fn play(files: &SimulatedFiles, steps: &[Step], retained: usize) -> Self {
        let mut run = Self::default();
        // An error is as good as an end here: what was told before counts.
        let _ = run.try_play(files, steps, retained);
        run
    }

    fn try_play(&mut self, files: &SimulatedFiles, steps: &[Step], retained: usize) -> Result<()> {
        let mut store = store_in(files, retained)?;
        let mut job = Job::default();
        // Unlike the base of the store this one is unknown after a failure.
        let mut has_base = false;
        for step in steps {
            if files.has_crashed() {
                return Ok(());
            }
            let epoch = store.next_epoch();
            let committed = match step {
                Step::Whole(changes) => {
                    job.apply(changes);
                    self.tried.insert(epoch, job.without_empty());
                    job.commit_whole(&store, epoch)
                }
                Step::Changes(changes) => {
                    job.apply(changes);
                    self.tried.insert(epoch, job.without_empty());
                    match store.base_for_changes().filter(|_| has_base) {
                        Some(base) => job.commit_changes(&store, epoch, base, changes),
                        None => job.commit_whole(&store, epoch),
                    }
                }
                Step::Merge => {
                    // A merge that fails changes nothing.
                    let _ = store.merge(self.committed);
                    continue;
                }
                Step::GiveUp => {
                    if let Ok(mut writer) = store.begin(epoch) {
                        let _ = job.add_whole(&mut writer);
                    }
                    continue;
                }
                Step::Reopen => {
                    drop(store);
                    store = store_in(files, retained)?;
                    has_base = false;
                    continue;
                }
            };
            has_base = committed.is_ok();
            if committed.is_ok() {
                self.committed = epoch;
            }
        }
        Ok(())
    }

    /// What is found after a crash is the newest that was told to be durable, or a later one, exactly.
    fn check(&self, files: &SimulatedFiles, retained: usize, case: &str) {
        let store = store_in(files, retained).unwrap();
        let found = store.newest().unwrap();
        let epoch = found.as_ref().map_or(0, |found| found.epoch);
        assert!(
            epoch >= self.committed,
            "{case}: epoch {epoch} of {}",
            self.committed
        );
        let mut job = Job::default();
        if let Some(found) = &found {
            assert!(found.skipped().is_empty(), "{case}: {:?}", found.skipped());
            job = Job::of(found).unwrap();
            assert_eq!(job, self.tried[&epoch], "{case}: epoch {epoch}");
        }
        let names = files.list(DIRECTORY.as_ref()).unwrap();
        let leftovers: Vec<&String> = names.iter().filter(|name| name.contains(".tmp")).collect();
        assert_eq!(leftovers, [""; 0], "{case}");
        // And the job goes on.
        job.apply(&[]);
        let next = store.next_epoch();
        let summary = job.commit_whole(&store, next).unwrap();
        assert!(summary.warnings.is_empty(), "{case}: {:?}", summary.warnings);
        let found = store.newest().unwrap().unwrap();
        assert_eq!((found.epoch, Job::of(&found).unwrap()), (next, job), "{case}");
        assert!(store.epochs().len() <= retained + 32, "{case}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn given_a_crash_at_each_operation_then_no_epoch_is_lost_whose_commit_returned(
        steps in steps(),
        retained in 1_usize..4,
        seed in any::<u64>(),
    ) {
        let whole = SimulatedFiles::new();
        Run::play(&whole, &steps, retained);
        for operation in 1..=whole.operations() + 1 {
            let files = SimulatedFiles::new();
            files.crash_at(operation);
            let run = Run::play(&files, &steps, retained);
            for variant in 0..6_u64 {
                let seed = seed.wrapping_add(operation << 8).wrapping_add(variant);
                run.check(&files.restarted(seed), retained, &format!("operation {operation}, seed {seed}"));
            }
        }
    }

    #[test]
    fn given_a_sync_that_fails_then_the_job_goes_on_and_a_crash_loses_nothing(
        steps in steps(),
        retained in 1_usize..4,
        seed in any::<u64>(),
        operation in 0.0..1.5,
    ) {
        let whole = SimulatedFiles::new();
        Run::play(&whole, &steps, retained);
        for sync in 1..=whole.syncs() {
            let files = SimulatedFiles::new();
            files.fail_sync(sync);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
            files.crash_at((whole.operations() as f64 * operation) as u64 + 1);
            let run = Run::play(&files, &steps, retained);
            for variant in 0..6_u64 {
                let seed = seed.wrapping_add(sync << 8).wrapping_add(variant);
                run.check(&files.restarted(seed), retained, &format!("sync {sync}, seed {seed}"));
            }
        }
    }

    #[test]
    fn given_a_disk_that_fills_up_then_what_was_committed_stays_and_commits_work_when_there_is_room(
        steps in steps(),
        retained in 1_usize..4,
        share in prop::collection::vec(0.0..1.0, 12),
    ) {
        let whole = SimulatedFiles::new();
        Run::play(&whole, &steps, retained);
        for share in share {
            let files = SimulatedFiles::new();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
            files.full_after((whole.written_bytes() as f64 * share) as u64);
            let run = Run::play(&files, &steps, retained);
            files.free_space();
            run.check(&files, retained, &format!("{share} of the disk"));
        }
    }
}

#[test]
fn given_an_epoch_that_a_killed_process_has_named_when_another_one_opens_the_directory_then_no_crash_takes_it_back()
 {
    let files = SimulatedFiles::new();
    Job::default()
        .commit_whole(&store_in(&files, 2).unwrap(), 1)
        .unwrap();
    // Epoch 2 as it is between its rename and the sync of the directory.
    let elsewhere = CheckpointStore::open(files.shared(), "/elsewhere", 1).unwrap();
    Job::default().commit_whole(&elsewhere, 2).unwrap();
    let from = std::path::Path::new("/elsewhere").join(path_of(2).file_name().unwrap());
    let bytes = files.bytes_of(&from).unwrap();
    let mut file = files.create(&path_of(2)).unwrap();
    file.write_all(&bytes).unwrap();
    file.sync().unwrap();
    drop(file);

    let found = store_in(&files, 2).unwrap().newest().unwrap().unwrap();

    assert_eq!(found.epoch, 2);
    for seed in 0..20 {
        let after_crash = store_in(&files.restarted(seed), 2).unwrap();
        assert_eq!(after_crash.newest().unwrap().unwrap().epoch, 2, "seed {seed}");
    }
}
