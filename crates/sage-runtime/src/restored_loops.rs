//! What was on its way around the loops of a job, in a checkpoint: under which names it is kept, and how it is put back.

use std::collections::BTreeSet;

use sage_types::{ErrorCode, Result, SageError, TaskId};

use crate::graph::{EdgePlan, ExecutionGraph, Partition, TaskPlan};
use crate::job_core::{JobCore, internal};
use crate::loop_log::LoopLog;
use crate::restored_state::RestoredState;

/// With what the names begin under which tasks keep what was on its way around to one of their gates.
const LOG: &str = "loop:";

/// Such a name: the loop, and which of its consumers, of how many. Stages and gates have other numbers, and other operators, in a plan
/// for another number of instances.
pub(crate) fn log_name(graph: &ExecutionGraph, task: &TaskPlan, gate: u32) -> Option<String> {
    let fed_back = |edge: &&EdgePlan| edge.feedback.is_some();
    let edge = graph
        .edges
        .iter()
        .filter(fed_back)
        .find(|edge| edge.to_task == task.id && edge.to_gate == gate)?;
    let name = edge.feedback.as_ref().map(|feedback| feedback.name.as_str());
    let consumers: BTreeSet<_> = graph
        .edges
        .iter()
        .filter(|edge| edge.feedback.as_ref().map(|feedback| feedback.name.as_str()) == name)
        .map(|edge| (graph.tasks[edge.to_task.index()].stage, edge.to_gate))
        .collect();
    let place = consumers
        .iter()
        .position(|&consumer| consumer == (task.stage, gate))?;
    Some(format!("{LOG}{}:{place}/{}", name?, consumers.len()))
}

impl JobCore {
    /// Puts what was on its way around loops back, before anything runs.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_RESCALE` when the plan has no place for it; those of the store and of batches.
    pub(crate) fn restore_loops(&self, restored: &RestoredState) -> Result<()> {
        let mut claimed = BTreeSet::new();
        for task in &self.graph.tasks {
            for gate in self.graph.gates_of(task.id) {
                let Some(first) = gate.first().filter(|edge| edge.feedback.is_some()) else {
                    continue;
                };
                let Some(name) = log_name(&self.graph, task, first.to_gate) else {
                    continue;
                };
                let parts = restored.own_parts_named(&name)?;
                claimed.insert(name);
                for part in parts {
                    // Records that stay with their instance may be with any: each takes those of old instances over, as of other own parts.
                    let stays = matches!(first.partition, Partition::Forward);
                    let log = LoopLog::from_bytes(&part.bytes, &self.registry)?;
                    if part.parallelism == task.parallelism || stays {
                        if part.instance % task.parallelism == task.instance {
                            for (_, frame) in log.into_frames() {
                                self.edges[first.id.index()].push(frame);
                            }
                        }
                    } else if task.instance == 0 {
                        self.restore_divided(
                            first.from_task,
                            first.from_output,
                            first.partition,
                            part.instance,
                            log,
                        )?;
                    }
                }
            }
        }
        for name in restored
            .names_of_parts(LOG)
            .filter(|name| !claimed.contains(*name))
        {
            for part in restored.own_parts_named(name)? {
                if !LoopLog::from_bytes(&part.bytes, &self.registry)?
                    .into_frames()
                    .is_empty()
                {
                    let message =
                        format!("the pipeline has no place for what was on its way around ({name})");
                    return Err(SageError::new(ErrorCode::CheckpointRescale, message));
                }
            }
        }
        Ok(())
    }

    /// There are other instances now: the output that the records came from sends them anew.
    fn restore_divided(
        &self,
        from: TaskId,
        output: u32,
        partition: Partition,
        instance: u32,
        log: LoopLog,
    ) -> Result<()> {
        if partition == Partition::Broadcast && instance > 0 {
            // Each instance had all of it.
            return Ok(());
        }
        let outputs = &self.task(from)?.outputs;
        let output = outputs
            .get(output as usize)
            .ok_or_else(|| internal(format!("task {from} has no output {output}")))?;
        for (_, frame) in log.into_frames() {
            output.emit_frame(frame, &self.registry)?;
        }
        Ok(())
    }
}
