//! Random graphs, driven deterministically and by threads: nothing is lost or doubled, order is kept on every edge, and
//! queues keep their bounds.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sage_runtime::{Isolate, JobCore, Next};
use sage_types::{ManualClock, TaskId};
use support::plans::{Choices, ISOLATES, Plan, check, may_be_absent, plan, tasks_of};
use support::{SimTask, TestConnectors, job, job_with};

/// Attaches the isolates that the job waits for.
fn attach_present(plan: &Plan, job: &Arc<JobCore>) -> Vec<(Isolate, Vec<SimTask>)> {
    let graph = plan.graph();
    (0..ISOLATES)
        .filter(|&isolate| isolate == 0 || !may_be_absent(&graph, isolate))
        .map(|isolate| (job.attach(isolate, None).unwrap(), tasks_of(plan, isolate)))
        .collect()
}

/// Isolates with dormant tasks only. They come when they like, or never.
fn latecomers(plan: &Plan) -> Vec<u32> {
    let graph = plan.graph();
    (1..ISOLATES)
        .filter(|&isolate| may_be_absent(&graph, isolate) && !tasks_of(plan, isolate).is_empty())
        .collect()
}

/// Every isolate may hold several tasks at a time, for as long as the dice say: slow and asynchronous tasks.
fn drive_by_dice(plan: &Plan, job: &Arc<JobCore>, clock: &ManualClock) -> Vec<SimTask> {
    let mut isolates = attach_present(plan, job);
    let mut late = latecomers(plan);
    let mut held: Vec<(usize, TaskId)> = Vec::new();
    let mut choices = Choices(plan.seed);
    let mut quiet_rounds = 0;
    while !job.is_settled() {
        if choices.below(40) == 0
            && let Some(isolate) = late.pop()
        {
            isolates.push((job.attach(isolate, None).unwrap(), tasks_of(plan, isolate)));
        }
        let place = choices.below(isolates.len());
        let (isolate, tasks) = &mut isolates[place];
        let mut progress = false;
        if let Next::Task(id) = isolate.poll(None, Duration::ZERO).unwrap() {
            assert!(!held.contains(&(place, id)), "task {id} was handed out twice");
            let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
            progress = task.step(isolate);
            // What records seem to cost decides how many of them an instance of an elastic stage takes.
            clock.advance_nanos(choices.below(3) as u64 * 10_000_000);
            held.push((place, id));
            check_bounds(plan, job);
        }
        if !held.is_empty() && (choices.below(3) == 0 || !progress) {
            let (place, id) = held.swap_remove(choices.below(held.len()));
            isolates[place].0.release(id).unwrap();
            progress = true;
        }
        quiet_rounds = if progress { 0 } else { quiet_rounds + 1 };
        assert!(quiet_rounds < 1000, "the job stands still: {:?}", job.metrics());
    }
    let never = late.into_iter().flat_map(|isolate| tasks_of(plan, isolate));
    isolates
        .into_iter()
        .flat_map(|(_, tasks)| tasks)
        .chain(never)
        .collect()
}

fn drive_by_threads(plan: &Plan, job: &Arc<JobCore>) -> Vec<SimTask> {
    let isolates = attach_present(plan, job);
    std::thread::scope(|scope| {
        let present = isolates
            .into_iter()
            .map(|(isolate, tasks)| scope.spawn(move || run_to_the_end(&isolate, tasks)));
        let present: Vec<_> = present.collect();
        // They attach while the others are at work, or find that all is over.
        let late = latecomers(plan).into_iter().map(|isolate| {
            scope.spawn(move || run_to_the_end(&job.attach(isolate, None).unwrap(), tasks_of(plan, isolate)))
        });
        let late: Vec<_> = late.collect();
        present
            .into_iter()
            .chain(late)
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn run_to_the_end(isolate: &Isolate, mut tasks: Vec<SimTask>) -> Vec<SimTask> {
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

/// A task looks at its credit before it computes, so that a queue holds less than its limit plus one step's batch.
fn check_bounds(plan: &Plan, job: &JobCore) {
    let largest_batch = plan.sources.iter().map(|&(_, rows)| rows).max().unwrap_or(0);
    for (edge, counts) in job.graph().edges.iter().zip(job.metrics().edges) {
        let bound = u64::from(edge.max_rows) + largest_batch;
        assert!(
            counts.queued < bound,
            "edge {} holds {} records, bound {bound}",
            edge.id,
            counts.queued
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_random_graph_driven_by_dice_gives_every_stage_what_it_should(plan in plan()) {
        let clock = Arc::new(ManualClock::new());
        let job = job_with(plan.graph(), Arc::clone(&clock) as _, Arc::new(TestConnectors::default()));
        let tasks = drive_by_dice(&plan, &job, &clock);
        check(&plan, &job, &tasks);
    }

    #[test]
    fn a_random_graph_driven_by_threads_gives_every_stage_what_it_should(plan in plan()) {
        let job = job(plan.graph());
        let tasks = drive_by_threads(&plan, &job);
        prop_assert!(job.wait_settled(Duration::from_secs(10)));
        check(&plan, &job, &tasks);
    }
}
