//! Execution graphs from stages and exchanges.

use sage_runtime::{EdgePlan, ExecutionGraph, Partition, TaskKind, TaskPlan};
use sage_types::{EdgeId, StageId, TaskId};

/// A stage and where its instances run.
#[derive(Debug, Clone)]
pub struct Stage {
    pub kinds: Vec<TaskKind>,
    pub is_source: bool,
    /// So many of the last instances are dormant.
    pub dormant: usize,
}

impl Stage {
    /// Instance i in isolate `isolates[i]`.
    pub fn js(isolates: &[u32]) -> Self {
        let kinds = isolates
            .iter()
            .map(|&isolate| TaskKind::JsTask { isolate })
            .collect();
        Self {
            kinds,
            is_source: false,
            dormant: 0,
        }
    }

    /// Instance 0 takes records from the start, the others when their isolates have come.
    pub fn elastic(isolates: &[u32]) -> Self {
        Self {
            dormant: isolates.len() - 1,
            ..Self::js(isolates)
        }
    }

    pub fn js_source(isolates: &[u32]) -> Self {
        Self {
            is_source: true,
            ..Self::js(isolates)
        }
    }

    pub fn native_source(spec: &str, parallelism: usize) -> Self {
        Self {
            kinds: vec![TaskKind::NativeSource { spec: spec.into() }; parallelism],
            is_source: true,
            dormant: 0,
        }
    }

    pub fn native_sink(spec: &str, parallelism: usize) -> Self {
        Self {
            kinds: vec![TaskKind::NativeSink { spec: spec.into() }; parallelism],
            is_source: false,
            dormant: 0,
        }
    }

    pub fn parallelism(&self) -> usize {
        self.kinds.len()
    }
}

/// All edges between two stages.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub from: usize,
    pub to: usize,
    pub partition: Partition,
    pub max_rows: u32,
}

impl Exchange {
    pub fn new(from: usize, to: usize, partition: Partition) -> Self {
        Self {
            from,
            to,
            partition,
            max_rows: 64,
        }
    }

    pub fn with_max_rows(self, max_rows: u32) -> Self {
        Self { max_rows, ..self }
    }
}

/// Tasks are numbered stage by stage; the outputs and gates of a stage are in the order of `exchanges`.
pub fn graph(stages: &[Stage], exchanges: &[Exchange]) -> ExecutionGraph {
    let mut tasks = Vec::new();
    let mut first_task = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        first_task.push(tasks.len());
        for (instance, kind) in stage.kinds.iter().enumerate() {
            tasks.push(TaskPlan {
                id: TaskId(number(tasks.len())),
                stage: StageId(number(index)),
                name: format!("stage {index}"),
                instance: number(instance),
                parallelism: number(stage.parallelism()),
                kind: kind.clone(),
                is_source: stage.is_source,
                dormant: instance >= stage.parallelism() - stage.dormant,
                chain: None,
                operators: vec![format!("stage {index}")],
                uid: format!("stage {index}"),
                works: Vec::new(),
            });
        }
    }
    let mut edges = Vec::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        let output = exchanges[..index]
            .iter()
            .filter(|other| other.from == exchange.from)
            .count();
        let gate = exchanges[..index]
            .iter()
            .filter(|other| other.to == exchange.to)
            .count();
        for from in 0..stages[exchange.from].parallelism() {
            for to in 0..stages[exchange.to].parallelism() {
                if exchange.partition == Partition::Forward && from != to {
                    continue;
                }
                edges.push(EdgePlan {
                    feedback: None,
                    timeless: false,
                    id: EdgeId(number(edges.len())),
                    from_task: TaskId(number(first_task[exchange.from] + from)),
                    from_output: number(output),
                    to_task: TaskId(number(first_task[exchange.to] + to)),
                    to_gate: number(gate),
                    partition: exchange.partition,
                    max_rows: exchange.max_rows,
                    max_bytes: 1 << 20,
                });
            }
        }
    }
    ExecutionGraph {
        job_id: "test".into(),
        job_name: "test".into(),
        key_groups: 128,
        tasks,
        edges,
        state_directory: None,
    }
}

pub fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap()
}
