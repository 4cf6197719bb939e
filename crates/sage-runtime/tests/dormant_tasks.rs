//! Dormant tasks: a job starts, works and ends without them, and deals records to those whose isolate has come.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use sage_runtime::{EndKind, Isolate, JobCore, JobState, Next, Partition, Take};
use sage_types::{ManualClock, TaskId};
use support::{Exchange, SimTask, Stage, TestConnectors, graph, job, job_with};

const SOURCE: TaskId = TaskId(0);
const FIRST: TaskId = TaskId(1);
const SECOND: TaskId = TaskId(2);
const SINK: TaskId = TaskId(3);

/// Source, an elastic stage of two, and a task behind both: all in isolate 0 but the second instance, in isolate 1.
fn elastic_job() -> Arc<JobCore> {
    let stages = [Stage::js_source(&[0]), Stage::elastic(&[0, 1]), Stage::js(&[0])];
    let exchanges = [
        Exchange::new(0, 1, Partition::Rebalance),
        Exchange::new(1, 2, Partition::Rebalance),
    ];
    job(graph(&stages, &exchanges))
}

fn main_tasks(records: u64) -> [SimTask; 3] {
    [
        SimTask::new(SOURCE, 1).producing(records, 10),
        SimTask::new(FIRST, 1),
        SimTask::new(SINK, 0),
    ]
}

/// One step of whatever is ready in the isolate; `false` when nothing is.
fn step(isolate: &Isolate, tasks: &mut [SimTask]) -> bool {
    let Next::Task(id) = isolate.poll(None, Duration::ZERO).unwrap() else {
        return false;
    };
    tasks.iter_mut().find(|task| task.id == id).unwrap().step(isolate);
    isolate.release(id).unwrap();
    true
}

fn run(isolate: &Isolate, tasks: &mut [SimTask]) {
    while step(isolate, tasks) {}
}

fn awake(job: &JobCore) -> Vec<bool> {
    job.metrics().tasks.iter().map(|task| task.awake).collect()
}

#[test]
fn a_job_runs_and_ends_without_an_isolate_that_has_dormant_tasks_only() {
    let job = elastic_job();
    let main = job.attach(0, None).unwrap();
    let mut tasks = main_tasks(100);

    run(&main, &mut tasks);

    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
    assert_eq!((tasks[1].received.len(), tasks[2].received.len()), (100, 100));
    assert_eq!(tasks[2].ended, Some(EndKind::Drained));
    assert_eq!(awake(&job), [true, true, false, true]);
}

#[test]
fn a_task_sleeps_until_its_isolate_polls_and_takes_its_share_from_then_on() {
    let job = elastic_job();
    let main = job.attach(0, None).unwrap();
    let mut tasks = main_tasks(400);
    let mut worker_tasks = [SimTask::new(SECOND, 1)];
    let worker = job.attach(1, None).unwrap();
    for _ in 0..8 {
        assert!(step(&main, &mut tasks));
    }
    // It is attached, but its functions may not be open yet.
    assert_eq!(awake(&job), [true, true, false, true]);

    assert_eq!(worker.poll(None, Duration::ZERO).unwrap(), Next::Task(SECOND));
    worker.release(SECOND).unwrap();

    assert_eq!(awake(&job), [true; 4]);
    while !job.is_settled() {
        let progress = [step(&main, &mut tasks), step(&worker, &mut worker_tasks)];
        assert!(progress.contains(&true), "{:?}", job.metrics());
    }
    let [first, second] = [tasks[1].received.len(), worker_tasks[0].received.len()];
    assert_eq!((first + second, tasks[2].received.len()), (400, 400));
    assert!(second > 100, "{second} records");
}

#[test]
fn one_that_wakes_gets_half_and_then_more_and_the_producer_does_not_wait_for_a_full_queue_beside_it() {
    let stages = [Stage::js_source(&[0]), Stage::elastic(&[1, 2])];
    let exchange = Exchange::new(0, 1, Partition::Rebalance).with_max_rows(20);
    let job = job(graph(&stages, &[exchange]));
    let main = job.attach(0, None).unwrap();
    let _first = job.attach(1, None).unwrap();
    let mut source = [SimTask::new(SOURCE, 1).producing(1000, 10)];
    // Nobody takes what is sent to the first instance.
    run(&main, &mut source);
    let queued = || -> Vec<u64> { job.metrics().edges.iter().map(|edge| edge.queued).collect() };
    assert_eq!(queued(), [20, 0]);

    let second = job.attach(2, None).unwrap();
    assert_eq!(second.poll(None, Duration::ZERO).unwrap(), Next::Task(SECOND));
    second.release(SECOND).unwrap();
    assert_eq!(queued(), [10, 10]);
    run(&main, &mut source);

    assert_eq!(queued(), [20, 20]);
    let mut taker = [SimTask::new(SECOND, 0)];
    for _ in 0..5 {
        run(&second, &mut taker);
        run(&main, &mut source);
    }
    assert_eq!((queued(), taker[0].received.len()), (vec![20, 20], 100));
    job.cancel();
}

/// A source, and an elastic stage of as many instances as there are isolates but the first, all but one of them dormant.
fn waiting_job(isolates: &[u32], records: u64, batch_rows: u64) -> (Arc<JobCore>, Isolate, Isolate, SimTask) {
    let stages = [Stage::js_source(&[0]), Stage::elastic(isolates)];
    let exchange = Exchange::new(0, 1, Partition::Rebalance).with_max_rows(1000);
    let job = job(graph(&stages, &[exchange]));
    let main = job.attach(0, None).unwrap();
    let first = job.attach(isolates[0], None).unwrap();
    let source = SimTask::new(SOURCE, 1).producing(records, batch_rows);
    (job, main, first, source)
}

fn numbers_of(task: &SimTask) -> Vec<i64> {
    task.received.iter().map(|(_, record)| record.id().1).collect()
}

#[test]
fn one_that_wakes_takes_over_the_younger_half_of_what_waits_though_the_input_has_ended() {
    // One batch, so that it has to be divided.
    let (job, main, first, source) = waiting_job(&[1, 2], 100, 100);
    let mut source = [source];
    run(&main, &mut source);
    assert!(source[0].finished);

    let second = job.attach(2, None).unwrap();
    let (mut one, mut other) = ([SimTask::new(FIRST, 0)], [SimTask::new(SECOND, 0)]);
    run(&second, &mut other);
    run(&first, &mut one);

    assert_eq!(numbers_of(&one[0]), (0..50).collect::<Vec<_>>());
    assert_eq!(numbers_of(&other[0]), (50..100).collect::<Vec<_>>());
    assert_eq!(
        (one[0].ended, other[0].ended),
        (Some(EndKind::Drained), Some(EndKind::Drained))
    );
    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
}

#[test]
fn a_third_one_takes_from_the_one_with_the_most() {
    let (job, main, first, source) = waiting_job(&[1, 2, 3], 90, 10);
    let mut source = [source];
    run(&main, &mut source);
    let isolates = [first, job.attach(2, None).unwrap(), job.attach(3, None).unwrap()];
    let mut tasks = [1, 2, 3].map(|id| [SimTask::new(TaskId(id), 0)]);

    for (isolate, woken) in isolates.iter().skip(1).zip([45, 22]) {
        assert!(matches!(
            isolate.poll(None, Duration::ZERO).unwrap(),
            Next::Task(_)
        ));
        let queued: Vec<u64> = job.metrics().edges.iter().map(|edge| edge.queued).collect();
        assert!(queued.contains(&woken), "{queued:?}");
    }
    for (isolate, task) in isolates.iter().zip(&mut tasks) {
        let id = task[0].id;
        isolate.release(id).unwrap_or_default();
        run(isolate, task);
    }

    let mut all: Vec<i64> = tasks.iter().flat_map(|task| numbers_of(&task[0])).collect();
    all.sort_unstable();
    assert_eq!(all, (0..90).collect::<Vec<_>>());
    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
}

#[test]
fn what_sleeps_ends_when_the_others_have_taken_all_that_it_could_take_over() {
    let (job, main, first, source) = waiting_job(&[1, 2], 100, 10);
    let mut source = [source];
    run(&main, &mut source);
    assert!(
        !job.metrics().tasks[SECOND.index()].finished,
        "records wait that it could have"
    );

    run(&first, &mut [SimTask::new(FIRST, 0)]);

    assert!(job.metrics().tasks[SECOND.index()].finished);
    assert_eq!(
        (job.state(), awake(&job)),
        (JobState::Finished, vec![true, true, false])
    );
}

#[test]
fn an_instance_takes_what_it_needs_little_time_for_and_leaves_the_rest_in_the_queue() {
    let stages = [Stage::js_source(&[0]), Stage::elastic(&[1, 2])];
    let clock = Arc::new(ManualClock::new());
    let exchange = Exchange::new(0, 1, Partition::Rebalance);
    let job = job_with(
        graph(&stages, &[exchange]),
        Arc::clone(&clock) as _,
        Arc::new(TestConnectors::default()),
    );
    let main = job.attach(0, None).unwrap();
    let first = job.attach(1, None).unwrap();
    run(&main, &mut [SimTask::new(SOURCE, 1).producing(1000, 1000)]);

    // The first ones cost 1 ms each, the last nothing.
    let mut portions = Vec::new();
    for cost_ms in [1, 20, 20, 0, 0] {
        assert_eq!(first.poll(None, Duration::ZERO).unwrap(), Next::Task(FIRST));
        let Take::Batch(arrival) = first.take(FIRST).unwrap() else {
            panic!("nothing was taken");
        };
        portions.push(arrival.frame.rows());
        clock.advance_nanos(cost_ms * 1_000_000);
        first.release(FIRST).unwrap();
    }

    assert_eq!(portions, [1, 20, 20, 20, 29]);
    job.cancel();
}

#[test]
fn an_isolate_that_comes_too_late_finds_its_part_over() {
    let job = elastic_job();
    let main = job.attach(0, None).unwrap();
    run(&main, &mut main_tasks(10));
    assert!(job.is_settled());

    let worker = job.attach(1, None).unwrap();

    assert_eq!(worker.poll(None, Duration::ZERO).unwrap(), Next::Over);
    assert_eq!(awake(&job), [true, true, false, true]);
}

#[test]
fn a_task_that_wakes_when_its_input_has_ended_in_part_ends_with_the_rest() {
    // Two sources: one is over before the dormant task wakes, the other is not.
    let stages = [
        Stage::js_source(&[0]),
        Stage::js_source(&[0]),
        Stage::elastic(&[0, 1]),
    ];
    let exchanges = [
        Exchange::new(0, 2, Partition::Rebalance),
        Exchange::new(1, 2, Partition::Rebalance),
    ];
    let job = job(graph(&stages, &exchanges));
    let main = job.attach(0, None).unwrap();
    let mut early = [SimTask::new(TaskId(0), 1).producing(3, 3)];
    assert!(step(&main, &mut early));
    assert!(early[0].finished);
    let worker = job.attach(1, None).unwrap();
    let mut dormant = [SimTask::new(TaskId(3), 0)];
    run(&worker, &mut dormant);
    assert!(!dormant[0].finished);

    let mut others = [
        SimTask::new(TaskId(1), 1).producing(4, 4),
        SimTask::new(TaskId(2), 0),
    ];
    run(&main, &mut others);
    run(&worker, &mut dormant);

    assert_eq!(dormant[0].ended, Some(EndKind::Drained));
    assert_eq!((others[1].received.len(), dormant[0].received.len()), (4, 3));
    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
}

#[test]
fn a_stop_ends_what_sleeps_as_it_ends_the_rest() {
    let job = elastic_job();
    let main = job.attach(0, None).unwrap();
    let mut tasks = main_tasks(1000);
    assert!(step(&main, &mut tasks));

    job.stop(false).unwrap();
    run(&main, &mut tasks);

    assert_eq!(job.state(), JobState::Stopped);
    assert_eq!(tasks[2].ended, Some(EndKind::Stopped));
    assert_eq!((tasks[1].received.len(), tasks[2].received.len()), (10, 10));
}

#[test]
fn a_task_that_wakes_while_the_job_is_paused_works_when_that_goes_on() {
    let job = elastic_job();
    let main = job.attach(0, None).unwrap();
    let mut tasks = main_tasks(200);
    assert!(step(&main, &mut tasks));
    job.pause().unwrap();
    let worker = job.attach(1, None).unwrap();
    let mut dormant = [SimTask::new(SECOND, 1)];
    assert!(!step(&worker, &mut dormant));
    assert_eq!(awake(&job), [true; 4]);

    job.resume().unwrap();
    while !job.is_settled() {
        let progress = [step(&main, &mut tasks), step(&worker, &mut dormant)];
        assert!(progress.contains(&true), "{:?}", job.metrics());
    }

    assert_eq!(tasks[1].received.len() + dormant[0].received.len(), 200);
    assert!(!dormant[0].received.is_empty());
}

#[test]
fn elastic_stages_in_a_row_end_one_behind_the_other() {
    let stages = [
        Stage::js_source(&[0]),
        Stage::elastic(&[0, 1, 2]),
        Stage::elastic(&[0, 1, 2]),
    ];
    let exchanges = [
        Exchange::new(0, 1, Partition::Rebalance),
        Exchange::new(1, 2, Partition::Rebalance),
    ];
    let job = job(graph(&stages, &exchanges));
    let main = job.attach(0, None).unwrap();
    let mut tasks = [
        SimTask::new(TaskId(0), 1).producing(20, 5),
        SimTask::new(TaskId(1), 1),
        SimTask::new(TaskId(4), 0),
    ];

    run(&main, &mut tasks);

    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
    assert_eq!(tasks[2].received.len(), 20);
}
