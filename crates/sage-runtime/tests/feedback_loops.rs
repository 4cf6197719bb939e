//! Loops driven by threads: they end when nothing is in flight, not before, and lose nothing.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use sage_runtime::{
    EndKind, ExecutionGraph, FeedbackPlan, Isolate, JobCore, JobState, Next, Partition, Take,
};
use sage_types::TaskId;
use support::sim_task::{records_of, with_batch};
use support::{Exchange, Record, Stage, code_of, graph, job};

const PATIENCE: Duration = Duration::from_secs(20);

/// A source, the head of a loop, and its tail, whose records go back.
fn loop_graph(
    head: &[u32],
    tail: &[u32],
    between: Partition,
    back: Partition,
    memory_bytes: u64,
) -> ExecutionGraph {
    let stages = [Stage::js_source(&[0]), Stage::js(head), Stage::js(tail)];
    let mut graph = graph(
        &stages,
        &[
            Exchange::new(0, 1, Partition::Rebalance),
            Exchange::new(1, 2, between).with_max_rows(8),
            Exchange::new(2, 1, back),
        ],
    );
    let first_tail = 1 + head.len();
    for edge in &mut graph.edges {
        if edge.from_task.index() >= first_tail {
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

/// What the tasks of a loop do: the head passes records on, the tail takes one off their number, and sends back what is left.
struct LoopTask {
    id: TaskId,
    is_source: bool,
    takes_off: f64,
    /// So many records are held back until there are more, or the loop comes to rest.
    holds: usize,
    held: Vec<Record>,
    to_produce: Vec<Record>,
}

type Seen = Arc<Mutex<Vec<Record>>>;

impl LoopTask {
    fn step(&mut self, isolate: &Isolate, seen: &Seen) {
        match isolate.take(self.id).unwrap() {
            Take::Nothing | Take::Time(_) => {}
            Take::Source => {
                let rows = self.to_produce.len().min(5);
                let batch: Vec<Record> = self.to_produce.drain(..rows).collect();
                self.emit(isolate, &batch);
                if self.to_produce.is_empty() {
                    isolate.finish_task(self.id).unwrap();
                }
            }
            Take::Batch(arrival) => {
                let records = records_of(&arrival.frame.view(isolate.job().registry()).unwrap());
                if self.takes_off == 0.0 {
                    seen.lock().unwrap().extend(records.iter().copied());
                }
                let left = records.into_iter().map(|record| Record {
                    number: record.number - self.takes_off,
                    ..record
                });
                self.held.extend(left.filter(|record| record.number > 0.0));
                if self.held.len() > self.holds {
                    self.give(isolate);
                }
            }
            Take::Flush => self.give(isolate),
            Take::Barrier { .. } => unreachable!("there are no checkpoints"),
            Take::End(_) => isolate.finish_task(self.id).unwrap(),
        }
    }

    fn give(&mut self, isolate: &Isolate) {
        let batch = std::mem::take(&mut self.held);
        self.emit(isolate, &batch);
    }

    fn emit(&self, isolate: &Isolate, batch: &[Record]) {
        if !batch.is_empty() {
            with_batch(batch, isolate.job().registry(), |view| {
                isolate.emit(self.id, 0, view).unwrap()
            });
        }
    }
}

fn tasks_of(graph: &ExecutionGraph, isolate: u32, records: &[Record], holds: usize) -> Vec<LoopTask> {
    let own = |task: &&sage_runtime::TaskPlan| task.kind == sage_runtime::TaskKind::JsTask { isolate };
    graph
        .tasks
        .iter()
        .filter(own)
        .map(|task| LoopTask {
            id: task.id,
            is_source: task.is_source,
            takes_off: if task.stage.index() == 2 { 1.0 } else { 0.0 },
            holds: if task.stage.index() == 2 { holds } else { 0 },
            held: Vec::new(),
            to_produce: if task.is_source {
                records.to_vec()
            } else {
                Vec::new()
            },
        })
        .collect()
}

/// Runs the tasks of one isolate until its part of the job is over.
fn drive(isolate: &Isolate, mut tasks: Vec<LoopTask>, seen: &Seen) {
    let mut released = None;
    loop {
        match isolate.poll(released.take(), Duration::from_millis(20)).unwrap() {
            Next::Task(id) => {
                let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
                task.step(isolate, seen);
                if !task.is_source {
                    isolate.settle_task(id).unwrap();
                }
                released = Some(id);
            }
            Next::Idle => {}
            Next::Over => return,
        }
    }
}

fn run(graph: ExecutionGraph, records: &[Record], holds: usize) -> (Arc<JobCore>, Vec<Record>) {
    let job = job(graph);
    let seen = Seen::default();
    let isolates: Vec<(u32, Isolate)> = (0..3)
        .filter_map(|index| Some((index, job.attach(index, None).ok()?)))
        .collect();
    std::thread::scope(|scope| {
        for (index, isolate) in &isolates {
            let tasks = tasks_of(job.graph(), *index, records, holds);
            let seen = Arc::clone(&seen);
            scope.spawn(move || drive(isolate, tasks, &seen));
        }
    });
    assert!(job.wait_settled(PATIENCE), "the loop has not ended");
    let seen = seen.lock().unwrap().clone();
    (job, seen)
}

fn records(numbers: &[u32]) -> Vec<Record> {
    let record = |(place, &number): (usize, &u32)| Record {
        key: f64::from(number % 7),
        source: f64::from(support::graphs::number(place)),
        number: f64::from(number),
    };
    numbers.iter().enumerate().map(record).collect()
}

proptest! {
    #[test]
    fn a_loop_ends_when_its_records_have_gone_around_as_often_as_they_want(
        numbers in prop::collection::vec(1_u32..6, 0..60),
        head in prop::collection::vec(0_u32..3, 1..4),
        tail in prop::collection::vec(0_u32..3, 1..4),
        hashes in any::<bool>(),
        memory_bytes in prop_oneof![Just(0), Just(700), Just(1_u64 << 20)],
        holds in 0_usize..4,
    ) {
        let between = if hashes { Partition::Hash } else { Partition::Rebalance };
        let graph = loop_graph(&head, &tail, between, Partition::Rebalance, memory_bytes);
        let (job, seen) = run(graph, &records(&numbers), holds);
        prop_assert_eq!(job.error().map(|error| code_of(&error)), None);
        prop_assert_eq!(job.state(), JobState::Finished);
        let mut seen: Vec<(i64, i64)> = seen.iter().map(Record::id).collect();
        seen.sort_unstable();
        let mut expected: Vec<(i64, i64)> = numbers
            .iter()
            .enumerate()
            .flat_map(|(place, &number)| (1..=number).map(move |left| (i64::try_from(place).unwrap(), i64::from(left))))
            .collect();
        expected.sort_unstable();
        prop_assert_eq!(seen, expected);
        for edge in job.metrics().edges {
            prop_assert_eq!((edge.sent, edge.dropped, edge.disk_bytes), (edge.received, 0, 0));
        }
    }
}

#[test]
fn a_task_that_still_works_holds_the_end_of_its_loop_up() {
    let job = job(loop_graph(
        &[0],
        &[0],
        Partition::Forward,
        Partition::Forward,
        1 << 20,
    ));
    let isolate = job.attach(0, None).unwrap();
    let (source, head, tail) = (TaskId(0), TaskId(1), TaskId(2));
    let poll = |released| isolate.poll(released, Duration::ZERO).unwrap();
    assert_eq!(poll(None), Next::Task(source));
    assert!(matches!(isolate.take(source).unwrap(), Take::Source));
    with_batch(&records(&[1]), job.registry(), |view| {
        isolate.emit(source, 0, view).unwrap()
    });
    isolate.finish_task(source).unwrap();
    assert_eq!(poll(Some(source)), Next::Task(head));
    let Take::Batch(arrival) = isolate.take(head).unwrap() else {
        panic!("the head has no batch")
    };
    // Nothing waits anywhere, and all input has ended: but the head has something in its hands.
    assert_eq!(poll(Some(head)), Next::Idle);
    isolate
        .emit(head, 0, &arrival.frame.view(job.registry()).unwrap())
        .unwrap();
    isolate.settle_task(head).unwrap();
    assert_eq!(poll(None), Next::Task(tail));
    assert!(matches!(isolate.take(tail).unwrap(), Take::Batch(_)));
    isolate.settle_task(tail).unwrap();
    // Now both are asked for what they hold; and as that is nothing, the loop has ended.
    let mut released = Some(tail);
    let mut told = Vec::new();
    while let Next::Task(task) = poll(released) {
        match isolate.take(task).unwrap() {
            Take::Flush => told.push((task, "flush")),
            Take::Barrier { .. } => unreachable!("there are no checkpoints"),
            Take::End(EndKind::Drained) => {
                told.push((task, "end"));
                isolate.finish_task(task).unwrap();
            }
            _ => {}
        }
        isolate.settle_task(task).unwrap();
        released = Some(task);
    }
    told.sort_unstable();
    assert_eq!(
        told,
        [(head, "end"), (head, "flush"), (tail, "end"), (tail, "flush")]
    );
    assert!(job.wait_settled(PATIENCE));
    assert_eq!(job.state(), JobState::Finished);
}

#[test]
fn a_stop_drops_what_would_go_around_and_counts_it() {
    let job = job(loop_graph(
        &[0],
        &[0],
        Partition::Forward,
        Partition::Forward,
        1 << 20,
    ));
    let isolate = job.attach(0, None).unwrap();
    let seen = Seen::default();
    let mut tasks = tasks_of(job.graph(), 0, &records(&[100, 100]), 0);
    let mut released = None;
    for turn in 0.. {
        if turn == 20 {
            job.stop(false).unwrap();
        }
        let Next::Task(id) = isolate.poll(released, Duration::ZERO).unwrap() else {
            break;
        };
        let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
        task.step(&isolate, &seen);
        isolate.settle_task(id).unwrap();
        released = Some(id);
    }
    assert!(job.wait_settled(PATIENCE));
    assert_eq!(job.state(), JobState::Stopped);
    let edges = job.metrics().edges;
    assert!(edges.iter().all(|edge| edge.sent == edge.received));
    assert_eq!(edges.iter().map(|edge| edge.dropped).sum::<u64>(), 2);
}

#[test]
fn a_graph_whose_way_back_closes_nothing_is_refused() {
    let mut graph = loop_graph(&[0], &[0], Partition::Forward, Partition::Forward, 0);
    graph.edges[1].feedback = Some(FeedbackPlan {
        name: "no loop".into(),
        memory_bytes: 0,
        spill_bytes: 0,
    });
    graph.edges.remove(2);
    assert!(graph.validate().unwrap_err().message.contains("comes back"));
}

#[test]
fn a_cycle_without_a_way_back_is_refused() {
    let mut graph = loop_graph(&[0], &[0], Partition::Forward, Partition::Forward, 0);
    graph.edges[2].feedback = None;
    assert!(graph.validate().unwrap_err().message.contains("cycle"));
}
