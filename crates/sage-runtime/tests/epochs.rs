//! Epochs of small jobs: what native tasks go on from, ends, stops, and what goes wrong.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{ImagePart, PartKind, TaskImage};
use sage_runtime::{
    CheckpointSettings, ExecutionGraph, Isolate, JobCore, JobEvent, JobState, Next, Partition, StartFrom,
    Take,
};
use sage_types::{ErrorCode, ManualClock, TaskId};
use serde_json::Value as Json;
use support::connectors::SinkLog;
use support::sim_task::with_batch;
use support::{Exchange, Record, Stage, TestConnectors, code_of, graph, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(20);

fn settings() -> CheckpointSettings {
    CheckpointSettings::new("/epochs")
}

struct Run {
    job: Arc<JobCore>,
    clock: Arc<ManualClock>,
    events: Arc<Mutex<Vec<Json>>>,
}

fn start(
    graph: &ExecutionGraph,
    settings: CheckpointSettings,
    files: &SimulatedFiles,
    factory: &Arc<TestConnectors>,
) -> Run {
    let clock = Arc::new(ManualClock::new());
    let job = job_with_checkpoints(
        graph,
        settings,
        files.shared(),
        Arc::clone(&clock) as _,
        Arc::clone(factory) as _,
    )
    .unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    job.on_event(Some(Arc::new(move |event: &JobEvent| {
        heard
            .lock()
            .unwrap()
            .push(serde_json::from_str(&event.to_json()).unwrap());
    })));
    Run { job, clock, events }
}

impl Run {
    /// Looks until something is so.
    fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < PATIENCE, "{what}: {:?}", self.job.metrics());
            std::thread::yield_now();
        }
    }

    fn completed(&self) -> u64 {
        self.job.metrics().checkpoints.unwrap().completed
    }

    /// One epoch more, unless the job is over.
    fn epoch(&self) {
        self.until("an epoch begins", |run| {
            run.job.begin_checkpoint().unwrap().is_some() || run.job.state().is_terminal()
        });
        self.until("it is durable", |run| {
            run.job.metrics().checkpoints.unwrap().in_flight.is_none()
        });
        // What is said of it comes behind the counts.
        self.until("its end is told", |run| {
            let states = run.epoch_states();
            let begun = states.iter().filter(|state| *state == "begun").count();
            begun * 2 == states.len() || run.job.state().is_terminal()
        });
    }

    fn epoch_states(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let epochs = events.iter().filter(|event| event["type"] == "epoch");
        epochs
            .map(|event| event["state"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// `records` from a native source to a native sink.
fn copy_graph(records: u64, parallelism: usize) -> ExecutionGraph {
    graph(
        &[
            Stage::native_source(&format!("count:{records}"), parallelism),
            Stage::native_sink("ok", parallelism),
        ],
        &[Exchange::new(0, 1, Partition::Forward)],
    )
}

fn numbers(log: &SinkLog) -> Vec<f64> {
    log.records.iter().map(|record| record.number).collect()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn counted(records: u64) -> Vec<f64> {
    (0..records).map(|number| number as f64).collect()
}

#[test]
fn given_native_tasks_that_are_killed_behind_some_epochs_when_they_go_on_then_the_output_is_the_undisturbed_one()
 {
    const RECORDS: u64 = 20_000;
    for epochs_before_kill in 0..4 {
        let factory = Arc::new(TestConnectors::default());
        let mut files = SimulatedFiles::new();
        for round in 0..3 {
            let run = start(&copy_graph(RECORDS, 2), settings(), &files, &factory);
            for _ in 0..epochs_before_kill {
                run.epoch();
            }
            run.job.cancel();
            assert!(run.job.wait_settled(PATIENCE));
            files = files.restarted(round);
        }
        let run = start(&copy_graph(RECORDS, 2), settings(), &files, &factory);
        assert!(run.job.wait_settled(PATIENCE), "{:?}", run.job.metrics());
        assert_eq!(run.job.state(), JobState::Finished, "{:?}", run.job.error());
        let logs = factory.logs();
        let committed: Vec<&SinkLog> = logs.iter().filter(|log| log.committed).collect();
        for log in committed.iter().rev().take(2) {
            assert_eq!(numbers(log), counted(RECORDS));
        }
        assert!(committed.len() >= 2);
    }
}

#[test]
fn given_a_job_that_has_ended_when_it_is_started_again_then_it_commits_again_and_ends() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    for round in 0..3 {
        let run = start(&copy_graph(100, 1), settings(), &files, &factory);
        assert!(run.job.wait_settled(PATIENCE));
        assert_eq!(run.job.state(), JobState::Finished, "{:?}", run.job.error());
        assert_eq!(run.job.restored_epoch().is_some(), round > 0);
        let log = factory.logs().pop().unwrap();
        assert!(log.committed);
        assert_eq!(numbers(&log), counted(100));
        assert_eq!(
            run.job.metrics().tasks[0].records_out,
            if round == 0 { 100 } else { 0 }
        );
    }
}

#[test]
fn given_a_job_without_end_when_it_is_stopped_then_the_last_epoch_is_durable_before_sinks_commit() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let endless = graph(
        &[Stage::native_source("endless", 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    );
    let run = start(&endless, settings(), &files, &factory);
    run.epoch();
    run.job.stop(false).unwrap();
    assert!(run.job.wait_settled(PATIENCE), "{:?}", run.job.metrics());
    assert_eq!(run.job.state(), JobState::Stopped, "{:?}", run.job.error());
    run.until("its end is told", |run| {
        run.events
            .lock()
            .unwrap()
            .iter()
            .any(|event| event["state"] == "stopped")
    });
    let events = run.events.lock().unwrap();
    let last = events
        .iter()
        .rposition(|event| event["state"] == "completed")
        .unwrap();
    assert_eq!(events[last]["last"], true);
    assert!(
        events[last..].iter().any(|event| event["state"] == "stopped"),
        "{events:?}"
    );
    assert!(factory.logs()[0].committed);
}

#[test]
fn given_a_disk_that_is_full_when_an_epoch_fails_then_the_job_goes_on_and_the_next_one_is_whole() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let quiet = graph(
        &[Stage::native_source("quiet", 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    );
    let run = start(&quiet, settings(), &files, &factory);
    files.full_after(0);
    run.epoch();
    assert_eq!(run.job.state(), JobState::Running);
    files.free_space();
    run.epoch();
    assert_eq!(run.epoch_states(), ["begun", "failed", "begun", "completed"]);
    let events = run.events.lock().unwrap();
    let failed = events.iter().find(|event| event["state"] == "failed").unwrap();
    assert_eq!(failed["error"]["code"], "SAGE_IO_DISK_FULL");
    drop(events);
    let counts = run.job.metrics().checkpoints.unwrap();
    assert_eq!((counts.completed, counts.failed, counts.last_epoch), (1, 1, 2));
    // The last one: nobody could go on from it.
    files.full_after(0);
    run.job.stop(false).unwrap();
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.job.state(), JobState::Failed);
    assert_eq!(code_of(&run.job.error().unwrap()), "SAGE_IO_DISK_FULL");
    assert!(!factory.logs()[0].committed);
    assert!(factory.logs()[0].detached, "epoch 2 refers to what it wrote");
}

#[test]
fn given_a_directory_in_use_when_another_job_is_created_then_it_is_refused_until_the_first_is_over() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let graph = graph(
        &[Stage::native_source("quiet", 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    );
    let first = start(&graph, settings(), &files, &factory);
    let create = || {
        job_with_checkpoints(
            &graph,
            settings(),
            files.shared(),
            Arc::new(ManualClock::new()),
            Arc::clone(&factory) as _,
        )
    };
    assert_eq!(create().unwrap_err().code, ErrorCode::CheckpointLocked);
    first.job.cancel();
    assert!(first.job.wait_settled(PATIENCE));
    create().unwrap().cancel();
}

#[test]
fn given_state_of_an_operator_that_is_gone_when_the_job_goes_on_then_it_is_named_unless_it_may_be_dropped() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let mut graph = graph(
        &[Stage::native_source("quiet", 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    );
    let first = start(&graph, settings(), &files, &factory);
    first.epoch();
    first.job.cancel();
    assert!(first.job.wait_settled(PATIENCE));
    for task in &mut graph.tasks {
        if task.uid == "stage 1" {
            task.uid = "renamed".into();
            task.operators = vec!["renamed".into()];
        }
    }
    let create = |settings: CheckpointSettings| {
        job_with_checkpoints(
            &graph,
            settings,
            files.shared(),
            Arc::new(ManualClock::new()),
            Arc::clone(&factory) as _,
        )
    };
    let error = create(settings()).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointUnclaimed);
    assert!(error.message.contains("'stage 1'"), "{}", error.message);
    let anew = create(CheckpointSettings {
        from: StartFrom::None,
        ..settings()
    });
    let anew = anew.unwrap();
    assert_eq!(anew.restored_epoch(), None);
    anew.cancel();
    assert!(anew.wait_settled(PATIENCE));
    let dropped = create(CheckpointSettings {
        allow_dropped: true,
        ..settings()
    });
    assert_eq!(dropped.unwrap().restored_epoch(), Some(1));
}

#[test]
fn given_an_interval_when_the_clock_of_the_job_moves_then_epochs_begin_by_themselves() {
    let factory = Arc::new(TestConnectors::default());
    let quiet = graph(
        &[Stage::native_source("quiet", 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    );
    let settings = CheckpointSettings {
        interval_ms: Some(100.0),
        min_pause_ms: 150.0,
        ..settings()
    };
    let run = start(&quiet, settings, &SimulatedFiles::new(), &factory);
    for epoch in 1..4 {
        run.clock.advance_nanos(150_000_000);
        run.until("an epoch is durable", |run| run.completed() == epoch);
    }
    run.until("all of it is told", |run| run.epoch_states().len() == 6);
    run.job.cancel();
    assert!(run.job.wait_settled(PATIENCE));
}

/// A JavaScript source before a JavaScript task, each with two outputs less than it could have.
fn js_graph() -> ExecutionGraph {
    graph(
        &[Stage::js_source(&[0]), Stage::js_source(&[0]), Stage::js(&[0])],
        &[
            Exchange::new(0, 2, Partition::Forward),
            Exchange::new(1, 2, Partition::Forward),
        ],
    )
}

fn image(operator: &str, payload: &[u8]) -> Vec<u8> {
    let mut image = TaskImage::new();
    image
        .push(&ImagePart {
            operator,
            name: "all",
            kind: PartKind::Own,
            is_full: true,
            payload,
        })
        .unwrap();
    image.as_bytes().to_vec()
}

fn emit(isolate: &Isolate, task: TaskId, number: f64) {
    let record = Record {
        key: 0.0,
        source: f64::from(task.0),
        number,
    };
    with_batch(&[record], isolate.job().registry(), |batch| {
        isolate.emit(task, 0, batch).unwrap();
    });
}

#[test]
fn given_a_slow_source_when_the_barrier_of_the_other_has_come_then_only_the_slow_one_is_read_on() {
    let factory = Arc::new(TestConnectors::default());
    let run = start(&js_graph(), settings(), &SimulatedFiles::new(), &factory);
    let isolate = run.job.attach(0, None).unwrap();
    let (fast, slow, sink) = (TaskId(0), TaskId(1), TaskId(2));
    assert_eq!(run.job.begin_checkpoint().unwrap(), Some(1));
    assert_eq!(run.job.begin_checkpoint().unwrap(), None, "one at a time");
    assert_eq!(isolate.barrier_asked(), Some(1));
    assert!(matches!(
        isolate.take(fast).unwrap(),
        Take::Barrier {
            epoch: 1,
            last: false
        }
    ));
    assert!(
        matches!(isolate.take(fast).unwrap(), Take::Nothing),
        "nothing before it has acknowledged"
    );
    isolate.acknowledge(fast, 1, &image("stage 0", b"a")).unwrap();
    emit(&isolate, fast, 1.0);
    emit(&isolate, slow, 2.0);
    let Take::Batch(arrival) = isolate.take(sink).unwrap() else {
        panic!("the slow source is read");
    };
    assert_eq!(arrival.edge.0, 1);
    assert!(
        matches!(isolate.take(sink).unwrap(), Take::Nothing),
        "the other edge waits"
    );
    // Nor does the task come up: it would find nothing.
    while let Next::Task(task) = isolate.poll(None, Duration::ZERO).unwrap() {
        assert_ne!(task, sink);
    }
    assert!(matches!(isolate.take(slow).unwrap(), Take::Barrier { .. }));
    isolate.acknowledge(slow, 1, &image("stage 1", b"b")).unwrap();
    assert!(matches!(
        isolate.take(sink).unwrap(),
        Take::Barrier {
            epoch: 1,
            last: false
        }
    ));
    assert!(matches!(isolate.take(sink).unwrap(), Take::Nothing));
    assert!(
        isolate.acknowledge(sink, 2, &image("stage 2", b"c")).is_err(),
        "another epoch"
    );
    assert!(isolate.acknowledge(sink, 1, b"no image").is_err());
    isolate.acknowledge(sink, 1, &image("stage 2", b"c")).unwrap();
    assert!(
        isolate.acknowledge(sink, 1, &image("stage 2", b"c")).is_err(),
        "twice"
    );
    assert!(
        matches!(isolate.take(sink).unwrap(), Take::Batch(_)),
        "what was behind the barrier"
    );
    run.until("the epoch is durable", |run| run.completed() == 1);
    assert_eq!(isolate.barrier_asked(), None);
    run.job.cancel();
}

#[test]
fn given_a_source_that_ends_before_its_barrier_when_the_others_have_acknowledged_then_the_epoch_is_whole() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let run = start(&js_graph(), settings(), &files, &factory);
    let isolate = run.job.attach(0, None).unwrap();
    let (first, second, sink) = (TaskId(0), TaskId(1), TaskId(2));
    run.job.begin_checkpoint().unwrap();
    isolate.take(first).unwrap();
    isolate.acknowledge(first, 1, &image("stage 0", b"a")).unwrap();
    isolate
        .acknowledge(second, 0, &image("stage 1", b"its end"))
        .unwrap();
    isolate.finish_task(second).unwrap();
    assert!(matches!(isolate.take(sink).unwrap(), Take::Barrier { .. }));
    isolate.acknowledge(sink, 1, &image("stage 2", b"c")).unwrap();
    run.until("the epoch is durable", |run| run.completed() == 1);
    run.job.cancel();
    assert!(run.job.wait_settled(PATIENCE));

    let again = start(&js_graph(), settings(), &files, &factory);
    assert_eq!(again.job.restored_epoch(), Some(1));
    let read = again.job.read_checkpoint("stage 1", "all", 0, 1).unwrap();
    let expected = [
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0][..],
        b"its end",
    ]
    .concat();
    assert_eq!(read, expected);
    assert_eq!(again.job.read_checkpoint("stage 1", "other", 0, 1).unwrap(), [0]);
    let isolate = again.job.attach(0, None).unwrap();
    let finished: Vec<bool> = again
        .job
        .metrics()
        .tasks
        .iter()
        .map(|task| task.finished)
        .collect();
    assert_eq!(finished, [false, true, false], "what had ended has ended");
    // And is there in the next epoch.
    again.job.begin_checkpoint().unwrap();
    isolate.take(first).unwrap();
    isolate.acknowledge(first, 2, &image("stage 0", b"a")).unwrap();
    assert!(matches!(
        isolate.take(sink).unwrap(),
        Take::Barrier { epoch: 2, .. }
    ));
    isolate.acknowledge(sink, 2, &image("stage 2", b"c")).unwrap();
    again.until("the epoch is durable", |run| run.completed() == 1);
    again.job.cancel();
    assert!(again.job.wait_settled(PATIENCE));
    let third = start(&js_graph(), settings(), &files, &factory);
    assert_eq!(
        third.job.read_checkpoint("stage 1", "all", 0, 1).unwrap(),
        expected
    );
    third.job.cancel();
}

#[test]
fn given_an_epoch_that_nobody_acknowledges_when_the_job_is_cancelled_then_it_is_over_at_once() {
    let factory = Arc::new(TestConnectors::default());
    let run = start(&js_graph(), settings(), &SimulatedFiles::new(), &factory);
    let isolate = run.job.attach(0, None).unwrap();
    run.job.begin_checkpoint().unwrap();
    isolate.take(TaskId(0)).unwrap();
    run.job.cancel();
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.epoch_states(), ["begun"]);
    isolate
        .acknowledge(TaskId(0), 1, &image("stage 0", b"a"))
        .unwrap();
}
