//! A stop while the records of sources that have ended still go around.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use sage_checkpoint::TaskImage;
use sage_checkpoint::testing::SimulatedFiles;
use sage_runtime::{
    CheckpointSettings, EndKind, ExecutionGraph, FeedbackPlan, Isolate, JobCore, JobState, Next, Partition,
    Take,
};
use sage_types::{ManualClock, TaskId};
use support::sim_task::{records_of, with_batch};
use support::{Exchange, Record, Stage, TestConnectors, graph, job_with_checkpoints};

const SOURCE: TaskId = TaskId(0);
const HEAD: TaskId = TaskId(1);
const TAIL: TaskId = TaskId(2);
const SINK: TaskId = TaskId(3);

/// A source, head and tail of a loop, and what is behind it.
fn loop_graph() -> ExecutionGraph {
    let stages = [
        Stage::js_source(&[0]),
        Stage::js(&[0]),
        Stage::js(&[0]),
        Stage::js(&[0]),
    ];
    let exchanges = [
        Exchange::new(0, 1, Partition::Rebalance),
        Exchange::new(1, 2, Partition::Rebalance),
        Exchange::new(2, 1, Partition::Rebalance),
        Exchange::new(2, 3, Partition::Rebalance),
    ];
    let mut graph = graph(&stages, &exchanges);
    for edge in &mut graph.edges {
        if (edge.from_task, edge.to_task) == (TAIL, HEAD) {
            edge.feedback = Some(FeedbackPlan {
                name: "again".into(),
                memory_bytes: 1 << 20,
                spill_bytes: 1 << 20,
            });
            edge.timeless = true;
        }
    }
    graph
}

/// What the JavaScript of the tasks would do.
struct Host {
    isolate: Isolate,
    /// How often the tail still sends back what comes to it.
    laps: u32,
    /// Who was asked for what it holds, as the loop has come to rest.
    flushed: Vec<TaskId>,
    barriers: Vec<TaskId>,
    ends: Vec<(TaskId, EndKind)>,
}

impl Host {
    fn of(job: &Arc<JobCore>, laps: u32) -> Self {
        Self {
            isolate: job.attach(0, None).unwrap(),
            laps,
            flushed: Vec::new(),
            barriers: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn next(&self) -> Option<TaskId> {
        match self.isolate.poll(None, Duration::ZERO).unwrap() {
            Next::Task(id) => Some(id),
            Next::Idle | Next::Over => None,
        }
    }

    /// Asks until there is nothing, as isolates do.
    fn run(&mut self, id: TaskId) {
        while self.step(id) {}
        self.isolate.settle_task(id).unwrap();
        self.isolate.release(id).unwrap();
    }

    /// Whether there may be more.
    fn step(&mut self, id: TaskId) -> bool {
        let nothing = TaskImage::new();
        let nothing = nothing.as_bytes();
        match self.isolate.take(id).unwrap() {
            Take::Source => {
                let record = Record {
                    key: 0.0,
                    source: 0.0,
                    number: 9.0,
                };
                self.emit(id, 0, &[record]);
                self.isolate.acknowledge(id, 0, nothing).unwrap();
                self.isolate.finish_task(id).unwrap();
                return false;
            }
            Take::Batch(arrival) => {
                let records = records_of(&arrival.frame.view(self.isolate.job().registry()).unwrap());
                if id == HEAD || self.laps > 0 {
                    self.laps -= u32::from(id == TAIL);
                    self.emit(id, 0, &records);
                }
            }
            Take::Barrier { epoch, .. } => {
                self.barriers.push(id);
                self.isolate.acknowledge(id, epoch, nothing).unwrap();
            }
            Take::End(kind) => {
                self.ends.push((id, kind));
                self.isolate.acknowledge(id, 0, nothing).unwrap();
                self.isolate.finish_task(id).unwrap();
                return false;
            }
            Take::Flush => self.flushed.push(id),
            Take::Time(_) => {}
            Take::Nothing => return false,
        }
        true
    }

    fn emit(&self, id: TaskId, output: u32, records: &[Record]) {
        let registry = self.isolate.job().registry();
        with_batch(records, registry, |view| {
            self.isolate.emit(id, output, view).unwrap()
        });
    }
}

fn job() -> Arc<JobCore> {
    job_with_checkpoints(
        &loop_graph(),
        CheckpointSettings::new("/epochs"),
        SimulatedFiles::new().shared(),
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    )
    .unwrap()
}

#[test]
fn given_a_loop_whose_sources_have_ended_when_the_job_is_stopped_then_nothing_behind_it_is_told_that_all_has_come()
 {
    let job = job();
    let mut host = Host::of(&job, u32::MAX);
    host.run(host.next().filter(|&id| id == SOURCE).unwrap());
    // Once around.
    while let Some(id) = host.next() {
        host.run(id);
        if id == TAIL {
            break;
        }
    }
    job.stop(false).unwrap();
    // The task behind the loop takes its time: the loop has logged all that goes around, and is at rest.
    let mut slow = Vec::new();
    while let Some(id) = host.next() {
        if id == SINK { slow.push(id) } else { host.run(id) }
    }
    assert_eq!(host.ends, [], "the loop ended by itself");
    assert_eq!(slow, [SINK]);
    host.run(SINK);
    while let Some(id) = host.next() {
        host.run(id);
    }
    assert_eq!(
        host.ends,
        [HEAD, TAIL, SINK].map(|id| (id, EndKind::Stopped)),
        "what went around is in the last epoch"
    );
    assert_stopped(&job);
}

#[test]
fn given_a_loop_that_has_come_to_its_end_when_the_job_is_stopped_before_its_tasks_know_then_they_end_as_stopped()
 {
    let job = job();
    let mut host = Host::of(&job, 3);
    // The head knows that the source has ended, and is told next that nothing comes around.
    while let Some(id) = host.next() {
        if id == HEAD && host.flushed.len() == 2 {
            break;
        }
        host.run(id);
    }
    assert_eq!((host.flushed.len(), &*host.ends), (2, &[][..]));
    job.stop(false).unwrap();
    host.run(HEAD);
    assert_eq!(host.barriers, [HEAD]);
    while let Some(id) = host.next() {
        host.run(id);
    }
    assert_eq!(
        host.ends,
        [HEAD, TAIL, SINK].map(|id| (id, EndKind::Stopped)),
        "nothing fires behind the last barrier"
    );
    assert_stopped(&job);
}

fn assert_stopped(job: &JobCore) {
    assert!(job.wait_settled(Duration::from_secs(20)), "{:?}", job.metrics());
    assert_eq!(job.state(), JobState::Stopped);
}
