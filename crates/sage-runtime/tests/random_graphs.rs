//! Random graphs, driven deterministically and by threads: nothing is lost or doubled, order is kept on every edge, and
//! queues keep their bounds.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sage_runtime::{EndKind, ExecutionGraph, Isolate, JobCore, JobState, Next, Partition, TaskKind};
use sage_types::{ManualClock, TaskId};
use support::{Exchange, Record, SimTask, Stage, TestConnectors, graph, job, job_with};

const ISOLATES: u32 = 3;

#[derive(Debug, Clone)]
struct Plan {
    stages: Vec<Stage>,
    exchanges: Vec<Exchange>,
    /// By source task: records to produce and rows a batch.
    sources: Vec<(u64, u64)>,
    /// Of the deterministic driver.
    seed: u64,
}

impl Plan {
    fn graph(&self) -> ExecutionGraph {
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
fn may_be_absent(graph: &ExecutionGraph, isolate: u32) -> bool {
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
fn plan() -> impl Strategy<Value = Plan> {
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
fn tasks_of(plan: &Plan, isolate: u32) -> Vec<SimTask> {
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

/// Attaches the isolates that the job waits for.
fn attach_present(plan: &Plan, job: &Arc<JobCore>) -> Vec<(Isolate, Vec<SimTask>)> {
    let graph = plan.graph();
    (0..ISOLATES)
        .filter(|&isolate| isolate == 0 || !may_be_absent(&graph, isolate))
        .map(|isolate| (job.attach(isolate, None).unwrap(), tasks_of(plan, isolate)))
        .collect()
}

/// Isolates with dormant tasks only. They come when they like, or never.
fn latecomers(plan: &Plan) -> Vec<u32> {
    let graph = plan.graph();
    (1..ISOLATES)
        .filter(|&isolate| may_be_absent(&graph, isolate) && !tasks_of(plan, isolate).is_empty())
        .collect()
}

/// A generator of choices that replays from its seed.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Every isolate may hold several tasks at a time, for as long as the dice say: slow and asynchronous tasks.
fn drive_by_dice(plan: &Plan, job: &Arc<JobCore>, clock: &ManualClock) -> Vec<SimTask> {
    let mut isolates = attach_present(plan, job);
    let mut late = latecomers(plan);
    let mut held: Vec<(usize, TaskId)> = Vec::new();
    let mut choices = Choices(plan.seed);
    let mut quiet_rounds = 0;
    while !job.is_settled() {
        if choices.below(40) == 0
            && let Some(isolate) = late.pop()
        {
            isolates.push((job.attach(isolate, None).unwrap(), tasks_of(plan, isolate)));
        }
        let place = choices.below(isolates.len());
        let (isolate, tasks) = &mut isolates[place];
        let mut progress = false;
        if let Next::Task(id) = isolate.poll(None, Duration::ZERO).unwrap() {
            assert!(!held.contains(&(place, id)), "task {id} was handed out twice");
            let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
            progress = task.step(isolate);
            // What records seem to cost decides how many of them an instance of an elastic stage takes.
            clock.advance_nanos(choices.below(3) as u64 * 10_000_000);
            held.push((place, id));
            check_bounds(plan, job);
        }
        if !held.is_empty() && (choices.below(3) == 0 || !progress) {
            let (place, id) = held.swap_remove(choices.below(held.len()));
            isolates[place].0.release(id).unwrap();
            progress = true;
        }
        quiet_rounds = if progress { 0 } else { quiet_rounds + 1 };
        assert!(quiet_rounds < 1000, "the job stands still: {:?}", job.metrics());
    }
    let never = late.into_iter().flat_map(|isolate| tasks_of(plan, isolate));
    isolates
        .into_iter()
        .flat_map(|(_, tasks)| tasks)
        .chain(never)
        .collect()
}

fn drive_by_threads(plan: &Plan, job: &Arc<JobCore>) -> Vec<SimTask> {
    let isolates = attach_present(plan, job);
    std::thread::scope(|scope| {
        let present = isolates
            .into_iter()
            .map(|(isolate, tasks)| scope.spawn(move || run_to_the_end(&isolate, tasks)));
        let present: Vec<_> = present.collect();
        // They attach while the others are at work, or find that all is over.
        let late = latecomers(plan).into_iter().map(|isolate| {
            scope.spawn(move || run_to_the_end(&job.attach(isolate, None).unwrap(), tasks_of(plan, isolate)))
        });
        let late: Vec<_> = late.collect();
        present
            .into_iter()
            .chain(late)
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn run_to_the_end(isolate: &Isolate, mut tasks: Vec<SimTask>) -> Vec<SimTask> {
    let mut released = None;
    loop {
        match isolate.poll(released.take(), Duration::from_millis(10)).unwrap() {
            Next::Task(id) => {
                let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
                task.step(isolate);
                released = Some(id);
            }
            Next::Idle => {}
            Next::Over => return tasks,
        }
    }
}

/// A task looks at its credit before it computes, so that a queue holds less than its limit plus one step's batch.
fn check_bounds(plan: &Plan, job: &JobCore) {
    let largest_batch = plan.sources.iter().map(|&(_, rows)| rows).max().unwrap_or(0);
    for (edge, counts) in job.graph().edges.iter().zip(job.metrics().edges) {
        let bound = u64::from(edge.max_rows) + largest_batch;
        assert!(
            counts.queued < bound,
            "edge {} holds {} records, bound {bound}",
            edge.id,
            counts.queued
        );
    }
}

fn check(plan: &Plan, job: &JobCore, tasks: &[SimTask]) {
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
fn check_nothing_lost_or_doubled(plan: &Plan, graph: &ExecutionGraph, tasks: &[SimTask]) {
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
fn check_order(graph: &ExecutionGraph, tasks: &[SimTask]) {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_random_graph_driven_by_dice_gives_every_stage_what_it_should(plan in plan()) {
        let clock = Arc::new(ManualClock::new());
        let job = job_with(plan.graph(), Arc::clone(&clock) as _, Arc::new(TestConnectors::default()));
        let tasks = drive_by_dice(&plan, &job, &clock);
        check(&plan, &job, &tasks);
    }

    #[test]
    fn a_random_graph_driven_by_threads_gives_every_stage_what_it_should(plan in plan()) {
        let job = job(plan.graph());
        let tasks = drive_by_threads(&plan, &job);
        prop_assert!(job.wait_settled(Duration::from_secs(10)));
        check(&plan, &job, &tasks);
    }
}
