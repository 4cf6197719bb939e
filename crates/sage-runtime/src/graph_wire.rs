//! The execution graph as the FlatBuffers table of `schema/graph.fbs`.

use flatbuffers::{FlatBufferBuilder, WIPOffset};
use sage_types::{EdgeId, Result, StageId, TaskId};

use crate::generated::graph_generated::sage::graph as wire;
use crate::graph::{EdgePlan, ExecutionGraph, FeedbackPlan, Partition, TaskKind, TaskPlan};
use crate::graph_check::invalid;

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
            state_directory: root.state_directory().map(str::to_owned),
        };
        graph.validate()?;
        Ok(graph)
    }

    /// Writes the FlatBuffers table; the planner does the same in TypeScript.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut fbb = FlatBufferBuilder::new();
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
            state_directory: self
                .state_directory
                .as_ref()
                .map(|directory| fbb.create_string(directory)),
        };
        let root = wire::ExecutionGraph::create(&mut fbb, &args);
        fbb.finish(root, None);
        fbb.finished_data().to_vec()
    }
}

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
        wire::TaskKind::NativeAggregate => TaskKind::NativeAggregate { spec: spec() },
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
        dormant: task.dormant(),
        chain: task.chain().map(str::to_owned),
        operators: task
            .operators()
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
        uid: task.uid().unwrap_or_default().to_owned(),
        works: task.works().into_iter().flatten().map(str::to_owned).collect(),
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
        feedback: edge.feedback().map(|name| FeedbackPlan {
            name: name.to_owned(),
            memory_bytes: edge.memory_bytes(),
            spill_bytes: edge.spill_bytes(),
        }),
        timeless: edge.timeless(),
    })
}

fn encode_task<'a>(fbb: &mut FlatBufferBuilder<'a>, task: &TaskPlan) -> WIPOffset<wire::Task<'a>> {
    let (kind, isolate, spec) = match &task.kind {
        TaskKind::JsTask { isolate } => (
            wire::TaskKind::JsTask,
            i32::try_from(*isolate).unwrap_or(i32::MAX),
            None,
        ),
        TaskKind::NativeSource { spec } => (wire::TaskKind::NativeSource, -1, Some(spec)),
        TaskKind::NativeSink { spec } => (wire::TaskKind::NativeSink, -1, Some(spec)),
        TaskKind::NativeAggregate { spec } => (wire::TaskKind::NativeAggregate, -1, Some(spec)),
    };
    let operators: Vec<_> = task.operators.iter().map(|id| fbb.create_string(id)).collect();
    let works: Vec<_> = task.works.iter().map(|work| fbb.create_string(work)).collect();
    let args = wire::TaskArgs {
        id: task.id.0,
        stage: task.stage.0,
        name: Some(fbb.create_string(&task.name)),
        instance: task.instance,
        parallelism: task.parallelism,
        isolate,
        kind,
        is_source: task.is_source,
        dormant: task.dormant,
        spec: spec.map(|spec| fbb.create_string(spec)),
        chain: task.chain.as_ref().map(|chain| fbb.create_string(chain)),
        operators: Some(fbb.create_vector(&operators)),
        uid: Some(fbb.create_string(&task.uid)),
        works: Some(fbb.create_vector(&works)),
    };
    wire::Task::create(fbb, &args)
}

fn encode_edge<'a>(fbb: &mut FlatBufferBuilder<'a>, edge: &EdgePlan) -> WIPOffset<wire::Edge<'a>> {
    let partition = match edge.partition {
        Partition::Forward => wire::Partition::Forward,
        Partition::Hash => wire::Partition::Hash,
        Partition::Broadcast => wire::Partition::Broadcast,
        Partition::Rebalance => wire::Partition::Rebalance,
    };
    let (memory_bytes, spill_bytes) = edge
        .feedback
        .as_ref()
        .map_or((0, 0), |plan| (plan.memory_bytes, plan.spill_bytes));
    let args = wire::EdgeArgs {
        id: edge.id.0,
        from_task: edge.from_task.0,
        from_output: edge.from_output,
        to_task: edge.to_task.0,
        to_gate: edge.to_gate,
        partition,
        max_rows: edge.max_rows,
        max_bytes: edge.max_bytes,
        feedback: edge.feedback.as_ref().map(|plan| fbb.create_string(&plan.name)),
        memory_bytes,
        spill_bytes,
        timeless: edge.timeless,
    };
    wire::Edge::create(fbb, &args)
}
