//! Random graphs with epochs at random moments: each is a consistent cut, and a job that goes on from one loses and doubles nothing.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use sage_checkpoint::testing::SimulatedFiles;
use sage_runtime::{CheckpointSettings, Isolate, JobCore, JobState, Next};
use sage_types::{ManualClock, TaskId};
use support::plans::{Choices, ISOLATES, Plan, check, plan, tasks_of};
use support::sim_task::Cut;
use support::{SimTask, TestConnectors, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(20);

fn job_of(plan: &Plan, files: &SimulatedFiles) -> Arc<JobCore> {
    job_with_checkpoints(
        &plan.graph(),
        CheckpointSettings::new("/epochs"),
        files.shared(),
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    )
    .unwrap()
}

/// How a run ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Itself,
    /// Cancelled at a moment that the dice choose.
    Killed,
    /// Stopped without drain, likewise.
    Stopped,
}

fn attach(plan: &Plan, job: &Arc<JobCore>) -> Vec<(Isolate, Vec<SimTask>)> {
    (0..ISOLATES)
        .filter(|&isolate| isolate == 0 || !tasks_of(plan, isolate).is_empty())
        .map(|isolate| {
            let tasks = tasks_of(plan, isolate).into_iter();
            let tasks = tasks.map(|task| task.checkpointed(job)).collect();
            (job.attach(isolate, None).unwrap(), tasks)
        })
        .collect()
}

/// Every isolate may hold several tasks at a time, and epochs begin when the dice say.
fn drive_by_dice(plan: &Plan, job: &Arc<JobCore>, choices: &mut Choices, end: End) -> Vec<SimTask> {
    let mut isolates = attach(plan, job);
    let mut held: Vec<(usize, TaskId)> = Vec::new();
    let mut quiet_rounds = 0;
    let end_at = choices.below(400);
    for round in 0.. {
        if round == end_at {
            match end {
                End::Itself => {}
                End::Killed => {
                    job.cancel();
                    break;
                }
                // It may be over.
                End::Stopped => drop(job.stop(false)),
            }
        }
        if choices.below(15) == 0 {
            job.begin_checkpoint().unwrap();
        }
        if job.metrics().tasks.iter().all(|task| task.finished) || job.state().is_terminal() {
            break;
        }
        let place = choices.below(isolates.len());
        let (isolate, tasks) = &mut isolates[place];
        let mut progress = false;
        if let Next::Task(id) = isolate.poll(None, Duration::ZERO).unwrap() {
            assert!(!held.contains(&(place, id)), "task {id} was handed out twice");
            let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
            progress = task.step(isolate);
            held.push((place, id));
        }
        if !held.is_empty() && (choices.below(3) == 0 || !progress) {
            let (place, id) = held.swap_remove(choices.below(held.len()));
            isolates[place].0.release(id).unwrap();
            progress = true;
        }
        quiet_rounds = if progress { 0 } else { quiet_rounds + 1 };
        assert!(quiet_rounds < 1000, "the job stands still: {:?}", job.metrics());
    }
    assert!(job.wait_settled(PATIENCE), "{:?}", job.metrics());
    isolates.into_iter().flat_map(|(_, tasks)| tasks).collect()
}

fn drive_by_threads(plan: &Plan, job: &Arc<JobCore>, kill_after: Option<u64>) -> Vec<SimTask> {
    let isolates = attach(plan, job);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let begins = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                job.begin_checkpoint().unwrap();
                let completed = job.metrics().checkpoints.unwrap().completed;
                if kill_after.is_some_and(|epochs| completed >= epochs) {
                    job.cancel();
                }
                std::thread::yield_now();
            }
        });
        let threads = isolates
            .into_iter()
            .map(|(isolate, tasks)| scope.spawn(move || run(&isolate, tasks)));
        let threads: Vec<_> = threads.collect();
        let tasks = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        over.store(true, Ordering::SeqCst);
        begins.join().unwrap();
        tasks
    })
}

fn run(isolate: &Isolate, mut tasks: Vec<SimTask>) -> Vec<SimTask> {
    let mut released = None;
    loop {
        match isolate.poll(released.take(), Duration::from_millis(10)).unwrap() {
            Next::Task(id) => {
                let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
                task.step(isolate);
                released = Some(id);
            }
            Next::Idle => {}
            Next::Over => return tasks,
        }
    }
}

/// For each epoch, what a task had received on an edge when it acknowledged is what the task before it had sent when it did. Who
/// finished without a barrier counts with all.
fn check_cuts(job: &JobCore, tasks: &[SimTask]) {
    let cuts_of = |task: &SimTask| task.checkpointed.clone().unwrap().cuts;
    let epochs: BTreeSet<u64> = tasks.iter().flat_map(|task| cuts_of(task).into_keys()).collect();
    let metrics = job.metrics();
    for epoch in epochs {
        let cuts: BTreeMap<(u32, bool), u64> = tasks
            .iter()
            .filter_map(|task| cuts_of(task).remove(&epoch))
            .flatten()
            .map(
                |Cut {
                     edge,
                     is_output,
                     rows,
                 }| ((edge, is_output), rows),
            )
            .collect();
        for counts in &metrics.edges {
            let sent = cuts.get(&(counts.edge, true)).copied().unwrap_or(counts.sent);
            let received = cuts
                .get(&(counts.edge, false))
                .copied()
                .unwrap_or(counts.received);
            assert_eq!(sent, received, "edge {} in epoch {epoch}", counts.edge);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn given_epochs_at_random_moments_when_the_job_ends_then_each_was_a_consistent_cut(plan in plan()) {
        let plan = plan.rigid();
        let job = job_of(&plan, &SimulatedFiles::new());
        let tasks = drive_by_dice(&plan, &job, &mut Choices(plan.seed), End::Itself);
        check(&plan, &job, &tasks);
        check_cuts(&job, &tasks);
        let counts = job.metrics().checkpoints.unwrap();
        prop_assert_eq!(counts.failed, 0);
        prop_assert!(counts.completed > 0, "the last one");
    }

    #[test]
    fn given_a_job_that_is_killed_again_and_again_when_it_goes_on_then_nothing_is_lost_or_doubled(plan in plan()) {
        let plan = plan.rigid();
        let mut choices = Choices(plan.seed);
        let mut files = SimulatedFiles::new();
        for _ in 0..3 {
            let job = job_of(&plan, &files);
            drive_by_dice(&plan, &job, &mut choices, End::Killed);
            files = files.restarted(choices.below(1 << 20) as u64);
        }
        let job = job_of(&plan, &files);
        let tasks = drive_by_dice(&plan, &job, &mut choices, End::Itself);
        check(&plan, &job, &tasks);
    }

    #[test]
    fn given_a_job_that_was_stopped_when_it_goes_on_then_nothing_is_lost_or_doubled(plan in plan()) {
        let plan = plan.rigid();
        let mut choices = Choices(plan.seed);
        let files = SimulatedFiles::new();
        let stopped = job_of(&plan, &files);
        drive_by_dice(&plan, &stopped, &mut choices, End::Stopped);
        prop_assert!(matches!(stopped.state(), JobState::Stopped | JobState::Finished), "{:?}", stopped.error());
        let job = job_of(&plan, &files);
        prop_assert!(job.restored_epoch().is_some());
        let tasks = drive_by_dice(&plan, &job, &mut choices, End::Itself);
        check(&plan, &job, &tasks);
    }

    #[test]
    fn given_threads_and_a_kill_behind_some_epoch_when_the_job_goes_on_then_nothing_is_lost_or_doubled(
        plan in plan(),
        kill_after in 0_u64..4,
    ) {
        let plan = plan.rigid();
        let files = SimulatedFiles::new();
        let killed = job_of(&plan, &files);
        drive_by_threads(&plan, &killed, Some(kill_after));
        prop_assert!(killed.wait_settled(PATIENCE));
        let job = job_of(&plan, &files);
        let tasks = drive_by_threads(&plan, &job, None);
        prop_assert!(job.wait_settled(PATIENCE), "{:?}", job.metrics());
        check(&plan, &job, &tasks);
        check_cuts(&job, &tasks);
    }
}
