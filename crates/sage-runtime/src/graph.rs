//! The decoded and validated execution graph.

use sage_types::{EdgeId, StageId, TaskId};

/// How the records of one output reach the instances of the next stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// One target: instance i to instance i.
    Forward,
    /// By key group of the key column.
    Hash,
    /// Every frame to every target.
    Broadcast,
    /// Round robin per record.
    Rebalance,
}

/// Who runs a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskKind {
    /// Generated JavaScript in isolate `isolate` (0: main, 1..: workers).
    JsTask {
        /// Index of the isolate.
        isolate: u32,
    },
    /// A reader on a thread of its own.
    NativeSource {
        /// JSON of the connector.
        spec: String,
    },
    /// A writer on a thread of its own.
    NativeSink {
        /// JSON of the connector.
        spec: String,
    },
    /// A keyed aggregate on a thread of its own.
    NativeAggregate {
        /// JSON of its aggregators.
        spec: String,
    },
}

/// One parallel task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlan {
    /// Index in [`ExecutionGraph::tasks`].
    pub id: TaskId,
    /// The stage it is an instance of.
    pub stage: StageId,
    /// Name of the stage.
    pub name: String,
    /// Which instance, from 0.
    pub instance: u32,
    /// Of how many.
    pub parallelism: u32,
    /// Who runs it.
    pub kind: TaskKind,
    /// Whether it produces records by itself.
    pub is_source: bool,
    /// Whether it gets no records, and the job does not wait for its isolate, until that isolate has come.
    pub dormant: bool,
    /// JSON of the operators that each batch goes through before it is sent; native sources and aggregates only.
    pub chain: Option<String>,
    /// Ids of all operators of its stage, under which checkpoints keep their state.
    pub operators: Vec<String>,
    /// Id of the operator whose work a native task does; empty for others.
    pub uid: String,
    /// What each of `operators` does; shorter, or empty words, where nobody says so.
    pub works: Vec<String>,
}

/// What makes an edge one that leads back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackPlan {
    /// Name of the loop; the edges with one name share what they may hold.
    pub name: String,
    /// What they may hold in memory.
    pub memory_bytes: u64,
    /// What they may hold on disk besides.
    pub spill_bytes: u64,
}

/// One physical edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgePlan {
    /// Index in [`ExecutionGraph::edges`].
    pub id: EdgeId,
    /// Producer.
    pub from_task: TaskId,
    /// Output of the producer, from 0 without gaps.
    pub from_output: u32,
    /// Consumer.
    pub to_task: TaskId,
    /// Gate of the consumer, from 0 without gaps.
    pub to_gate: u32,
    /// How the output distributes.
    pub partition: Partition,
    /// Credit in records.
    pub max_rows: u32,
    /// Credit in bytes.
    pub max_bytes: u32,
    /// Closes a loop.
    pub feedback: Option<FeedbackPlan>,
    /// Says nothing about event time and holds it back for nobody.
    pub timeless: bool,
}

/// Tasks and edges of one job, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionGraph {
    /// UUID of the job.
    pub job_id: String,
    /// Name of the job.
    pub job_name: String,
    /// Number of key groups; 1 to 65536.
    pub key_groups: u32,
    /// By task id.
    pub tasks: Vec<TaskPlan>,
    /// By edge id.
    pub edges: Vec<EdgePlan>,
    /// Where the directory of a job with queues on disk goes.
    pub state_directory: Option<String>,
}

impl ExecutionGraph {
    /// The edges that leave `task`, by output and in the order of the target's instances.
    #[must_use]
    pub fn outputs_of(&self, task: TaskId) -> Vec<Vec<&EdgePlan>> {
        grouped(self.edges.iter().filter(|edge| edge.from_task == task), |edge| {
            edge.from_output
        })
    }

    /// The edges that enter `task`, by gate and in edge order.
    #[must_use]
    pub fn gates_of(&self, task: TaskId) -> Vec<Vec<&EdgePlan>> {
        grouped(self.edges.iter().filter(|edge| edge.to_task == task), |edge| {
            edge.to_gate
        })
    }
}

/// A gap in the numbering that is larger than this is taken as one of this size.
const MAX_GAP: usize = 1024;

/// Edges by number; an empty group is a gap in the numbering.
fn grouped<'a>(
    edges: impl Iterator<Item = &'a EdgePlan>,
    by: impl Fn(&EdgePlan) -> u32,
) -> Vec<Vec<&'a EdgePlan>> {
    let mut groups: Vec<Vec<&EdgePlan>> = Vec::new();
    for edge in edges {
        let index = by(edge) as usize;
        // A number far out of range is a gap, which `validate` reports; it must not cost memory first.
        let index = index.min(groups.len() + MAX_GAP);
        if groups.len() <= index {
            groups.resize_with(index + 1, Vec::new);
        }
        groups[index].push(edge);
    }
    groups
}
