//! Random plans of jobs, and what must be so of every job that ran one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sage_runtime::{EndKind, ExecutionGraph, JobCore, JobState, Partition, TaskKind};
use sage_types::TaskId;

use super::{Exchange, Record, SimTask, Stage, graph};

pub const ISOLATES: u32 = 3;

#[derive(Debug, Clone)]
pub struct Plan {
    pub stages: Vec<Stage>,
    pub exchanges: Vec<Exchange>,
    /// By source task: records to produce and rows a batch.
    pub sources: Vec<(u64, u64)>,
    /// Of the deterministic driver.
    pub seed: u64,
}

impl Plan {
    /// The same without instances that come later.
    pub fn rigid(mut self) -> Self {
        for stage in &mut self.stages {
            stage.dormant = 0;
        }
        self
    }

    pub fn graph(&self) -> ExecutionGraph {
        graph(&self.stages, &self.exchanges)
    }

    /// How often each record of a source stage arrives at a stage: the sum over all ways, where a broadcast multiplies.
    fn copies(&self, source_stage: usize) -> Vec<u64> {
        let mut copies = vec![0; self.stages.len()];
        copies[source_stage] = 1;
        for stage in 0..self.stages.len() {
            for exchange in self.exchanges.iter().filter(|exchange| exchange.to == stage) {
                let broadcast = exchange.partition == Partition::Broadcast;
                let times = if broadcast {
                    self.stages[stage].parallelism() as u64
                } else {
                    1
                };
                copies[stage] += copies[exchange.from] * times;
            }
        }
        copies
    }
}

fn partition() -> impl Strategy<Value = Partition> {
    prop_oneof![
        Just(Partition::Forward),
        Just(Partition::Hash),
        Just(Partition::Broadcast),
        Just(Partition::Rebalance)
    ]
}

/// Whether a job over this graph starts without the isolate, as all of its tasks are dormant.
pub fn may_be_absent(graph: &ExecutionGraph, isolate: u32) -> bool {
    graph
        .tasks
        .iter()
        .filter(|task| task.kind == (TaskKind::JsTask { isolate }))
        .all(|task| task.dormant)
}

fn isolates(max: usize) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..ISOLATES, 1..=max)
}

/// One or two source stages, then up to four stages, each with one to three inputs from stages before it: fan-out, union
/// and diamonds come by themselves. About half of the stages with several instances are elastic.
pub fn plan() -> impl Strategy<Value = Plan> {
    let sources = prop::collection::vec((isolates(2), 0_u64..3), 1..=2);
    let input = (any::<prop::sample::Index>(), partition(), 1_u32..40);
    let inputs = prop::collection::vec(input, 1..=3);
    let stages = prop::collection::vec((isolates(3), any::<bool>(), inputs), 1..=4);
    let volumes = prop::collection::vec((prop_oneof![Just(0), Just(1), 1_u64..120], 1_u64..20), 4);
    (sources, stages, volumes, any::<u64>()).prop_map(|(sources, stages, volumes, seed)| {
        let mut plan = Plan {
            stages: Vec::new(),
            exchanges: Vec::new(),
            sources: Vec::new(),
            seed,
        };
        for (isolates, _) in sources {
            plan.stages.push(Stage::js_source(&isolates));
        }
        for (isolates, elastic, inputs) in stages {
            let to = plan.stages.len();
            let elastic = elastic && isolates.len() > 1;
            plan.stages.push(if elastic {
                Stage::elastic(&isolates)
            } else {
                Stage::js(&isolates)
            });
            for (from, partition, max_rows) in inputs {
                let from = from.index(to);
                let same = plan.stages[from].parallelism() == isolates.len();
                let partition = if elastic || (partition == Partition::Forward && !same) {
                    Partition::Rebalance
                } else {
                    partition
                };
                plan.exchanges
                    .push(Exchange::new(from, to, partition).with_max_rows(max_rows));
            }
        }
        let tasks = plan
            .stages
            .iter()
            .filter(|stage| stage.is_source)
            .map(Stage::parallelism)
            .sum();
        plan.sources = volumes.into_iter().cycle().take(tasks).collect();
        plan
    })
}

/// The tasks of one isolate, with what they do.
pub fn tasks_of(plan: &Plan, isolate: u32) -> Vec<SimTask> {
    let graph = plan.graph();
    let mut volumes = plan.sources.iter();
    let mut tasks = Vec::new();
    for task in &graph.tasks {
        let volume = if task.is_source { volumes.next() } else { None };
        if task.kind != (TaskKind::JsTask { isolate }) {
            continue;
        }
        let sim = SimTask::new(task.id, graph.outputs_of(task.id).len());
        tasks.push(match volume {
            Some(&(records, batch_rows)) => sim.producing(records, batch_rows),
            None => sim,
        });
    }
    tasks
}

/// A generator of choices that replays from its seed.
pub struct Choices(pub u64);

impl Choices {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

pub fn check(plan: &Plan, job: &JobCore, tasks: &[SimTask]) {
    assert_eq!(job.state(), JobState::Finished, "{:?}", job.error());
    let graph = plan.graph();
    check_nothing_lost_or_doubled(plan, &graph, tasks);
    check_order(&graph, tasks);
    let metrics = job.metrics();
    for task in tasks {
        let counts = &metrics.tasks[task.id.index()];
        assert!(counts.finished);
        if !counts.awake {
            assert_eq!(
                (task.ended, task.received.len()),
                (None, 0),
                "a task that slept did something"
            );
            continue;
        }
        assert!(task.finished);
        let expected = if graph.tasks[task.id.index()].is_source {
            None
        } else {
            Some(EndKind::Drained)
        };
        assert_eq!(task.ended, expected);
    }
    for edge in job.metrics().edges {
        assert_eq!((edge.sent, edge.queued), (edge.received, 0));
    }
}

/// Each stage as a whole gets each record as often as the graph has ways for it.
pub fn check_nothing_lost_or_doubled(plan: &Plan, graph: &ExecutionGraph, tasks: &[SimTask]) {
    let mut produced: BTreeMap<usize, Vec<(i64, i64)>> = BTreeMap::new();
    for (source, &(records, _)) in graph
        .tasks
        .iter()
        .filter(|task| task.is_source)
        .zip(&plan.sources)
    {
        let records = (0..records).map(|n| (i64::from(source.id.0), i64::try_from(n).unwrap()));
        produced.entry(source.stage.index()).or_default().extend(records);
    }
    for (stage, plan_of_stage) in plan
        .stages
        .iter()
        .enumerate()
        .filter(|(_, stage)| !stage.is_source)
    {
        let mut expected = Vec::new();
        for (&source, records) in &produced {
            let copies = plan.copies(source)[stage];
            expected.extend(
                records
                    .iter()
                    .flat_map(|&record| (0..copies).map(move |_| record)),
            );
        }
        let mut arrived: Vec<_> = tasks
            .iter()
            .filter(|task| graph.tasks[task.id.index()].stage.index() == stage)
            .flat_map(|task| task.received.iter().map(|(_, record)| record.id()))
            .collect();
        expected.sort_unstable();
        arrived.sort_unstable();
        assert_eq!(
            arrived,
            expected,
            "stage {stage} ({} instances)",
            plan_of_stage.parallelism()
        );
    }
}

/// What comes out of an edge is in the order in which its producer emitted it; for forward and broadcast all of it, for
/// hash all of it with this edge's keys, which no other edge of the output has.
pub fn check_order(graph: &ExecutionGraph, tasks: &[SimTask]) {
    let task = |id: TaskId| tasks.iter().find(|task| task.id == id).unwrap();
    let mut owner: BTreeMap<(TaskId, u32, u64), TaskId> = BTreeMap::new();
    for edge in &graph.edges {
        let received = task(edge.to_task)
            .received
            .iter()
            .filter(|(from, _)| *from == edge.id);
        let received: Vec<Record> = received.map(|(_, record)| *record).collect();
        let emitted = &task(edge.from_task).emitted;
        match edge.partition {
            Partition::Forward | Partition::Broadcast => assert_eq!(&received, emitted),
            Partition::Hash => {
                for record in &received {
                    let key = (edge.from_task, edge.from_output, record.key.to_bits());
                    assert_eq!(
                        *owner.entry(key).or_insert(edge.to_task),
                        edge.to_task,
                        "a key on two edges"
                    );
                }
                let mine = |record: &&Record| {
                    let key = (edge.from_task, edge.from_output, record.key.to_bits());
                    owner.get(&key) == Some(&edge.to_task)
                };
                let expected: Vec<Record> = emitted.iter().filter(mine).copied().collect();
                assert_eq!(received, expected);
            }
            Partition::Rebalance => {
                let mut rest = emitted.iter();
                assert!(
                    received.iter().all(|record| rest.any(|other| other == record)),
                    "out of order"
                );
            }
        }
    }
}
