//! What one seed runs: a random graph, its data, and how it is driven.

use sage_checkpoint::ChainLimits;
use sage_runtime::{ExecutionGraph, FeedbackPlan, Partition, TaskKind};

use super::draws::Draws;
use crate::support::{Exchange, Stage, graph};

/// What the tasks of a stage do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Gives the records of its splits.
    Source,
    /// Passes on.
    Pass,
    /// Passes on later: what waits is in its state, as calls of an asynchronous function are.
    Delay,
    /// Counts and adds up by key, and passes on.
    Sum,
    /// The same in state of which epochs have the changes, and passes on.
    Table,
    /// Gives a record for each key and window of event time, when the window is over.
    Window,
    /// A native aggregate: gives count and sum of each key at the end.
    Total,
    /// Gives a record for each pair of records of its two inputs with the same key that fit each other.
    Join,
    /// The head of a loop: sends each record to the tail, as often as it says.
    Head,
    /// The tail: takes one turn off, and sends back what has more.
    Tail,
    /// Writes to a file, of which each epoch knows how much counts.
    Sink,
}

#[derive(Debug, Clone)]
pub struct StagePlan {
    pub work: Work,
    /// Splits of a source, by the number of their records.
    pub splits: Vec<(u32, u64)>,
    /// As many instances in all processes.
    pub fixed: Option<usize>,
    /// Its tasks are native.
    pub is_native: bool,
}

impl StagePlan {
    fn new(work: Work) -> Self {
        Self {
            work,
            splits: Vec::new(),
            fixed: None,
            is_native: work == Work::Total,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Input {
    pub from: usize,
    pub to: usize,
    pub partition: Partition,
    pub max_rows: u32,
    pub is_feedback: bool,
}

#[derive(Debug, Clone)]
pub struct Scenario {
    pub stages: Vec<StagePlan>,
    pub inputs: Vec<Input>,
    pub keys: u64,
    /// Few, so that each border between instances has keys.
    pub key_groups: u32,
    pub batch_rows: usize,
    pub isolates: usize,
    /// How many tasks an isolate has in hand at a time.
    pub holds: usize,
    pub interval_ms: Option<f64>,
    /// Of each hundred steps, so many ask for an epoch.
    pub epochs_on_demand: usize,
    pub min_pause_ms: f64,
    /// Few, so that there is something to merge soon.
    pub chain_limits: ChainLimits,
    pub retained: u32,
    pub loop_memory_bytes: u64,
    /// A small graph around a loop, whose processes are often interrupted when the loop comes to its end: that is where its protocol
    /// is most involved.
    pub ends_a_loop: bool,
}

const MOST_INSTANCES: usize = 3;

impl Scenario {
    pub fn of(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let mut scenario = Self {
            stages: Vec::new(),
            inputs: Vec::new(),
            keys: draws.between(2, 12) as u64,
            key_groups: *draws.of(&[4, 7, 16, 128]),
            batch_rows: draws.between(1, 12),
            isolates: draws.between(1, 3),
            holds: draws.between(1, 3),
            interval_ms: draws.percent(50).then(|| draws.between(1, 20) as f64),
            epochs_on_demand: *draws.of(&[0, 1, 2, 5, 15]),
            min_pause_ms: draws.below(5) as f64,
            chain_limits: ChainLimits::default(),
            retained: u32::try_from(draws.between(1, 3)).unwrap(),
            loop_memory_bytes: 1 << 20,
            ends_a_loop: seed % 6 == 5,
        };
        scenario.chain_limits.merge_files = draws.between(2, 3);
        scenario.chain_limits.max_files = scenario.chain_limits.merge_files + draws.below(4);
        let mut split = 0;
        let sources = if scenario.ends_a_loop {
            1
        } else {
            draws.between(1, 2)
        };
        for _ in 0..sources {
            let splits = (0..draws.between(1, 4))
                .map(|_| {
                    split += 1;
                    (split - 1, draws.below(40) as u64)
                })
                .collect();
            scenario.stages.push(StagePlan {
                splits,
                is_native: draws.percent(25),
                ..StagePlan::new(Work::Source)
            });
        }
        if scenario.ends_a_loop || draws.percent(40) {
            scenario.add_loop(&mut draws);
        }
        let mut has_join = false;
        let others = if scenario.ends_a_loop {
            draws.below(2)
        } else {
            draws.between(1, 4)
        };
        for _ in 0..others {
            let works = [
                Work::Pass,
                Work::Delay,
                Work::Sum,
                Work::Table,
                Work::Table,
                Work::Window,
                Work::Total,
                Work::Join,
            ];
            let work = match draws.of(&works) {
                // Pairs of pairs are too many.
                Work::Join if has_join => Work::Sum,
                &work => work,
            };
            has_join |= work == Work::Join;
            scenario.add(work, &mut draws);
        }
        let leaves: Vec<usize> = (0..scenario.stages.len())
            .filter(|&stage| {
                scenario
                    .inputs
                    .iter()
                    .all(|input| input.from != stage || input.is_feedback)
            })
            .collect();
        for from in leaves {
            scenario.stages.push(StagePlan {
                is_native: draws.percent(30),
                ..StagePlan::new(Work::Sink)
            });
            let to = scenario.stages.len() - 1;
            let partition = scenario.any_partition(from, &mut draws);
            scenario.connect(from, to, partition, &mut draws);
        }
        scenario
    }

    /// A stage with one to three inputs from those before it: fan-out, unions and diamonds come by themselves.
    fn add(&mut self, work: Work, draws: &mut Draws) {
        let to = self.stages.len();
        let inputs = if work == Work::Join {
            2
        } else {
            *draws.of(&[1, 1, 2, 3])
        };
        let broadcast = matches!(work, Work::Pass | Work::Delay) && draws.percent(20);
        self.stages.push(StagePlan {
            fixed: broadcast.then(|| draws.between(1, MOST_INSTANCES)),
            ..StagePlan::new(work)
        });
        let needs_keys = matches!(
            work,
            Work::Sum | Work::Table | Work::Window | Work::Total | Work::Join
        );
        for _ in 0..inputs {
            // The head of a loop gives to its tail alone; results of native aggregates have no key. The first stage is a source.
            let from = loop {
                let from = draws.below(to);
                match self.stages[from].work {
                    Work::Head => {}
                    Work::Total if needs_keys => {}
                    _ => break from,
                }
            };
            let partition = if needs_keys {
                Partition::Hash
            } else if broadcast && draws.percent(60) {
                Partition::Broadcast
            } else {
                self.any_partition(from, draws)
            };
            self.connect(from, to, partition, draws);
        }
    }

    fn any_partition(&self, from: usize, draws: &mut Draws) -> Partition {
        let partition = *draws.of(&[
            Partition::Hash,
            Partition::Hash,
            Partition::Rebalance,
            Partition::Forward,
        ]);
        if partition == Partition::Hash && self.stages[from].work == Work::Total {
            return Partition::Rebalance;
        }
        partition
    }

    fn add_loop(&mut self, draws: &mut Draws) {
        let head = self.stages.len();
        for work in [Work::Head, Work::Tail] {
            self.stages.push(StagePlan::new(work));
        }
        if draws.percent(20) {
            self.loop_memory_bytes = draws.below(2000) as u64;
        }
        let any = [Partition::Hash, Partition::Rebalance];
        let (enter, back) = (*draws.of(&any), *draws.of(&any));
        let (from, inside) = (draws.below(head), *draws.of(&any));
        self.connect(from, head, enter, draws);
        self.connect(head, head + 1, inside, draws);
        self.inputs.push(Input {
            from: head + 1,
            to: head,
            partition: back,
            max_rows: 16,
            is_feedback: true,
        });
    }

    fn connect(&mut self, from: usize, to: usize, partition: Partition, draws: &mut Draws) {
        self.inputs.push(Input {
            from,
            to,
            partition,
            max_rows: u32::try_from(draws.between(1, 24)).unwrap(),
            is_feedback: false,
        });
    }

    /// Numbers of instances for one process.
    pub fn parallelisms(&self, draws: &mut Draws) -> Vec<usize> {
        self.stages
            .iter()
            .map(|stage| match (stage.fixed, stage.work) {
                (Some(fixed), _) => fixed,
                (None, Work::Head) if self.ends_a_loop => draws.between(2, MOST_INSTANCES),
                (None, _) => draws.between(1, MOST_INSTANCES),
            })
            .collect()
    }

    /// The graph with so many instances, which are in isolates that the dice choose.
    pub fn graph(&self, parallelisms: &[usize], draws: &mut Draws) -> ExecutionGraph {
        let stages: Vec<Stage> = self
            .stages
            .iter()
            .zip(parallelisms)
            .enumerate()
            .map(|(number, (stage, &parallelism))| {
                if stage.is_native {
                    return native_stage(number, stage.work, parallelism);
                }
                let isolates: Vec<u32> = (0..parallelism)
                    .map(|_| u32::try_from(draws.below(self.isolates)).unwrap())
                    .collect();
                if stage.work == Work::Source {
                    Stage::js_source(&isolates)
                } else {
                    Stage::js(&isolates)
                }
            })
            .collect();
        let exchanges: Vec<Exchange> = self
            .inputs
            .iter()
            .map(|input| {
                let partition = match input.partition {
                    Partition::Forward if parallelisms[input.from] != parallelisms[input.to] => {
                        Partition::Rebalance
                    }
                    partition => partition,
                };
                Exchange::new(input.from, input.to, partition).with_max_rows(input.max_rows)
            })
            .collect();
        let mut graph = graph(&stages, &exchanges);
        graph.key_groups = self.key_groups;
        for task in &mut graph.tasks {
            if matches!(task.kind, TaskKind::NativeAggregate { .. }) {
                task.chain = Some(r#"{"nodes":3,"operators":[]}"#.to_owned());
            }
        }
        for edge in &mut graph.edges {
            let stage_of = |task: sage_types::TaskId| graph.tasks[task.index()].stage;
            if stage_of(edge.to_task) < stage_of(edge.from_task) {
                edge.feedback = Some(FeedbackPlan {
                    name: "again".into(),
                    memory_bytes: self.loop_memory_bytes,
                    spill_bytes: 1 << 30,
                });
                edge.timeless = true;
            }
        }
        graph
    }

    /// Split, how many of its records were given, and how many it has, of the splits of an instance.
    pub fn splits_of(
        &self,
        stage: usize,
        instance: u32,
        instances: u32,
    ) -> impl Iterator<Item = (u32, u64, u64)> {
        let splits = self.stages[stage].splits.iter().enumerate();
        let own = splits.filter(move |(place, _)| place % instances as usize == instance as usize);
        own.map(|(_, &(split, records))| (split, 0, records))
    }

    pub fn inputs_of(&self, stage: usize) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(move |input| input.to == stage)
    }

    /// Whether all records of a key come to the same instance.
    pub fn is_keyed(&self, stage: usize) -> bool {
        self.inputs_of(stage)
            .all(|input| input.partition == Partition::Hash)
    }

    /// Whether the records of one split with the same key come to the stage in the order in which they were read.
    pub fn keeps_order(&self, stage: usize) -> bool {
        let mut inputs = self.inputs_of(stage);
        let (first, second) = (inputs.next(), inputs.next());
        match (self.stages[stage].work, first, second) {
            (Work::Source, ..) => true,
            (Work::Pass | Work::Delay | Work::Sum | Work::Table | Work::Sink, Some(only), None) => {
                only.partition == Partition::Hash && self.keeps_order(only.from)
            }
            _ => false,
        }
    }

    /// Whether the numbers of the records that a stage gives are those of the sources, behind the watermarks that it says.
    pub fn is_timed(&self, stage: usize) -> bool {
        match self.stages[stage].work {
            Work::Source => !self.stages[stage].is_native,
            Work::Pass | Work::Delay | Work::Sum | Work::Table => {
                self.inputs_of(stage).all(|input| self.is_timed(input.from))
            }
            Work::Window | Work::Total | Work::Join | Work::Head | Work::Tail | Work::Sink => false,
        }
    }
}

fn native_stage(number: usize, work: Work, parallelism: usize) -> Stage {
    let spec = number.to_string();
    match work {
        Work::Source => Stage::native_source(&spec, parallelism),
        Work::Sink => Stage::native_sink(&spec, parallelism),
        _ => {
            let spec = r#"{"names":["n","sum"],"aggregators":[{"kind":"count"},{"kind":"sum","input":1}],"keyed":true,"node":1}"#;
            Stage {
                kinds: vec![TaskKind::NativeAggregate { spec: spec.into() }; parallelism],
                is_source: false,
                dormant: 0,
            }
        }
    }
}
