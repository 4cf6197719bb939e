//! What is counted, against a clock that the test moves.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use sage_runtime::{Next, Partition, Take};
use sage_types::{ManualClock, SharedClock, TaskId};
use support::{Exchange, SimTask, Stage, TestConnectors, graph, job_with};

#[test]
fn time_is_split_into_idle_busy_and_backpressured() {
    let clock = Arc::new(ManualClock::new());
    let stages = [Stage::js_source(&[0]), Stage::js(&[1])];
    let graph = graph(
        &stages,
        &[Exchange::new(0, 1, Partition::Forward).with_max_rows(4)],
    );
    let job = job_with(
        graph,
        Arc::clone(&clock) as SharedClock,
        Arc::new(TestConnectors::default()),
    );
    clock.advance_nanos(1000);
    let source_isolate = job.attach(0, None).unwrap();
    let sink_isolate = job.attach(1, None).unwrap();
    let mut source = SimTask::new(TaskId(0), 1).producing(100, 4);

    assert_eq!(
        source_isolate.poll(None, Duration::ZERO).unwrap(),
        Next::Task(TaskId(0))
    );
    clock.advance_nanos(70);
    source.step(&source_isolate);
    source_isolate.release(TaskId(0)).unwrap();
    clock.advance_nanos(300);
    assert_eq!(
        sink_isolate.poll(None, Duration::ZERO).unwrap(),
        Next::Task(TaskId(1))
    );
    assert!(matches!(sink_isolate.take(TaskId(1)).unwrap(), Take::Batch(_)));
    clock.advance_nanos(5);
    assert_eq!(
        source_isolate.poll(None, Duration::ZERO).unwrap(),
        Next::Task(TaskId(0))
    );
    clock.advance_nanos(2);

    let metrics = job.metrics();
    let [source, sink] = &metrics.tasks[..] else {
        panic!("two tasks")
    };
    assert_eq!(
        (source.idle_nanos, source.busy_nanos, source.backpressured_nanos),
        (1000, 72, 305)
    );
    assert_eq!(
        (sink.idle_nanos, sink.busy_nanos, sink.backpressured_nanos),
        (1370, 7, 0)
    );
    assert_eq!((source.records_out, source.batches_out), (4, 1));
    assert_eq!((sink.records_in, sink.batches_in), (4, 1));
    assert_eq!(source.bytes_out, sink.bytes_in);
    assert_eq!(metrics.duration_nanos, 377);
    assert_eq!(metrics.edges[0].sent_bytes, sink.bytes_in);
}

#[test]
fn a_broadcast_counts_once_for_its_task_and_once_per_edge() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[0, 0, 0])];
    let graph = graph(&stages, &[Exchange::new(0, 1, Partition::Broadcast)]);
    let job = job_with(
        graph,
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    );
    let isolate = job.attach(0, None).unwrap();
    SimTask::new(TaskId(0), 1).producing(10, 5).step(&isolate);
    let metrics = job.metrics();
    assert_eq!(metrics.tasks[0].records_out, 5);
    assert_eq!(
        metrics.edges.iter().map(|edge| edge.sent).collect::<Vec<_>>(),
        [5, 5, 5]
    );
    assert_eq!(
        metrics.edges.iter().map(|edge| edge.queued).collect::<Vec<_>>(),
        [5, 5, 5]
    );
}

#[test]
fn metrics_are_json_with_the_counters_of_the_host() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[0])];
    let graph = graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]);
    let job = job_with(
        graph,
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    );
    let isolate = job.attach(0, None).unwrap();
    isolate.report_counts(TaskId(1), &[1.0, 2.5]).unwrap();
    isolate.report_counts(TaskId(1), &[3.0, 4.5]).unwrap();
    let json = serde_json::to_value(job.metrics()).unwrap();
    assert_eq!(json["state"], "running");
    assert_eq!(json["tasks"][1]["reported"], serde_json::json!([3.0, 4.5]));
    assert_eq!(json["tasks"][1]["name"], "stage 1");
    for field in [
        "recordsIn",
        "recordsOut",
        "bytesIn",
        "batchesOut",
        "idleNanos",
        "busyNanos",
        "backpressuredNanos",
    ] {
        assert!(json["tasks"][0][field].is_number(), "{field}");
    }
    for field in ["sent", "received", "fromTask", "toTask", "queued", "queuedBytes"] {
        assert!(json["edges"][0][field].is_number(), "{field}");
    }
}
