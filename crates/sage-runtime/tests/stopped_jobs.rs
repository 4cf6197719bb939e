//! Jobs that are stopped and go on, and what is looked at when a job is created.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sage_checkpoint::testing::SimulatedFiles;
use sage_runtime::{CheckpointSettings, ExecutionGraph, JobCore, JobState, Partition};
use sage_types::{ErrorCode, ManualClock, Result};
use support::connectors::SinkLog;
use support::{Exchange, Stage, TestConnectors, code_of, graph, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(20);

fn create(
    graph: &ExecutionGraph,
    files: &SimulatedFiles,
    factory: &Arc<TestConnectors>,
) -> Result<Arc<JobCore>> {
    job_with_checkpoints(
        graph,
        CheckpointSettings::new("/epochs"),
        files.shared(),
        Arc::new(ManualClock::new()),
        Arc::clone(factory) as _,
    )
}

/// From a native source to a native sink.
fn copy_of(source: &str, parallelism: usize) -> ExecutionGraph {
    graph(
        &[
            Stage::native_source(source, parallelism),
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
fn given_a_job_that_was_stopped_when_it_goes_on_then_its_sinks_go_on_behind_what_they_had_completed() {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let endless = copy_of("endless", 2);
    let mut before = 0;
    for round in 0..3 {
        let job = create(&endless, &files, &factory).unwrap();
        assert_eq!(job.restored_epoch().is_some(), round > 0);
        let started = Instant::now();
        while factory
            .logs()
            .last()
            .is_none_or(|log| log.records.len() <= before)
        {
            assert!(started.elapsed() < PATIENCE, "there is nothing more");
            std::thread::yield_now();
        }
        job.stop(false).unwrap();
        assert!(job.wait_settled(PATIENCE), "{:?}", job.metrics());
        assert_eq!(job.state(), JobState::Stopped, "{:?}", job.error());
        let logs = factory.logs();
        for log in &logs[logs.len() - 2..] {
            assert!(log.committed);
            assert_eq!(numbers(log), counted(log.records.len() as u64));
            // What it is without its end comes right before what is complete; otherwise nobody could go on.
            let sealed = log.prepared.iter().position(|last| *last).unwrap();
            assert!(!log.prepared[sealed - 1], "{:?}", log.prepared);
        }
        before = logs.last().unwrap().records.len();
    }
}

#[test]
fn given_no_checkpoints_when_a_job_ends_then_its_sinks_prepare_once() {
    let factory = Arc::new(TestConnectors::default());
    let job = JobCore::new(
        &copy_of("count:100", 1).encode(),
        Arc::new(ManualClock::new()),
        Arc::clone(&factory) as _,
    )
    .unwrap();
    assert!(job.wait_settled(PATIENCE));
    assert_eq!(factory.logs()[0].prepared, [true]);
}

#[test]
fn given_a_source_that_cannot_be_read_twice_when_a_job_is_created_then_it_is_refused_and_the_directory_is_free()
 {
    let factory = Arc::new(TestConnectors::default());
    let files = SimulatedFiles::new();
    let error = create(&copy_of("pipe", 1), &files, &factory)
        .map(drop)
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointSource);
    // What else is wrong is said when it is opened.
    let job = create(&copy_of("open-error", 1), &files, &factory).unwrap();
    assert!(job.wait_settled(PATIENCE));
    assert_eq!(code_of(&job.error().unwrap()), "SAGE_IO_READ");
}
