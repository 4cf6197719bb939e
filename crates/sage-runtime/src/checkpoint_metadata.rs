//! What an epoch says about the job that wrote it.

use std::collections::{BTreeMap, BTreeSet};

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::epochs::GatheredEpoch;
use crate::graph::{ExecutionGraph, TaskPlan};

/// One operator of the job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperatorMetadata {
    pub(crate) parallelism: u32,
    /// Instances that had finished: they give nothing any more.
    pub(crate) finished: BTreeSet<u32>,
    /// Those of them that have said what stays of them.
    pub(crate) left: BTreeSet<u32>,
    /// Names of its parts.
    pub(crate) parts: BTreeSet<String>,
    /// What it does, where its job said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) work: String,
}

/// The metadata of an epoch, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckpointMetadata {
    pub(crate) job: String,
    pub(crate) key_groups: u32,
    /// Behind it the job stopped, or it had ended.
    pub(crate) last: bool,
    pub(crate) operators: BTreeMap<String, OperatorMetadata>,
}

impl CheckpointMetadata {
    /// `had_ended`: operators that had come to their end before. They have given all that they give, also where they share a task with others
    /// that go on.
    pub(crate) fn of(
        graph: &ExecutionGraph,
        epoch: &GatheredEpoch,
        had_ended: impl Fn(&str) -> bool,
    ) -> Self {
        let mut operators: BTreeMap<String, OperatorMetadata> = BTreeMap::new();
        for (task, handed) in graph.tasks.iter().zip(&epoch.handed) {
            for id in ids_of(task) {
                let operator = operators.entry(id.to_owned()).or_default();
                operator.parallelism = task.parallelism;
                work_of(task, id).clone_into(&mut operator.work);
                if handed.finished || had_ended(id) {
                    operator.finished.insert(task.instance);
                    if handed.parts.is_some() {
                        operator.left.insert(task.instance);
                    }
                }
            }
            for (operator, name) in handed.parts.iter().flat_map(|parts| parts.names()) {
                let operator = operators.entry(operator.to_owned()).or_default();
                operator.parallelism = task.parallelism;
                operator.parts.insert(name.to_owned());
            }
        }
        Self {
            job: graph.job_name.clone(),
            key_groups: graph.key_groups,
            last: epoch.barrier.last,
            operators,
        }
    }

    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED` when it is no metadata.
    pub(crate) fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| {
            SageError::new(
                ErrorCode::CheckpointDamaged,
                "what an epoch says about its job is malformed",
            )
            .caused_by(error)
        })
    }

    /// # Errors
    /// `SAGE_INTERNAL`: never.
    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            SageError::new(ErrorCode::Internal, "metadata of an epoch are no JSON").caused_by(error)
        })
    }

    /// Whether all instances of an operator had come to their end; nothing when the job did not have it.
    pub(crate) fn has_ended(&self, operator: &str) -> Option<bool> {
        self.operators.get(operator).map(OperatorMetadata::all_finished)
    }

    /// Whether the job had any of the operators of a task.
    pub(crate) fn knows(&self, task: &TaskPlan) -> bool {
        ids_of(task).any(|id| self.operators.contains_key(id))
    }

    /// Whether a task has nothing to do any more: all of its operators had finished, everywhere or in this instance of as many. Operators
    /// that were not there then, such as those that a plan for another number of instances has, get nothing from those that were; only
    /// a source that was not there has all of its records to give.
    pub(crate) fn has_finished(&self, task: &TaskPlan) -> bool {
        let first = ids_of(task).next();
        if task.is_source && !first.is_some_and(|id| self.operators.contains_key(id)) {
            return false;
        }
        let mut known = ids_of(task).filter_map(|id| self.operators.get(id)).peekable();
        known.peek().is_some()
            && known.all(|operator| {
                operator.all_finished()
                    || (operator.parallelism == task.parallelism
                        && operator.finished.contains(&task.instance))
            })
    }
}

impl OperatorMetadata {
    pub(crate) fn all_finished(&self) -> bool {
        self.parallelism > 0 && self.finished.len() as u64 == u64::from(self.parallelism)
    }

    /// Whether what some instances had finished can be divided among another number of instances. An instance that runs hands over
    /// all of its parts, also when they hold nothing: an operator without any has nothing to divide.
    pub(crate) fn can_be_divided(&self, knows_positions: bool) -> bool {
        self.finished.is_empty()
            || self.all_finished()
            || self.parts.is_empty()
            || (knows_positions && self.finished.is_subset(&self.left))
    }
}

/// Ids of the operators of a task.
pub(crate) fn ids_of(task: &TaskPlan) -> impl Iterator<Item = &str> {
    let own = Some(task.uid.as_str()).filter(|uid| !uid.is_empty() && !task.operators.contains(&task.uid));
    task.operators.iter().map(String::as_str).chain(own)
}

/// What an operator of a task does; empty where nobody says so.
pub(crate) fn work_of<'a>(task: &'a TaskPlan, operator: &str) -> &'a str {
    let place = task.operators.iter().position(|id| id == operator);
    place
        .and_then(|place| task.works.get(place))
        .map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_two(finished: &[u32], left: &[u32], parts: &[&str]) -> OperatorMetadata {
        OperatorMetadata {
            parallelism: 2,
            finished: finished.iter().copied().collect(),
            left: left.iter().copied().collect(),
            parts: parts.iter().map(|&part| part.to_owned()).collect(),
            work: String::new(),
        }
    }

    #[test]
    fn given_an_instance_that_had_ended_when_others_go_on_then_only_state_that_nobody_left_keeps_the_parallelism()
     {
        assert!(of_two(&[], &[], &["state"]).can_be_divided(false));
        assert!(of_two(&[0, 1], &[], &["state"]).can_be_divided(false));
        assert!(of_two(&[0], &[], &[]).can_be_divided(false));
        assert!(of_two(&[0], &[0], &["position"]).can_be_divided(true));
        assert!(!of_two(&[0], &[], &["position"]).can_be_divided(true));
        assert!(!of_two(&[0], &[0], &["state"]).can_be_divided(false));
    }

    fn task(operators: &[&str], parallelism: u32, is_source: bool) -> TaskPlan {
        TaskPlan {
            id: sage_types::TaskId(0),
            stage: sage_types::StageId(0),
            name: String::new(),
            instance: 0,
            parallelism,
            kind: crate::graph::TaskKind::JsTask { isolate: 0 },
            is_source,
            dormant: false,
            chain: None,
            operators: operators.iter().map(|&id| id.to_owned()).collect(),
            uid: String::new(),
            works: Vec::new(),
        }
    }

    #[test]
    fn given_a_job_that_had_ended_when_its_plan_has_more_operators_then_only_a_new_source_has_work() {
        let ended = of_two(&[0, 1], &[0, 1], &[]);
        let runs = of_two(&[0], &[0], &[]);
        let operators = [("source", &ended), ("map", &ended), ("runs", &runs)];
        let metadata = CheckpointMetadata {
            job: String::new(),
            key_groups: 128,
            last: true,
            operators: operators
                .map(|(id, operator)| (id.to_owned(), operator.clone()))
                .into(),
        };
        assert!(metadata.has_finished(&task(&["source", "map", "new"], 3, true)));
        assert!(metadata.has_finished(&task(&["new", "map"], 3, false)));
        assert!(!metadata.has_finished(&task(&["new", "map"], 3, true)));
        assert!(!metadata.has_finished(&task(&["new"], 3, false)));
        assert!(!metadata.has_finished(&task(&["map", "runs"], 3, false)));
        assert!(metadata.has_finished(&task(&["map", "runs"], 2, false)));
        assert!(!metadata.knows(&task(&["new"], 3, false)));
    }
}
