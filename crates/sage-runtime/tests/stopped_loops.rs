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
    ends: Vec<(TaskId, EndKind)>,
}

impl Host {
    fn next(&self) -> Option<TaskId> {
        match self.isolate.poll(None, Duration::ZERO).unwrap() {
            Next::Task(id) => Some(id),
            Next::Idle | Next::Over => None,
        }
    }

    fn run(&mut self, id: TaskId) {
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
            }
            // All that comes goes around for ever.
            Take::Batch(arrival) => {
                let records = records_of(&arrival.frame.view(self.isolate.job().registry()).unwrap());
                self.emit(id, 0, &records);
            }
            Take::Barrier { epoch, .. } => self.isolate.acknowledge(id, epoch, nothing).unwrap(),
            Take::End(kind) => {
                self.ends.push((id, kind));
                self.isolate.acknowledge(id, 0, nothing).unwrap();
                self.isolate.finish_task(id).unwrap();
            }
            Take::Nothing | Take::Flush | Take::Time(_) => {}
        }
        self.isolate.settle_task(id).unwrap();
        self.isolate.release(id).unwrap();
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
    let mut host = Host {
        isolate: job.attach(0, None).unwrap(),
        ends: Vec::new(),
    };
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
    assert!(job.wait_settled(Duration::from_secs(20)), "{:?}", job.metrics());
    assert_eq!(job.state(), JobState::Stopped);
}
