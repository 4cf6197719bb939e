//! What a graph must be before a job is built from it.

use sage_types::{ErrorCode, Result, SageError, TaskId};

use crate::graph::{EdgePlan, ExecutionGraph, Partition, TaskKind, TaskPlan};

impl ExecutionGraph {
    /// Checks what the core relies on: dense ids, gates and outputs without gaps, one partition and one target stage per
    /// output, targets in instance order, an awake target for each record, no cycle but through feedback edges, and only
    /// JavaScript tasks in those.
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
        self.validate_acyclic()?;
        self.validate_loops()
    }

    fn validate_loops(&self) -> Result<()> {
        let loops = self.loops();
        for edge in self.edges.iter().filter(|edge| edge.feedback.is_some()) {
            if !loops.iter().any(|of| of.contains(&edge.from_task)) {
                return Err(invalid(format!(
                    "edge {} is a feedback edge and leads to nothing that comes back",
                    edge.id
                )));
            }
        }
        let stranger = |id: &&TaskId| {
            let task = &self.tasks[id.index()];
            task.dormant || task.is_source || !matches!(task.kind, TaskKind::JsTask { .. })
        };
        match loops.iter().flatten().find(stranger) {
            None => Ok(()),
            Some(task) => Err(invalid(format!(
                "task {task} is in a loop: only JavaScript tasks with input, from the start, can be"
            ))),
        }
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
            let may_have_chain = matches!(
                task.kind,
                TaskKind::NativeSource { .. } | TaskKind::NativeAggregate { .. }
            );
            if task.chain.is_some() && !may_have_chain {
                return Err(invalid(format!(
                    "task {index} has a chain of operators: only native sources and aggregates can"
                )));
            }
            if task.dormant && (task.is_source || !matches!(task.kind, TaskKind::JsTask { .. })) {
                return Err(invalid(format!(
                    "task {index} is dormant: only JavaScript tasks with input can be"
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
        // Only a rebalance may leave instances out; it needs one that takes all records at first.
        let dormant = output.iter().filter(|edge| target(edge).dormant).count();
        if dormant == output.len() || (dormant > 0 && first.partition != Partition::Rebalance) {
            return Err(invalid(format!(
                "{place} leads to dormant tasks: it must be a rebalance with a target that is awake"
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
        for edge in self.edges.iter().filter(|edge| edge.feedback.is_none()) {
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
            let forward = |edge: &&EdgePlan| edge.from_task == task && edge.feedback.is_none();
            for edge in self.edges.iter().filter(forward) {
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

pub(crate) fn invalid(message: impl Into<String>) -> SageError {
    SageError::new(ErrorCode::FormatGraph, message)
}
