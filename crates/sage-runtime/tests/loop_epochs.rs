//! Epochs of loops: what goes around is logged until the barrier comes around, and goes around again when the job goes on.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{CheckpointStore, ImagePart, PartKind, TaskImage};
use sage_runtime::{
    CheckpointSettings, ExecutionGraph, FeedbackPlan, Isolate, JobCore, JobState, Next, Partition, Take,
};
use sage_types::{ManualClock, TaskId};
use support::plans::Choices;
use support::sim_task::{records_of, with_batch};
use support::{Exchange, Record, Stage, TestConnectors, graph, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(20);

/// A source, the heads of a loop, and its tails, whose records go back.
fn loop_graph(heads: usize, tails: usize, back: Partition, memory_bytes: u64) -> ExecutionGraph {
    let stages = [
        Stage::js_source(&[0]),
        Stage::js(&vec![0; heads]),
        Stage::js(&vec![0; tails]),
    ];
    let mut graph = graph(
        &stages,
        &[
            Exchange::new(0, 1, Partition::Rebalance).with_max_rows(8),
            Exchange::new(1, 2, Partition::Rebalance).with_max_rows(8),
            Exchange::new(2, 1, back),
        ],
    );
    for edge in &mut graph.edges {
        if edge.from_task.index() > heads {
            edge.feedback = Some(FeedbackPlan {
                name: "again".into(),
                memory_bytes,
                spill_bytes: 1 << 30,
            });
            edge.timeless = true;
        }
    }
    graph
}

/// The head notes what it sees and passes it on; the tail takes one off the number, and sends back what is left.
#[derive(Debug)]
struct LoopTask {
    id: TaskId,
    stage: usize,
    to_produce: Vec<Record>,
    seen: Vec<Record>,
    /// By epoch and edge: what the edge had been sent or had given.
    sent: BTreeMap<(u64, u32), u64>,
    received: BTreeMap<(u64, u32), u64>,
}

impl LoopTask {
    fn restored(job: &JobCore, id: TaskId, records: &[Record]) -> Self {
        let plan = &job.graph().tasks[id.index()];
        let read = job
            .read_checkpoint(&plan.operators[0], "all", plan.instance, plan.parallelism)
            .unwrap();
        let mut task = Self {
            id,
            stage: plan.stage.index(),
            to_produce: if plan.is_source {
                records.to_vec()
            } else {
                Vec::new()
            },
            seen: Vec::new(),
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
        };
        let word = |at: usize| u32::from_le_bytes(read[at..at + 4].try_into().unwrap());
        let mut at = 5;
        while read[0] == 1 && at < read.len() {
            let (instance, length) = (word(at), word(at + 8) as usize);
            let saved = &read[at + 12..at + 12 + length];
            at += 12 + length;
            if instance == plan.instance {
                let left = u32::from_le_bytes(saved[..4].try_into().unwrap()) as usize;
                task.to_produce
                    .drain(..task.to_produce.len().saturating_sub(left));
                let numbers: Vec<f64> = saved[4..]
                    .chunks(8)
                    .map(|word| f64::from_le_bytes(word.try_into().unwrap()))
                    .collect();
                task.seen = numbers
                    .chunks(2)
                    .map(|pair| Record {
                        key: pair[0],
                        source: 0.0,
                        number: pair[1],
                    })
                    .collect();
            }
        }
        task
    }

    fn image(&self) -> Vec<u8> {
        let mut bytes = u32::try_from(self.to_produce.len())
            .unwrap()
            .to_le_bytes()
            .to_vec();
        for record in &self.seen {
            bytes.extend(record.key.to_le_bytes());
            bytes.extend(record.number.to_le_bytes());
        }
        let mut image = TaskImage::new();
        image
            .push(&ImagePart {
                operator: &format!("stage {}", self.stage),
                name: "all",
                kind: PartKind::Own,
                is_full: true,
                payload: &bytes,
            })
            .unwrap();
        image.as_bytes().to_vec()
    }

    fn step(&mut self, isolate: &Isolate) -> bool {
        match isolate.take(self.id).unwrap() {
            Take::Nothing | Take::Time(_) => return false,
            Take::Flush => {}
            Take::Source => {
                let rows = self.to_produce.len().min(5);
                let batch: Vec<Record> = self.to_produce.drain(..rows).collect();
                self.emit(isolate, &batch);
                if self.to_produce.is_empty() {
                    self.finish(isolate);
                }
            }
            Take::Batch(arrival) => {
                let mut records = records_of(&arrival.frame.view(isolate.job().registry()).unwrap());
                if self.stage == 1 {
                    self.seen.extend(records.iter().copied());
                } else {
                    for record in &mut records {
                        record.number -= 1.0;
                    }
                    records.retain(|record| record.number > 0.0);
                }
                self.emit(isolate, &records);
            }
            Take::Barrier { epoch, .. } => {
                let job = isolate.job();
                for (edge, counts) in job.graph().edges.iter().zip(job.metrics().edges) {
                    if edge.from_task == self.id {
                        self.sent.insert((epoch, edge.id.0), counts.sent);
                    }
                    if edge.to_task == self.id {
                        self.received.insert((epoch, edge.id.0), counts.received);
                    }
                }
                isolate.acknowledge(self.id, epoch, &self.image()).unwrap();
            }
            Take::End(_) => self.finish(isolate),
        }
        true
    }

    fn finish(&mut self, isolate: &Isolate) {
        isolate.acknowledge(self.id, 0, &self.image()).unwrap();
        isolate.finish_task(self.id).unwrap();
    }

    fn emit(&self, isolate: &Isolate, batch: &[Record]) {
        if !batch.is_empty() {
            with_batch(batch, isolate.job().registry(), |view| {
                isolate.emit(self.id, 0, view).unwrap()
            });
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Itself,
    Killed,
    Stopped,
}

fn drive(job: &Arc<JobCore>, records: &[Record], choices: &mut Choices, end: End) -> Vec<LoopTask> {
    let isolate = job.attach(0, None).unwrap();
    let ids = job.graph().tasks.iter().map(|task| task.id);
    let mut tasks: Vec<LoopTask> = ids.map(|id| LoopTask::restored(job, id, records)).collect();
    let end_at = choices.below(300);
    let mut quiet_rounds = 0;
    for round in 0.. {
        if round == end_at && end == End::Killed {
            job.cancel();
        }
        if round == end_at && end == End::Stopped {
            // It may be over.
            drop(job.stop(false));
        }
        if choices.below(12) == 0 {
            job.begin_checkpoint().unwrap();
        }
        if job.metrics().tasks.iter().all(|task| task.finished) || job.state().is_terminal() {
            break;
        }
        let mut progress = false;
        if let Next::Task(id) = isolate.poll(None, Duration::ZERO).unwrap() {
            progress = tasks[id.index()].step(&isolate);
            isolate.settle_task(id).unwrap();
            isolate.release(id).unwrap();
        }
        quiet_rounds = if progress { 0 } else { quiet_rounds + 1 };
        assert!(quiet_rounds < 1000, "the job stands still: {:?}", job.metrics());
    }
    assert!(job.wait_settled(PATIENCE), "{:?}", job.metrics());
    tasks
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn records(count: usize, turns: usize) -> Vec<Record> {
    (0..count)
        .map(|key| Record {
            key: key as f64,
            source: 0.0,
            number: (1 + (key * 7) % turns) as f64,
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
fn sorted(records: impl Iterator<Item = Record>) -> Vec<(i64, i64)> {
    let mut pairs: Vec<(i64, i64)> = records
        .map(|record| (record.key as i64, record.number as i64))
        .collect();
    pairs.sort_unstable();
    pairs
}

/// The heads see each record once for each turn.
fn check(job: &JobCore, tasks: &[LoopTask], records: &[Record]) {
    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
    let turns = |record: &Record| {
        let mut turns = Vec::new();
        let mut left = *record;
        while left.number > 0.0 {
            turns.push(left);
            left.number -= 1.0;
        }
        turns
    };
    let expected = sorted(records.iter().flat_map(turns));
    let seen = sorted(tasks.iter().flat_map(|task| task.seen.iter().copied()));
    assert_eq!(seen, expected);
}

fn job_of(graph: &ExecutionGraph, files: &SimulatedFiles) -> Arc<JobCore> {
    job_with_checkpoints(
        graph,
        CheckpointSettings {
            retained: 1000,
            ..CheckpointSettings::new("/epochs")
        },
        files.shared(),
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    )
    .unwrap()
}

fn partition() -> impl Strategy<Value = Partition> {
    prop_oneof![Just(Partition::Hash), Just(Partition::Rebalance)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn given_a_loop_that_is_killed_when_it_goes_on_then_each_record_makes_each_turn_once(
        heads in 1_usize..4,
        tails in 1_usize..4,
        back in partition(),
        memory_bytes in prop_oneof![Just(0_u64), Just(1 << 20)],
        count in 1_usize..60,
        turns in 1_usize..6,
        seed in any::<u64>(),
    ) {
        let graph = loop_graph(heads, tails, back, memory_bytes);
        let records = records(count, turns);
        let mut choices = Choices(seed);
        let mut files = SimulatedFiles::new();
        for _ in 0..3 {
            drive(&job_of(&graph, &files), &records, &mut choices, End::Killed);
            files = files.restarted(seed);
        }
        let stopped = job_of(&graph, &files);
        drive(&stopped, &records, &mut choices, End::Stopped);
        prop_assert!(matches!(stopped.state(), JobState::Stopped | JobState::Finished), "{:?}", stopped.error());
        let job = job_of(&graph, &files);
        let tasks = drive(&job, &records, &mut choices, End::Itself);
        check(&job, &tasks, &records);
    }

    #[test]
    fn given_epochs_of_a_loop_then_what_an_edge_was_sent_is_what_was_received_or_logged(
        heads in 1_usize..4,
        tails in 1_usize..4,
        back in partition(),
        seed in any::<u64>(),
    ) {
        let graph = loop_graph(heads, tails, back, 1 << 20);
        let records = records(40, 5);
        let files = SimulatedFiles::new();
        let job = job_of(&graph, &files);
        let tasks = drive(&job, &records, &mut Choices(seed), End::Itself);
        check(&job, &tasks, &records);
        let metrics = job.metrics();
        let store = CheckpointStore::open(files.shared(), "/epochs", 1000).unwrap();
        for epoch in store.epochs() {
            let restored = store.read(std::path::Path::new(&format!("/epochs/{}", file_of(epoch)))).unwrap();
            // What all feedback edges into a head had been sent, beside what it had received or logged.
            for head in graph.tasks.iter().filter(|task| task.stage.index() == 1) {
                let (mut sent, mut received) = (0, 0);
                for edge in graph.edges.iter().filter(|edge| edge.to_task == head.id && edge.feedback.is_some()) {
                    let counts = &metrics.edges[edge.id.index()];
                    let producer = &tasks[edge.from_task.index()];
                    let consumer = &tasks[head.id.index()];
                    sent += producer.sent.get(&(epoch, edge.id.0)).copied().unwrap_or(counts.sent);
                    received += consumer.received.get(&(epoch, edge.id.0)).copied().unwrap_or(counts.received);
                }
                let logged: u64 = restored
                    .part("stage 1", "loop:again:0/1")
                    .unwrap()
                    .into_iter()
                    .filter(|(key, _)| key.instance == head.instance)
                    .map(|(_, payload)| logged_rows(payload.bytes()))
                    .sum();
                prop_assert_eq!(sent, received + logged, "epoch {}, head {}", epoch, head.instance);
            }
        }
    }
}

fn file_of(epoch: u64) -> String {
    format!("epoch-{epoch:020}.ckpt")
}

/// Rows of the batches of a log.
fn logged_rows(log: &[u8]) -> u64 {
    let word = |at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap());
    let mut at = 4;
    let mut rows = 0;
    while at < log.len() {
        at += 8 + word(at + 4) as usize;
        rows += u64::from(word(at + 4));
        at += 4 + word(at) as usize;
    }
    rows
}
