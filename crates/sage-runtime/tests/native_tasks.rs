//! Native sources and sinks: their threads, their errors, and that sinks commit only when everything went well.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use sage_runtime::{ExecutionGraph, JobCore, JobState, Next, Partition};
use sage_types::{SystemClock, TaskId};
use support::{Exchange, SimTask, Stage, TestConnectors, code_of, graph, job_with};

const LONG: Duration = Duration::from_secs(20);

fn start(graph: ExecutionGraph) -> (Arc<JobCore>, Arc<TestConnectors>) {
    let connectors = Arc::new(TestConnectors::default());
    (
        job_with(graph, Arc::new(SystemClock::new()), Arc::clone(&connectors) as _),
        connectors,
    )
}

fn source_to_sink(source: &str, sink: &str) -> ExecutionGraph {
    let stages = [Stage::native_source(source, 2), Stage::native_sink(sink, 1)];
    graph(&stages, &[Exchange::new(0, 1, Partition::Rebalance)])
}

#[test]
fn a_native_pipeline_runs_without_any_isolate() {
    let (job, connectors) = start(source_to_sink("count:1000", "ok"));
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
    let sink = &connectors.logs()[0];
    assert!(sink.committed && !sink.aborted);
    assert_eq!(sink.records.len(), 2000);
    for instance in [0, 1] {
        let numbers = sink
            .records
            .iter()
            .map(support::Record::id)
            .filter(|id| id.0 == instance)
            .map(|id| id.1);
        assert!(numbers.eq(0..1000), "order of instance {instance}");
    }
    let metrics = job.metrics();
    assert_eq!(
        metrics.sources.iter().map(|source| source.records).sum::<u64>(),
        2000
    );
    assert_eq!(metrics.sinks[0].report["records"], 2000);
    assert_eq!(
        metrics.tasks.iter().map(|task| task.records_out).sum::<u64>(),
        2000
    );
    assert!(metrics.tasks.iter().all(|task| task.finished));
}

#[test]
fn a_sink_commits_only_after_every_other_task_has_finished() {
    let stages = [
        Stage::native_source("count:100", 1),
        Stage::native_sink("ok", 1),
        Stage::js(&[0]),
    ];
    let exchanges = [
        Exchange::new(0, 1, Partition::Forward),
        Exchange::new(0, 2, Partition::Forward),
    ];
    let (job, connectors) = start(graph(&stages, &exchanges));
    let isolate = job.attach(0, None).unwrap();
    let mut task = SimTask::new(TaskId(2), 0);
    while task.received.len() < 100 {
        if let Next::Task(id) = isolate.poll(None, Duration::from_millis(10)).unwrap() {
            while task.step(&isolate) && task.received.len() < 100 {}
            isolate.release(id).unwrap();
        }
        assert!(!connectors.logs().iter().any(|sink| sink.committed));
    }
    assert_eq!(job.state(), JobState::Running);
    while isolate.poll(None, Duration::from_millis(10)).unwrap() != Next::Over {
        task.step(&isolate);
    }
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Finished);
    assert!(connectors.logs()[0].committed);
}

#[test]
fn every_failure_of_a_connector_fails_the_job_and_nothing_is_committed() {
    let cases = [
        ("open-error", "ok", "SAGE_IO_READ"),
        ("read-error", "ok", "SAGE_IO_READ"),
        ("read-panic", "ok", "SAGE_INTERNAL"),
        ("count:100", "write-error", "SAGE_IO_READ"),
        ("count:100", "write-panic", "SAGE_INTERNAL"),
        ("count:100", "prepare-error", "SAGE_IO_READ"),
        ("count:100", "commit-error", "SAGE_IO_READ"),
    ];
    for (source, sink, code) in cases {
        let (job, connectors) = start(source_to_sink(source, sink));
        assert!(job.wait_settled(LONG), "{source} to {sink}");
        assert_eq!(job.state(), JobState::Failed);
        let error = job.error().unwrap();
        assert_eq!(code_of(&error), code);
        assert!(error.contains("\"task\":"), "{error}");
        for log in connectors.logs() {
            assert!(!log.committed, "{source} to {sink}");
            assert!(log.aborted || sink == "commit-error", "{source} to {sink}");
        }
    }
}

#[test]
fn a_sink_that_fails_at_its_end_fails_the_job_before_any_other_commits() {
    let stages = [
        Stage::native_source("count:100", 1),
        Stage::native_sink("ok", 1),
        Stage::native_sink("prepare-error", 1),
    ];
    let exchanges = [
        Exchange::new(0, 1, Partition::Forward),
        Exchange::new(0, 2, Partition::Forward),
    ];
    let (job, connectors) = start(graph(&stages, &exchanges));
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Failed);
    let logs = connectors.logs();
    assert_eq!(logs.len(), 2);
    assert!(
        logs.iter().all(|sink| sink.aborted && !sink.committed),
        "{logs:?}"
    );
}

#[test]
fn the_instances_of_a_source_share_what_was_pinned_once() {
    let (job, connectors) = start(source_to_sink("count:10", "ok"));
    assert!(job.wait_settled(LONG));
    assert_eq!(connectors.pins.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn a_panic_names_what_it_said() {
    let (job, _) = start(source_to_sink("read-panic", "ok"));
    assert!(job.wait_settled(LONG));
    assert!(job.error().unwrap().contains("the reader has a bug"));
}

#[test]
fn a_cancel_aborts_sinks_and_ends_sources() {
    let (job, connectors) = start(source_to_sink("endless", "ok"));
    while connectors.logs().iter().all(|sink| sink.records.is_empty()) {
        std::thread::yield_now();
    }
    assert!(job.cancel());
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Canceled);
    assert!(connectors.logs()[0].aborted && !connectors.logs()[0].committed);
}

#[test]
fn a_stop_ends_endless_sources_and_commits() {
    let (job, connectors) = start(source_to_sink("endless", "ok"));
    while connectors.logs().iter().all(|sink| sink.records.is_empty()) {
        std::thread::yield_now();
    }
    job.stop(false).unwrap();
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Stopped, "{:?}", job.error());
    let sink = &connectors.logs()[0];
    assert!(sink.committed);
    let sent: u64 = job.metrics().tasks.iter().map(|task| task.records_out).sum();
    assert_eq!(sink.records.len() as u64, sent);
}

#[test]
fn a_sink_whose_reader_has_gone_stops_the_job_and_commits() {
    let (job, connectors) = start(source_to_sink("endless", "enough"));
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Stopped, "{:?}", job.error());
    let sink = &connectors.logs()[0];
    assert!(sink.committed && !sink.aborted && !sink.records.is_empty());
}

#[test]
fn a_write_that_waits_for_a_reader_is_given_up_when_the_job_is_cancelled() {
    let (job, connectors) = start(source_to_sink("endless", "stuck"));
    assert!(job.cancel());
    assert!(job.wait_settled(LONG));
    assert_eq!(job.state(), JobState::Canceled);
    assert_eq!(job.suppressed_errors().len(), 0);
    assert!(
        connectors
            .logs()
            .iter()
            .all(|sink| sink.aborted && !sink.committed)
    );
}

#[test]
fn a_paused_source_reads_no_further() {
    let stages = [Stage::native_source("endless", 1), Stage::native_sink("ok", 1)];
    let (job, connectors) = start(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
    let sent = || job.metrics().edges[0].sent;
    let idle_nanos = || job.metrics().tasks[0].idle_nanos;
    while sent() < 100 {
        std::thread::yield_now();
    }
    job.pause().unwrap();
    let at_pause = sent();
    // The sink goes on, so that the source has room; when its thread has been idle for some time it has seen the pause.
    let idle_before = idle_nanos();
    while idle_nanos() < idle_before + 30_000_000 {
        std::thread::yield_now();
    }
    let standing = sent();
    assert!(
        standing <= at_pause + 10,
        "one batch of ten may have been in hand: {at_pause}, {standing}"
    );
    while idle_nanos() < idle_before + 60_000_000 {
        std::thread::yield_now();
    }
    assert_eq!(sent(), standing);
    assert_eq!(
        connectors.logs()[0].records.len() as u64,
        standing,
        "the sink has taken what there was"
    );
    job.resume().unwrap();
    while sent() < standing + 100 {
        std::thread::yield_now();
    }
    job.cancel();
    assert!(job.wait_settled(LONG));
}

#[test]
fn a_slow_consumer_holds_a_native_source_back() {
    let stages = [Stage::native_source("count:100000", 1), Stage::js(&[0])];
    let (job, _) = start(graph(
        &stages,
        &[Exchange::new(0, 1, Partition::Forward).with_max_rows(50)],
    ));
    let isolate = job.attach(0, None).unwrap();
    let mut task = SimTask::new(TaskId(1), 0);
    for _ in 0..200 {
        if let Next::Task(id) = isolate.poll(None, Duration::from_millis(10)).unwrap() {
            task.step(&isolate);
            isolate.release(id).unwrap();
        }
        let queued = job.metrics().edges[0].queued;
        assert!(queued < 60, "{queued} records are queued, batches have 10");
    }
    job.cancel();
    assert!(job.wait_settled(LONG));
}

#[test]
fn a_source_that_waits_is_idle_and_a_stop_or_cancel_does_not_wait_for_it() {
    for stop in [true, false] {
        let stages = [Stage::native_source("quiet", 1), Stage::native_sink("ok", 1)];
        let (job, connectors) = start(graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]));
        while connectors.logs().iter().all(|sink| sink.records.len() < 10) {
            std::thread::yield_now();
        }
        let idle_nanos = || job.metrics().tasks[0].idle_nanos;
        let before = idle_nanos();
        while idle_nanos() < before + 30_000_000 {
            std::thread::yield_now();
        }
        if stop {
            job.stop(false).unwrap();
        } else {
            job.cancel();
        }
        assert!(job.wait_settled(LONG));
        assert_eq!(connectors.logs()[0].committed, stop);
        assert_eq!(connectors.logs()[0].records.len(), 10);
    }
}
