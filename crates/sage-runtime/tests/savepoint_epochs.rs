//! Copies of epochs: when they are written, and who is told.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{Files, read_epoch};
use sage_runtime::{CheckpointSettings, JobCore, JobEvent, JobState, Partition};
use sage_types::{ErrorCode, ManualClock};
use serde_json::Value as Json;
use support::{Exchange, Stage, TestConnectors, graph, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(20);

struct Run {
    job: Arc<JobCore>,
    files: SimulatedFiles,
    events: Arc<Mutex<Vec<Json>>>,
}

/// A job of a native source that never ends and a sink.
fn start(interval_ms: Option<f64>) -> Run {
    let endless = graph(
        &[Stage::native_source("quiet", 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    );
    let files = SimulatedFiles::new();
    let settings = CheckpointSettings {
        interval_ms,
        ..CheckpointSettings::new("/epochs")
    };
    let job = job_with_checkpoints(
        &endless,
        settings,
        files.shared(),
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
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
    Run { job, files, events }
}

impl Run {
    fn savepoints(&self) -> Vec<Json> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|event| event["type"] == "savepoint")
            .cloned()
            .collect()
    }

    /// Waits until so many were written, or could not be.
    fn until_written(&self, count: usize) -> Vec<Json> {
        let started = Instant::now();
        while self.savepoints().len() < count {
            assert!(started.elapsed() < PATIENCE, "{:?}", self.job.metrics());
            std::thread::yield_now();
        }
        self.savepoints()
    }

    fn epoch_of(&self, path: &str) -> u64 {
        read_epoch(&self.files.shared(), Path::new(path)).unwrap().epoch
    }
}

#[test]
fn given_an_epoch_under_way_when_savepoints_are_asked_for_then_they_are_of_one_that_begins_behind() {
    let run = start(None);
    let begun = run.job.begin_savepoint(Path::new("/a")).unwrap();
    assert_eq!(begun, Some(1));
    // Whether the first is still under way, or not any more.
    for path in ["/b", "/c/d"] {
        run.job.begin_savepoint(Path::new(path)).unwrap();
    }
    let written = run.until_written(3);
    assert!(
        written.iter().all(|event| event["error"].is_null()),
        "{written:?}"
    );
    assert_eq!(written[0]["path"], "/a");
    assert_eq!(run.epoch_of("/a"), 1);
    assert!(run.epoch_of("/b") > 1 && run.epoch_of("/c/d") > 1);
    run.job.cancel();
}

#[test]
fn given_epochs_that_follow_each_other_without_a_pause_when_a_savepoint_is_asked_for_then_it_is_written() {
    // The clock stands still, so that the next one is always due.
    let run = start(Some(f64::MIN_POSITIVE));
    for path in ["/a", "/b", "/c"] {
        run.job.begin_savepoint(Path::new(path)).unwrap();
    }
    assert_eq!(run.until_written(3).len(), 3);
    run.job.cancel();
}

#[test]
fn given_a_job_that_is_stopped_with_a_savepoint_when_it_is_over_then_that_is_its_last_epoch() {
    let run = start(None);
    run.job.stop_with_savepoint(Path::new("/folder/last")).unwrap();
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.job.state(), JobState::Stopped);
    // Events come behind the state that they speak of.
    let started = Instant::now();
    while !run
        .events
        .lock()
        .unwrap()
        .iter()
        .any(|event| event["state"] == "stopped")
    {
        assert!(started.elapsed() < PATIENCE, "{:?}", run.job.metrics());
        std::thread::yield_now();
    }
    let events = run.events.lock().unwrap().clone();
    let written = events
        .iter()
        .position(|event| event["type"] == "savepoint")
        .unwrap();
    assert!(
        events[written..].iter().any(|event| event["state"] == "stopped"),
        "before the job is over: {events:?}"
    );
    assert_eq!(run.epoch_of("/folder/last"), run.epoch_of("/epochs"));
    assert_eq!(
        run.files.list(Path::new("/folder")).unwrap(),
        ["last"],
        "nothing else is left"
    );
}

#[test]
fn given_a_path_that_is_taken_when_a_job_is_to_be_stopped_with_it_then_it_goes_on() {
    let run = start(None);
    run.files.create(Path::new("/mine")).unwrap();
    for refused in [
        run.job.stop_with_savepoint(Path::new("/mine")),
        run.job.begin_savepoint(Path::new("/mine")).map(|_| ()),
        run.job.stop_with_savepoint(Path::new("/epochs")),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::IoExists);
    }
    assert_eq!(run.job.state(), JobState::Running);
    run.job.stop(false).unwrap();
    let refused = run.job.stop_with_savepoint(Path::new("/late")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::JobState);
    assert!(run.job.wait_settled(PATIENCE));
    assert!(run.savepoints().is_empty());
}
