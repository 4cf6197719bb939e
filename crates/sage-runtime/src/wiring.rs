//! From the plan to queues and tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use sage_queue::{Limits, NoWaker, Parker, ReadySlot, RunQueue, Waker};
use sage_types::{Result, SharedClock, TaskId};

use crate::edge::{Edge, MemoryEdge};
use crate::graph::{ExecutionGraph, TaskKind, TaskPlan};
use crate::inputs::{InputEdge, Inputs};
use crate::job_core::{IsolateQueue, internal};
use crate::outputs::Output;
use crate::task::{Doorbell, Task};
use crate::task_metrics::TaskMetrics;

/// Everything of a job that is fixed by its graph.
pub(crate) struct Wiring {
    pub(crate) tasks: Vec<Task>,
    pub(crate) edges: Vec<Arc<dyn Edge>>,
    pub(crate) isolates: Vec<IsolateQueue>,
}

impl Wiring {
    /// Builds it. Queues begin on hold: the job lets go when it starts.
    pub(crate) fn of(graph: &ExecutionGraph, clock: &SharedClock) -> Result<Self> {
        let isolates = isolates(graph);
        let doorbells: Vec<Doorbell> = graph
            .tasks
            .iter()
            .map(|task| doorbell(task, &isolates))
            .collect::<Result<_>>()?;
        let edges: Vec<Arc<dyn Edge>> = graph
            .edges
            .iter()
            .map(|plan| {
                let limits = Limits {
                    max_rows: u64::from(plan.max_rows),
                    max_bytes: u64::from(plan.max_bytes),
                };
                let waker = |task: sage_types::TaskId| {
                    doorbells
                        .get(task.index())
                        .map_or_else(|| Arc::new(NoWaker) as Arc<dyn Waker>, Doorbell::waker)
                };
                Arc::new(MemoryEdge::new(
                    limits,
                    waker(plan.to_task),
                    waker(plan.from_task),
                )) as Arc<dyn Edge>
            })
            .collect();
        let edge_of = |id: sage_types::EdgeId| {
            edges
                .get(id.index())
                .cloned()
                .ok_or_else(|| internal(format!("there is no edge {id}")))
        };
        let mut tasks = Vec::with_capacity(graph.tasks.len());
        for (plan, doorbell) in graph.tasks.iter().zip(doorbells) {
            let mut inputs = Vec::new();
            for edge in graph.gates_of(plan.id).into_iter().flatten() {
                inputs.push(InputEdge {
                    id: edge.id,
                    gate: edge.to_gate,
                    edge: edge_of(edge.id)?,
                });
            }
            let mut outputs = Vec::new();
            for output in graph.outputs_of(plan.id) {
                let Some(first) = output.first() else { continue };
                let targets = output
                    .iter()
                    .map(|edge| edge_of(edge.id))
                    .collect::<Result<Vec<_>>>()?;
                let awake = output
                    .iter()
                    .map(|edge| !graph.tasks[edge.to_task.index()].dormant)
                    .collect::<Vec<_>>();
                outputs.push(Output::new(first.partition, targets, &awake, graph.key_groups));
            }
            let siblings = elastic_siblings(graph, plan);
            let metrics = TaskMetrics::new(clock.monotonic_nanos());
            tasks.push(Task::new(
                plan.clone(),
                Inputs::new(inputs),
                outputs,
                doorbell,
                metrics,
                siblings,
            ));
        }
        Ok(Self {
            tasks,
            edges,
            isolates,
        })
    }
}

/// The other instances of a task's stage, if not all of them take records from the start.
fn elastic_siblings(graph: &ExecutionGraph, plan: &TaskPlan) -> Box<[TaskId]> {
    let of_stage = || graph.tasks.iter().filter(|task| task.stage == plan.stage);
    if !of_stage().any(|task| task.dormant) {
        return Box::default();
    }
    of_stage()
        .map(|task| task.id)
        .filter(|&id| id != plan.id)
        .collect()
}

/// One queue for each isolate that tasks name, and always one for the main isolate.
fn isolates(graph: &ExecutionGraph) -> Vec<IsolateQueue> {
    // Tasks and dormant tasks by isolate.
    let mut counts = BTreeMap::from([(0, (0, 0))]);
    for task in &graph.tasks {
        if let TaskKind::JsTask { isolate } = task.kind {
            let (tasks, dormant) = counts.entry(isolate).or_insert((0, 0));
            *tasks += 1;
            *dormant += usize::from(task.dormant);
        }
    }
    let queue = |(index, (tasks, dormant))| {
        let queue = Arc::new(RunQueue::new());
        queue.hold();
        IsolateQueue {
            index,
            queue,
            unfinished_tasks: AtomicUsize::new(tasks),
            may_be_absent: tasks == dormant,
            wakes_tasks: AtomicBool::new(dormant > 0),
        }
    };
    counts.into_iter().map(queue).collect()
}

fn doorbell(task: &TaskPlan, isolates: &[IsolateQueue]) -> Result<Doorbell> {
    let TaskKind::JsTask { isolate: index } = task.kind else {
        return Ok(Doorbell::Thread(Arc::new(Parker::new())));
    };
    let isolate = isolates.iter().position(|isolate| isolate.index == index);
    let isolate = isolate.ok_or_else(|| internal(format!("there is no isolate {index}")))?;
    let slot = Arc::new(ReadySlot::new(task.id, Arc::clone(&isolates[isolate].queue)));
    Ok(Doorbell::Isolate { slot, isolate })
}
