//! From the plan to queues and tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use sage_queue::{Limits, NoWaker, Parker, ReadySlot, RunQueue, Waker};
use sage_types::{EdgeId, Result, SharedClock, TaskId};

use crate::edge::{Edge, MemoryEdge};
use crate::feedback_edge::FeedbackEdge;
use crate::feedback_loop::{FeedbackLoop, LoopMember};
use crate::graph::{ExecutionGraph, TaskKind, TaskPlan};
use crate::inputs::{InputEdge, Inputs};
use crate::job_core::{IsolateQueue, internal};
use crate::loop_budget::{LoopBudget, LoopHost};
use crate::outputs::Output;
use crate::task::{Doorbell, Task};
use crate::task_metrics::TaskMetrics;

/// Everything of a job that is fixed by its graph.
pub(crate) struct Wiring {
    pub(crate) tasks: Vec<Task>,
    pub(crate) edges: Vec<Arc<dyn Edge>>,
    pub(crate) isolates: Vec<IsolateQueue>,
    pub(crate) loops: Vec<Arc<FeedbackLoop>>,
    pub(crate) loop_host: Arc<LoopHost>,
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
        let loop_host = Arc::new(LoopHost::new(graph.state_directory.as_deref()));
        let waker = |task: TaskId| {
            doorbells
                .get(task.index())
                .map_or_else(|| Arc::new(NoWaker) as Arc<dyn Waker>, Doorbell::waker)
        };
        let feedback = feedback_edges(graph, &loop_host, &waker);
        let edges: Vec<Arc<dyn Edge>> = graph
            .edges
            .iter()
            .map(|plan| {
                if let Some(edge) = feedback.get(&plan.id) {
                    return Arc::clone(edge) as Arc<dyn Edge>;
                }
                let limits = Limits {
                    max_rows: u64::from(plan.max_rows),
                    max_bytes: u64::from(plan.max_bytes),
                };
                Arc::new(MemoryEdge::new(
                    limits,
                    waker(plan.to_task),
                    waker(plan.from_task),
                )) as Arc<dyn Edge>
            })
            .collect();
        let loops: Vec<Arc<FeedbackLoop>> = graph
            .loops()
            .iter()
            .map(|tasks| Arc::new(loop_of(graph, tasks, &edges, &feedback)))
            .collect();
        let member_of = |task: TaskId| {
            loops.iter().find_map(|of| {
                let place = of.tasks.iter().position(|&member| member == task)?;
                Some(LoopMember {
                    of: Arc::clone(of),
                    place,
                })
            })
        };
        let edge_of = |id: EdgeId| {
            edges
                .get(id.index())
                .cloned()
                .ok_or_else(|| internal(format!("there is no edge {id}")))
        };
        let mut tasks = Vec::with_capacity(graph.tasks.len());
        let members: Vec<_> = graph.tasks.iter().map(|task| member_of(task.id)).collect();
        for ((plan, doorbell), member) in graph.tasks.iter().zip(doorbells).zip(members) {
            let of = member.as_ref().map(|member| Arc::clone(&member.of));
            let mut inputs = Vec::new();
            for edge in graph.gates_of(plan.id).into_iter().flatten() {
                inputs.push(InputEdge {
                    id: edge.id,
                    gate: edge.to_gate,
                    edge: edge_of(edge.id)?,
                    timeless: edge.timeless,
                    is_inside: of.as_ref().is_some_and(|of| of.tasks.contains(&edge.from_task)),
                    leads_back: edge.feedback.is_some(),
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
                Inputs::new(inputs, of, Arc::clone(clock)),
                outputs,
                doorbell,
                metrics,
                siblings,
                member,
            ));
        }
        Ok(Self {
            tasks,
            edges,
            isolates,
            loops,
            loop_host,
        })
    }
}

/// The edges that lead back; those of one name share a budget.
fn feedback_edges(
    graph: &ExecutionGraph,
    host: &Arc<LoopHost>,
    waker: &dyn Fn(TaskId) -> Arc<dyn Waker>,
) -> BTreeMap<EdgeId, Arc<FeedbackEdge>> {
    let mut budgets: BTreeMap<&str, Arc<LoopBudget>> = BTreeMap::new();
    let mut edges = BTreeMap::new();
    for edge in &graph.edges {
        let Some(plan) = &edge.feedback else { continue };
        let budget = budgets
            .entry(&plan.name)
            .or_insert_with(|| Arc::new(LoopBudget::new(&plan.name, plan.memory_bytes, plan.spill_bytes)));
        let made = FeedbackEdge::new(waker(edge.to_task), Arc::clone(budget), Arc::clone(host));
        edges.insert(edge.id, Arc::new(made));
    }
    for (name, budget) in budgets {
        let of_loop =
            |edge: &&crate::graph::EdgePlan| edge.feedback.as_ref().is_some_and(|plan| plan.name == name);
        let loops = graph.loops();
        let around: BTreeSet<TaskId> = graph
            .edges
            .iter()
            .filter(of_loop)
            .filter_map(|edge| loops.iter().find(|tasks| tasks.contains(&edge.from_task)))
            .flatten()
            .copied()
            .collect();
        budget.wakes(around.into_iter().map(waker).collect());
    }
    edges
}

fn loop_of(
    graph: &ExecutionGraph,
    tasks: &BTreeSet<TaskId>,
    edges: &[Arc<dyn Edge>],
    feedback: &BTreeMap<EdgeId, Arc<FeedbackEdge>>,
) -> FeedbackLoop {
    let (mut entering, mut inside, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for edge in graph.edges.iter().filter(|edge| tasks.contains(&edge.to_task)) {
        let queue = &edges[edge.id.index()];
        if let Some(edge) = feedback.get(&edge.id) {
            back.push(Arc::clone(edge));
        } else if tasks.contains(&edge.from_task) {
            inside.push(Arc::clone(queue));
        } else {
            entering.push(Arc::clone(queue));
        }
    }
    FeedbackLoop::new(tasks.iter().copied().collect(), entering, inside, back)
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
