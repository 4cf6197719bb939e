//! The decoded and validated execution graph.

use sage_types::{EdgeId, ErrorCode, Result, SageError, StageId, TaskId};

use crate::generated::graph_generated::sage::graph as wire;

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
}

impl ExecutionGraph {
    /// Reads and checks the FlatBuffers table of `schema/graph.fbs`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` with what is wrong and where.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let root = wire::root_as_execution_graph(bytes).map_err(|error| {
            invalid(format!(
                "the execution graph is not a valid FlatBuffers table: {error}"
            ))
        })?;
        if root.version() != 1 {
            return Err(invalid(format!(
                "execution graph version {} is not known (this core knows 1)",
                root.version()
            )));
        }
        let tasks = root
            .tasks()
            .map(|tasks| tasks.iter().map(task_plan).collect::<Result<Vec<_>>>());
        let edges = root
            .edges()
            .map(|edges| edges.iter().map(edge_plan).collect::<Result<Vec<_>>>());
        let graph = Self {
            job_id: root.job_id().unwrap_or_default().to_owned(),
            job_name: root.job_name().unwrap_or_default().to_owned(),
            key_groups: root.key_groups(),
            tasks: tasks.transpose()?.unwrap_or_default(),
            edges: edges.transpose()?.unwrap_or_default(),
        };
        graph.validate()?;
        Ok(graph)
    }

    /// Writes the FlatBuffers table; the planner does the same in TypeScript.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut fbb = flatbuffers::FlatBufferBuilder::new();
        let tasks: Vec<_> = self
            .tasks
            .iter()
            .map(|task| encode_task(&mut fbb, task))
            .collect();
        let edges: Vec<_> = self
            .edges
            .iter()
            .map(|edge| encode_edge(&mut fbb, edge))
            .collect();
        let args = wire::ExecutionGraphArgs {
            version: 1,
            job_name: Some(fbb.create_string(&self.job_name)),
            job_id: Some(fbb.create_string(&self.job_id)),
            key_groups: self.key_groups,
            tasks: Some(fbb.create_vector(&tasks)),
            edges: Some(fbb.create_vector(&edges)),
        };
        let root = wire::ExecutionGraph::create(&mut fbb, &args);
        fbb.finish(root, None);
        fbb.finished_data().to_vec()
    }

    /// Checks what the core relies on: dense ids, gates and outputs without gaps, one partition and one target stage per
    /// output, targets in instance order, no cycle, every task reachable from a source.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH`.
    pub fn validate(&self) -> Result<()> {
        if self.key_groups == 0 || self.key_groups > 65_536 {
            return Err(invalid(format!(
                "the number of key groups is {}, must be 1 to 65536",
                self.key_groups
            )));
        }
        self.validate_tasks()?;
        for (index, edge) in self.edges.iter().enumerate() {
            let known = |task: TaskId| task.index() < self.tasks.len();
            if edge.id.index() != index || !known(edge.from_task) || !known(edge.to_task) {
                return Err(invalid(format!(
                    "edge {index} has a wrong id, or names a task that is not there"
                )));
            }
            if edge.max_rows == 0 || edge.max_bytes == 0 {
                return Err(invalid(format!(
                    "edge {index} has no room: maxRows and maxBytes must be at least 1"
                )));
            }
        }
        for task in &self.tasks {
            self.validate_wiring(task)?;
        }
        self.validate_acyclic()
    }

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

    fn validate_tasks(&self) -> Result<()> {
        if self.tasks.is_empty() {
            return Err(invalid("the execution graph has no task"));
        }
        for (index, task) in self.tasks.iter().enumerate() {
            if task.id.index() != index {
                return Err(invalid(format!("task {index} says that its id is {}", task.id)));
            }
            if task.instance >= task.parallelism {
                return Err(invalid(format!(
                    "task {index} is instance {} of a stage with parallelism {}",
                    task.instance, task.parallelism
                )));
            }
            if matches!(task.kind, TaskKind::NativeSource { .. }) != task.is_source
                && !matches!(task.kind, TaskKind::JsTask { .. })
            {
                return Err(invalid(format!(
                    "native task {index}: its kind and isSource disagree"
                )));
            }
        }
        Ok(())
    }

    fn validate_wiring(&self, task: &TaskPlan) -> Result<()> {
        let outputs = self.outputs_of(task.id);
        let gates = self.gates_of(task.id);
        if outputs.iter().any(Vec::is_empty) || gates.iter().any(Vec::is_empty) {
            return Err(invalid(format!(
                "task {}: its outputs or gates are not numbered from 0 without gaps",
                task.id
            )));
        }
        if gates.is_empty() != task.is_source {
            return Err(invalid(format!(
                "task {}: a source has no gate, any other task has at least one",
                task.id
            )));
        }
        if matches!(task.kind, TaskKind::NativeSink { .. }) && !outputs.is_empty() {
            return Err(invalid(format!(
                "task {} is a native sink and cannot have an output",
                task.id
            )));
        }
        for output in &outputs {
            self.validate_output(task, output)?;
        }
        Ok(())
    }

    fn validate_output(&self, task: &TaskPlan, output: &[&EdgePlan]) -> Result<()> {
        let Some(first) = output.first() else {
            return Ok(());
        };
        let target = |edge: &EdgePlan| &self.tasks[edge.to_task.index()];
        let place = format!("output {} of task {}", first.from_output, task.id);
        if output.iter().any(|edge| {
            edge.partition != first.partition
                || edge.to_gate != first.to_gate
                || target(edge).stage != target(first).stage
        }) {
            return Err(invalid(format!(
                "{place} mixes partitions, gates or target stages"
            )));
        }
        if first.partition == Partition::Forward {
            return if output.len() == 1 {
                Ok(())
            } else {
                Err(invalid(format!(
                    "{place} is forward and must have one edge, not {}",
                    output.len()
                )))
            };
        }
        let in_order = output
            .iter()
            .enumerate()
            .all(|(i, edge)| target(edge).instance as usize == i);
        if !in_order || output.len() != target(first).parallelism as usize {
            return Err(invalid(format!(
                "{place} must list each instance of its target once, in order"
            )));
        }
        if first.partition == Partition::Hash && output.len() > self.key_groups as usize {
            return Err(invalid(format!(
                "{place} has more targets than there are key groups ({})",
                self.key_groups
            )));
        }
        Ok(())
    }

    fn validate_acyclic(&self) -> Result<()> {
        let mut open = vec![0_usize; self.tasks.len()];
        for edge in &self.edges {
            open[edge.to_task.index()] += 1;
        }
        let mut ready: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|task| open[task.id.index()] == 0)
            .map(|task| task.id)
            .collect();
        let mut seen = 0;
        while let Some(task) = ready.pop() {
            seen += 1;
            for edge in self.edges.iter().filter(|edge| edge.from_task == task) {
                let left = &mut open[edge.to_task.index()];
                *left -= 1;
                if *left == 0 {
                    ready.push(edge.to_task);
                }
            }
        }
        if seen == self.tasks.len() {
            Ok(())
        } else {
            Err(invalid("the execution graph has a cycle"))
        }
    }
}

fn invalid(message: impl Into<String>) -> SageError {
    SageError::new(ErrorCode::FormatGraph, message)
}

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

const MAX_GAP: usize = 1024;

fn task_plan(task: wire::Task<'_>) -> Result<TaskPlan> {
    let spec = || task.spec().unwrap_or_default().to_owned();
    let kind = match task.kind() {
        wire::TaskKind::JsTask => {
            let isolate = u32::try_from(task.isolate())
                .map_err(|_| invalid(format!("JavaScript task {} has no isolate", task.id())))?;
            TaskKind::JsTask { isolate }
        }
        wire::TaskKind::NativeSource => TaskKind::NativeSource { spec: spec() },
        wire::TaskKind::NativeSink => TaskKind::NativeSink { spec: spec() },
        other => {
            return Err(invalid(format!(
                "task {} has the unknown kind {}",
                task.id(),
                other.0
            )));
        }
    };
    Ok(TaskPlan {
        id: TaskId(task.id()),
        stage: StageId(task.stage()),
        name: task.name().unwrap_or_default().to_owned(),
        instance: task.instance(),
        parallelism: task.parallelism(),
        kind,
        is_source: task.is_source(),
    })
}

fn edge_plan(edge: wire::Edge<'_>) -> Result<EdgePlan> {
    let partition = match edge.partition() {
        wire::Partition::Forward => Partition::Forward,
        wire::Partition::Hash => Partition::Hash,
        wire::Partition::Broadcast => Partition::Broadcast,
        wire::Partition::Rebalance => Partition::Rebalance,
        other => {
            return Err(invalid(format!(
                "edge {} has the unknown partition {}",
                edge.id(),
                other.0
            )));
        }
    };
    Ok(EdgePlan {
        id: EdgeId(edge.id()),
        from_task: TaskId(edge.from_task()),
        from_output: edge.from_output(),
        to_task: TaskId(edge.to_task()),
        to_gate: edge.to_gate(),
        partition,
        max_rows: edge.max_rows(),
        max_bytes: edge.max_bytes(),
    })
}

fn encode_task<'a>(
    fbb: &mut flatbuffers::FlatBufferBuilder<'a>,
    task: &TaskPlan,
) -> flatbuffers::WIPOffset<wire::Task<'a>> {
    let (kind, isolate, spec) = match &task.kind {
        TaskKind::JsTask { isolate } => (
            wire::TaskKind::JsTask,
            i32::try_from(*isolate).unwrap_or(i32::MAX),
            None,
        ),
        TaskKind::NativeSource { spec } => (wire::TaskKind::NativeSource, -1, Some(spec)),
        TaskKind::NativeSink { spec } => (wire::TaskKind::NativeSink, -1, Some(spec)),
    };
    let args = wire::TaskArgs {
        id: task.id.0,
        stage: task.stage.0,
        name: Some(fbb.create_string(&task.name)),
        instance: task.instance,
        parallelism: task.parallelism,
        isolate,
        kind,
        is_source: task.is_source,
        spec: spec.map(|spec| fbb.create_string(spec)),
    };
    wire::Task::create(fbb, &args)
}

fn encode_edge<'a>(
    fbb: &mut flatbuffers::FlatBufferBuilder<'a>,
    edge: &EdgePlan,
) -> flatbuffers::WIPOffset<wire::Edge<'a>> {
    let partition = match edge.partition {
        Partition::Forward => wire::Partition::Forward,
        Partition::Hash => wire::Partition::Hash,
        Partition::Broadcast => wire::Partition::Broadcast,
        Partition::Rebalance => wire::Partition::Rebalance,
    };
    let args = wire::EdgeArgs {
        id: edge.id.0,
        from_task: edge.from_task.0,
        from_output: edge.from_output,
        to_task: edge.to_task.0,
        to_gate: edge.to_gate,
        partition,
        max_rows: edge.max_rows,
        max_bytes: edge.max_bytes,
    };
    wire::Edge::create(fbb, &args)
}
