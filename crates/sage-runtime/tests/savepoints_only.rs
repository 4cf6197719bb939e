//! Savepoints of jobs without a directory, and epochs that are asked for in a pause.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{Files, ImagePart, PartKind, TaskImage, read_epoch};
use sage_runtime::{
    CheckpointSettings, ExecutionGraph, Isolate, JobCore, JobEvent, JobState, Next, Partition, StartFrom,
    Take,
};
use sage_types::{ErrorCode, ManualClock, SageError, TaskId};
use serde_json::Value as Json;
use support::{Exchange, Stage, TestConnectors, graph, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(20);

struct Run {
    job: Arc<JobCore>,
    files: SimulatedFiles,
    factory: Arc<TestConnectors>,
    events: Arc<Mutex<Vec<Json>>>,
}

fn start_from(
    graph: &ExecutionGraph,
    files: &SimulatedFiles,
    factory: &Arc<TestConnectors>,
    from: StartFrom,
) -> Run {
    let settings = CheckpointSettings {
        from,
        ..CheckpointSettings::savepoints_only()
    };
    let job = job_with_checkpoints(
        graph,
        settings,
        files.shared(),
        Arc::new(ManualClock::new()),
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
    Run {
        job,
        files: files.clone(),
        factory: Arc::clone(factory),
        events,
    }
}

fn start(graph: &ExecutionGraph) -> Run {
    start_from(
        graph,
        &SimulatedFiles::new(),
        &Arc::new(TestConnectors::default()),
        StartFrom::None,
    )
}

fn copying(source: &str) -> ExecutionGraph {
    graph(
        &[Stage::native_source(source, 1), Stage::native_sink("ok", 1)],
        &[Exchange::new(0, 1, Partition::Forward)],
    )
}

fn of_javascript() -> ExecutionGraph {
    graph(
        &[Stage::js_source(&[0]), Stage::js(&[0])],
        &[Exchange::new(0, 1, Partition::Forward)],
    )
}

fn image(operator: &str) -> Vec<u8> {
    let mut image = TaskImage::new();
    image
        .push(&ImagePart {
            operator,
            name: "position",
            kind: PartKind::Own,
            is_full: true,
            payload: b"here",
        })
        .unwrap();
    image.as_bytes().to_vec()
}

impl Run {
    fn savepoints(&self) -> Vec<Json> {
        let events = self.events.lock().unwrap();
        let told = events.iter().filter(|event| event["event"] == "savepoint");
        told.cloned().collect()
    }

    fn until_told(&self, count: usize) -> Vec<Json> {
        let started = Instant::now();
        while self.savepoints().len() < count {
            assert!(started.elapsed() < PATIENCE, "{:?}", self.job.metrics());
            std::thread::yield_now();
        }
        self.savepoints()
    }

    /// Hands out the tasks of an isolate until one gets its barrier; the source has nothing meanwhile.
    fn barrier_between_records(isolate: &Isolate) -> (TaskId, u64) {
        Self::barrier_and(isolate, || {})
    }

    /// The same, and nobody asks the source.
    fn barrier(isolate: &Isolate) -> (TaskId, u64) {
        Self::barrier_and(isolate, || panic!("a source was told to give records"))
    }

    fn barrier_and(isolate: &Isolate, asked: impl Fn()) -> (TaskId, u64) {
        let started = Instant::now();
        let mut released = None;
        loop {
            assert!(started.elapsed() < PATIENCE, "no barrier comes");
            let Next::Task(task) = isolate.poll(released.take(), Duration::ZERO).unwrap() else {
                continue;
            };
            match isolate.take(task).unwrap() {
                Take::Barrier { epoch, .. } => return (task, epoch),
                Take::Source => {
                    asked();
                    released = Some(task);
                }
                _ => released = Some(task),
            }
        }
    }
}

#[test]
fn given_a_job_that_nobody_asks_when_it_ends_then_its_sinks_are_sealed_once_and_nothing_is_written() {
    let run = start(&copying("count:100"));
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.job.state(), JobState::Finished);
    let [log] = &run.factory.logs()[..] else { panic!() };
    assert_eq!((log.prepared.as_slice(), log.committed), (&[true][..], true));
    let refused = run.job.begin_savepoint(Path::new("/late")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::JobState);
    assert!(
        run.events
            .lock()
            .unwrap()
            .iter()
            .all(|event| event["event"].is_null())
    );
}

#[test]
fn given_savepoints_when_the_job_is_stopped_then_each_is_an_epoch_of_its_own_and_sinks_commit_at_the_end_only()
 {
    let run = start(&copying("quiet"));
    for (count, path) in ["/a", "/b/c"].iter().enumerate() {
        run.job.begin_savepoint(Path::new(path)).unwrap();
        let told = run.until_told(count + 1);
        assert_eq!(
            (told[count]["path"].as_str(), &told[count]["error"]),
            (Some(*path), &Json::Null)
        );
        assert_eq!(
            read_epoch(&run.files.shared(), Path::new(path)).unwrap().epoch,
            count as u64 + 1
        );
    }
    assert!(!run.factory.logs()[0].committed);
    run.job.stop(false).unwrap();
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.job.state(), JobState::Stopped);
    assert!(run.factory.logs()[0].committed);
    assert_eq!(run.files.list(Path::new("/b")).unwrap(), ["c"]);
    assert_eq!(run.savepoints().len(), 2, "a stop without one writes none");
}

#[test]
fn given_a_job_that_was_stopped_with_one_when_another_goes_on_then_its_epochs_are_later_and_its_records_come_once()
 {
    let run = start(&copying("quiet"));
    run.job.stop_with_savepoint(Path::new("/last")).unwrap();
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.job.state(), JobState::Stopped);
    let before = run.factory.logs()[0].records.len();
    let again = start_from(
        &copying("quiet"),
        &run.files,
        &run.factory,
        StartFrom::Path("/last".into()),
    );
    assert_eq!(again.job.restored_epoch(), Some(1));
    again.job.stop_with_savepoint(Path::new("/later")).unwrap();
    assert!(again.job.wait_settled(PATIENCE));
    assert_eq!(
        read_epoch(&run.files.shared(), Path::new("/later"))
            .unwrap()
            .epoch,
        2
    );
    // The source gives ten in all.
    assert!(before <= again.factory.logs()[1].records.len() && again.factory.logs()[1].records.len() <= 10);
}

#[test]
fn given_a_savepoint_behind_which_the_job_is_cancelled_when_it_is_over_then_what_it_refers_to_is_left() {
    let run = start(&copying("quiet"));
    run.job.begin_savepoint(Path::new("/a")).unwrap();
    run.until_told(1);
    run.job.cancel();
    assert!(run.job.wait_settled(PATIENCE));
    let [log] = &run.factory.logs()[..] else { panic!() };
    assert_eq!((log.detached, log.aborted), (true, false));
}

#[test]
fn given_a_source_that_cannot_be_read_twice_when_one_is_asked_for_then_it_is_refused_and_the_job_goes_on() {
    let run = start(&copying("pipe"));
    for refused in [
        run.job.begin_savepoint(Path::new("/a")).map(|_| ()),
        run.job.stop_with_savepoint(Path::new("/a")),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::CheckpointSource);
    }
    assert_eq!(run.job.state(), JobState::Running);
    run.job.stop(false).unwrap();
    assert!(run.job.wait_settled(PATIENCE));
    assert_eq!(run.job.state(), JobState::Stopped);
}

#[test]
fn given_a_task_that_cannot_hand_over_what_it_holds_when_one_is_asked_for_then_that_one_fails_and_the_next_is_written()
 {
    let run = start(&of_javascript());
    let isolate = run.job.attach(0, None).unwrap();
    for path in ["/a", "/b"] {
        run.job.begin_savepoint(Path::new(path)).unwrap();
        for _ in 0..2 {
            let (task, epoch) = Run::barrier_between_records(&isolate);
            if path == "/a" && task == TaskId(1) {
                let error = SageError::new(ErrorCode::StateValue, "a function").to_json();
                isolate.refuse(task, epoch, &error).unwrap();
            } else {
                isolate
                    .acknowledge(task, epoch, &image(&format!("stage {}", task.0)))
                    .unwrap();
            }
            isolate.release(task).unwrap();
        }
        run.until_told(if path == "/a" { 1 } else { 2 });
    }
    let told = run.savepoints();
    assert_eq!(told[0]["error"]["code"], "SAGE_STATE_VALUE");
    assert!(told[1]["error"].is_null());
    assert!(
        run.files
            .list(Path::new("/"))
            .unwrap()
            .iter()
            .all(|name| name != "a")
    );
    run.job.cancel();
}

#[test]
fn given_a_pause_when_one_is_asked_for_then_barriers_go_through_and_sources_give_nothing_before_the_resume() {
    let run = start(&of_javascript());
    let isolate = run.job.attach(0, None).unwrap();
    run.job.pause().unwrap();
    assert!(matches!(isolate.poll(None, Duration::ZERO).unwrap(), Next::Idle));
    run.job.begin_savepoint(Path::new("/a")).unwrap();
    for _ in 0..2 {
        let (task, epoch) = Run::barrier(&isolate);
        isolate
            .acknowledge(task, epoch, &image(&format!("stage {}", task.0)))
            .unwrap();
        isolate.release(task).unwrap();
    }
    assert!(run.until_told(1)[0]["error"].is_null());
    assert_eq!(run.job.state(), JobState::Paused);
    assert!(matches!(isolate.poll(None, Duration::ZERO).unwrap(), Next::Idle));
    run.job.resume().unwrap();
    let Next::Task(task) = isolate.poll(None, Duration::from_secs(1)).unwrap() else {
        panic!("nothing is handed out")
    };
    assert!(matches!(isolate.take(task).unwrap(), Take::Source));
    run.job.cancel();
}
