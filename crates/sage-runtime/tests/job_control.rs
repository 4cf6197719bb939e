//! The life of a job: starting, pausing, stopping, cancelling, failing, and what its host is told.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sage_runtime::{EndKind, Isolate, JobCore, JobEvent, JobState, Next, Partition, Take};
use sage_types::{ErrorCode, SageError, TaskId};
use support::{Exchange, SimTask, Stage, code_of, graph, job};

const SOURCE: TaskId = TaskId(0);
const SINK: TaskId = TaskId(1);

/// A source and a sink in one isolate.
fn pipeline() -> (Arc<JobCore>, Isolate) {
    let stages = [Stage::js_source(&[0]), Stage::js(&[0])];
    let job = job(graph(
        &stages,
        &[Exchange::new(0, 1, Partition::Forward).with_max_rows(10)],
    ));
    let isolate = job.attach(0, None).unwrap();
    (job, isolate)
}

fn poll(isolate: &Isolate, released: Option<TaskId>) -> Next {
    isolate.poll(released, Duration::ZERO).unwrap()
}

/// Runs all tasks until the isolate has nothing to do.
fn run(isolate: &Isolate, tasks: &mut [SimTask]) -> Next {
    let mut released = None;
    loop {
        match poll(isolate, released.take()) {
            Next::Task(id) => {
                tasks.iter_mut().find(|task| task.id == id).unwrap().step(isolate);
                released = Some(id);
            }
            rest => return rest,
        }
    }
}

fn record_events(job: &JobCore) -> Arc<Mutex<Vec<String>>> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    job.on_event(Some(Arc::new(move |event: &JobEvent| {
        heard.lock().unwrap().push(match event {
            JobEvent::State(state) => state.to_string(),
            JobEvent::Failure(error) => code_of(error),
            JobEvent::Epoch(event) => event.to_string(),
        });
    })));
    events
}

fn error(message: &str) -> SageError {
    SageError::new(ErrorCode::UserThrew, message)
}

#[test]
fn a_job_starts_when_all_isolates_of_its_tasks_are_attached() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[4])];
    let job = job(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
    let main = job.attach(0, None).unwrap();
    assert_eq!(job.state(), JobState::Initializing);
    assert_eq!(poll(&main, None), Next::Idle);
    let _worker = job.attach(4, None).unwrap();
    assert_eq!(job.state(), JobState::Running);
    assert_eq!(poll(&main, None), Next::Task(SOURCE));
}

#[test]
fn a_whole_pipeline_runs_in_one_isolate_and_finishes() {
    let (job, isolate) = pipeline();
    let events = record_events(&job);
    let mut tasks = [SimTask::new(SOURCE, 1).producing(100, 3), SimTask::new(SINK, 0)];
    assert_eq!(run(&isolate, &mut tasks), Next::Over);
    assert_eq!(job.state(), JobState::Finished);
    assert!(job.is_settled());
    assert_eq!(tasks[1].received.len(), 100);
    assert_eq!(
        *events.lock().unwrap(),
        ["running", "finished"],
        "a late listener hears what came before"
    );
}

#[test]
fn a_full_queue_keeps_its_producer_back_until_it_is_below_half() {
    let (_job, isolate) = pipeline();
    let mut source = SimTask::new(SOURCE, 1).producing(1000, 4);
    // Three batches of four: the third is taken because there was credit at eight of ten.
    for _ in 0..3 {
        assert!(source.step(&isolate));
    }
    assert!(!isolate.has_credit(SOURCE).unwrap());
    assert!(!source.step(&isolate), "take gives nothing without credit");
    assert_eq!(poll(&isolate, None), Next::Task(SINK));
    assert!(matches!(isolate.take(SINK).unwrap(), Take::Batch(_)));
    assert_eq!(
        poll(&isolate, Some(SINK)),
        Next::Task(SINK),
        "eight of ten are still queued"
    );
    assert!(matches!(isolate.take(SINK).unwrap(), Take::Batch(_)));
    assert_eq!(poll(&isolate, Some(SINK)), Next::Task(SOURCE), "four of ten");
}

#[test]
fn a_paused_job_hands_out_nothing_and_loses_nothing() {
    let (job, isolate) = pipeline();
    let mut tasks = [SimTask::new(SOURCE, 1).producing(50, 5), SimTask::new(SINK, 0)];
    assert_eq!(poll(&isolate, None), Next::Task(SOURCE));
    tasks[0].step(&isolate);
    job.pause().unwrap();
    assert!(!tasks[0].step(&isolate), "a task in hand gets nothing more");
    assert_eq!(poll(&isolate, Some(SOURCE)), Next::Idle);
    assert_eq!(job.state(), JobState::Paused);
    job.resume().unwrap();
    assert_eq!(run(&isolate, &mut tasks), Next::Over);
    assert_eq!(tasks[1].received.len(), 50);
    assert_eq!(job.state(), JobState::Finished);
}

#[test]
fn resuming_wakes_an_isolate_through_its_hook() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[0])];
    let job = job(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let hook: sage_runtime::WakeHook = Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let isolate = job.attach(0, Some(hook)).unwrap();
    job.pause().unwrap();
    assert_eq!(poll(&isolate, None), Next::Idle);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    job.resume().unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_stop_ends_sources_and_finishes_what_is_in_flight() {
    for (drain, kind) in [(false, EndKind::Stopped), (true, EndKind::Drained)] {
        let (job, isolate) = pipeline();
        let mut tasks = [
            SimTask::new(SOURCE, 1).producing(u64::MAX, 5),
            SimTask::new(SINK, 0),
        ];
        tasks[0].step(&isolate);
        job.stop(drain).unwrap();
        job.stop(!drain).unwrap();
        assert_eq!(job.state(), JobState::Stopping);
        assert_eq!(run(&isolate, &mut tasks), Next::Over);
        assert_eq!(tasks[0].ended, Some(kind), "the first stop counts");
        assert_eq!(tasks[1].ended, Some(kind));
        assert_eq!(tasks[1].received.len(), 5);
        assert_eq!(job.state(), JobState::Stopped);
    }
}

#[test]
fn a_paused_job_can_be_stopped() {
    let (job, isolate) = pipeline();
    let mut tasks = [
        SimTask::new(SOURCE, 1).producing(u64::MAX, 5),
        SimTask::new(SINK, 0),
    ];
    job.pause().unwrap();
    job.stop(false).unwrap();
    assert_eq!(run(&isolate, &mut tasks), Next::Over);
    assert_eq!(job.state(), JobState::Stopped);
}

#[test]
fn a_job_that_is_stopped_before_its_isolates_come_ends_when_they_come() {
    let stages = [Stage::js_source(&[1]), Stage::js(&[1])];
    let job = job(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
    job.stop(false).unwrap();
    assert_eq!(job.state(), JobState::Stopping);
    let isolate = job.attach(1, None).unwrap();
    let mut tasks = [
        SimTask::new(SOURCE, 1).producing(u64::MAX, 5),
        SimTask::new(SINK, 0),
    ];
    assert_eq!(run(&isolate, &mut tasks), Next::Over);
    assert_eq!((tasks[1].received.len(), job.state()), (0, JobState::Stopped));
}

#[test]
fn one_stopped_input_is_enough_for_a_stopped_end() {
    let stages = [Stage::js_source(&[0]), Stage::js_source(&[0]), Stage::js(&[0])];
    let exchanges = [
        Exchange::new(0, 2, Partition::Forward),
        Exchange::new(1, 2, Partition::Forward),
    ];
    let job = job(graph(&stages, &exchanges));
    let isolate = job.attach(0, None).unwrap();
    let mut tasks = [
        SimTask::new(TaskId(0), 1).producing(3, 5),
        SimTask::new(TaskId(1), 1).producing(u64::MAX, 5),
        SimTask::new(TaskId(2), 0),
    ];
    tasks[0].step(&isolate);
    assert!(tasks[0].finished, "the first source has ended by itself");
    job.stop(false).unwrap();
    assert_eq!(run(&isolate, &mut tasks), Next::Over);
    assert_eq!(tasks[2].ended, Some(EndKind::Stopped));
}

#[test]
fn a_cancel_from_another_thread_ends_isolates_that_wait() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[1])];
    let job = job(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
    let source = job.attach(0, None).unwrap();
    let sink = job.attach(1, None).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| sink.poll(None, Duration::from_secs(60)).unwrap());
        assert!(job.cancel());
        assert_eq!(waiting.join().unwrap(), Next::Over);
    });
    assert_eq!(poll(&source, None), Next::Over);
    assert!(!source.has_credit(SOURCE).unwrap());
    assert!(!job.cancel(), "once is enough");
    assert_eq!(job.state(), JobState::Canceled);
}

#[test]
fn a_job_that_is_closed_swallows_what_its_tasks_still_say() {
    let (job, isolate) = pipeline();
    let mut source = SimTask::new(SOURCE, 1).producing(5, 5);
    assert_eq!(poll(&isolate, None), Next::Task(SOURCE));
    assert!(matches!(isolate.take(SOURCE).unwrap(), Take::Source));
    job.cancel();
    assert!(!source.step(&isolate));
    isolate.finish_task(SOURCE).unwrap();
    assert_eq!(poll(&isolate, Some(SOURCE)), Next::Over);
    assert_eq!(job.state(), JobState::Canceled);
}

#[test]
fn the_first_error_decides_and_later_ones_are_kept() {
    let (job, isolate) = pipeline();
    let events = record_events(&job);
    assert!(job.fail(&error("first")));
    assert!(!job.fail(&error("second")));
    assert!(!job.cancel());
    assert_eq!(job.state(), JobState::Failed);
    assert!(job.error().unwrap().contains("first"));
    assert_eq!(job.suppressed_errors().len(), 1);
    assert!(job.suppressed_errors()[0].contains("second"));
    assert_eq!(poll(&isolate, None), Next::Over);
    assert_eq!(*events.lock().unwrap(), ["running", "SAGE_USER_THREW", "failed"]);
}

#[test]
fn a_job_says_in_which_state_something_is_not_possible() {
    let (job, _isolate) = pipeline();
    assert_eq!(job.resume().unwrap_err().code, ErrorCode::JobState);
    job.pause().unwrap();
    assert_eq!(job.pause().unwrap_err().code, ErrorCode::JobState);
    job.cancel();
    for refused in [job.pause(), job.resume(), job.stop(true)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, ErrorCode::JobState);
        assert!(refused.message.contains("canceled"), "{}", refused.message);
    }
}

#[test]
fn a_listener_may_use_the_job() {
    let (job, _isolate) = pipeline();
    let states = Arc::new(Mutex::new(Vec::new()));
    let (seen, inner) = (Arc::clone(&states), Arc::downgrade(&job));
    job.on_event(Some(Arc::new(move |_| {
        if let Some(job) = inner.upgrade() {
            seen.lock().unwrap().push(job.state());
            job.cancel();
        }
    })));
    assert_eq!(*states.lock().unwrap(), [JobState::Running, JobState::Canceled]);
}

#[test]
fn a_task_that_keeps_work_comes_back_whenever_there_is_credit() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[0]), Stage::js(&[0])];
    let exchanges = [
        Exchange::new(0, 1, Partition::Forward),
        Exchange::new(1, 2, Partition::Forward).with_max_rows(2),
    ];
    let job = job(graph(&stages, &exchanges));
    let isolate = job.attach(0, None).unwrap();
    let mut source = SimTask::new(TaskId(0), 1).producing(0, 1);
    assert_eq!(poll(&isolate, None), Next::Task(TaskId(0)));
    source.step(&isolate);
    assert_eq!(poll(&isolate, Some(TaskId(0))), Next::Task(TaskId(1)));
    assert!(matches!(
        isolate.take(TaskId(1)).unwrap(),
        Take::End(EndKind::Drained)
    ));
    // Three results, one at a time, over a queue with room for two.
    isolate.keep_task(TaskId(1), true).unwrap();
    let record = support::Record {
        key: 0.0,
        source: 0.0,
        number: 0.0,
    };
    let emit = || {
        support::sim_task::with_batch(&[record], job.registry(), |batch| {
            isolate.emit(TaskId(1), 0, batch).unwrap()
        })
    };
    assert!(emit());
    assert_eq!(poll(&isolate, Some(TaskId(1))), Next::Task(TaskId(2)));
    assert_eq!(poll(&isolate, None), Next::Task(TaskId(1)), "it has more");
    assert!(matches!(isolate.take(TaskId(1)).unwrap(), Take::Nothing));
    assert!(!emit());
    assert_eq!(poll(&isolate, Some(TaskId(1))), Next::Idle, "no credit");
    assert!(matches!(isolate.take(TaskId(2)).unwrap(), Take::Batch(_)));
    assert_eq!(poll(&isolate, None), Next::Task(TaskId(1)));
    isolate.keep_task(TaskId(1), false).unwrap();
    isolate.finish_task(TaskId(1)).unwrap();
    assert_eq!(poll(&isolate, Some(TaskId(2))), Next::Task(TaskId(2)));
}

#[test]
fn a_batch_that_was_put_back_comes_again_first() {
    let (job, isolate) = pipeline();
    let mut source = SimTask::new(SOURCE, 1).producing(6, 3);
    source.step(&isolate);
    source.step(&isolate);
    let Take::Batch(first) = isolate.take(SINK).unwrap() else {
        panic!("there is a batch")
    };
    isolate.put_back(SINK, first).unwrap();
    assert_eq!(job.metrics().tasks[1].records_in, 0);
    let mut sink = SimTask::new(SINK, 0);
    while sink.step(&isolate) {}
    let numbers: Vec<i64> = sink.received.iter().map(|(_, record)| record.id().1).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    assert_eq!(job.metrics().tasks[1].records_in, 6);
}

#[test]
fn what_must_not_happen_is_an_internal_error() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[1])];
    let job = job(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
    let isolate = job.attach(0, None).unwrap();
    let other = job.attach(1, None).unwrap();
    let internal = |result: sage_types::Result<()>, says: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(error.message.contains(says), "{}", error.message);
    };
    internal(job.attach(0, None).map(drop), "attached already");
    internal(job.attach(9, None).map(drop), "no task for isolate 9");
    internal(isolate.release(SINK), "does not run in this isolate");
    internal(isolate.release(TaskId(77)), "there is no task 77");
    internal(other.finish_task(SINK), "before its input has ended");
    let mut source = SimTask::new(SOURCE, 1).producing(1, 1);
    source.step(&isolate);
    let late = support::sim_task::with_batch(&[], job.registry(), |batch| {
        isolate.emit(SOURCE, 0, batch).map(drop)
    });
    internal(late, "after it was finished");
}

#[test]
fn an_isolate_that_has_gone_can_be_followed_by_another() {
    let (job, isolate) = pipeline();
    isolate.detach();
    let next = job.attach(0, None).unwrap();
    assert_eq!(poll(&next, None), Next::Task(SOURCE));
}
