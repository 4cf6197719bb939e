//! Operators that do something else than what had their state.

use std::collections::BTreeMap;

use sage_types::{ErrorCode, SageError};

use crate::checkpoint_metadata::{CheckpointMetadata, ids_of, work_of};
use crate::graph::ExecutionGraph;

/// A function on a keyed stream keeps states by name, which a process function does as well; that has timers besides.
const CAN_GO_ON: [(&str, &str); 1] = [("function", "keyedProcess")];
/// What is on its way around a loop is a part of some operator of its stage, and has nothing to do with that.
const LOOP_PARTS: &str = "loop:";

/// By id: the operators of the graph that do something else than at the epoch, and would go on without what was kept under their id, or
/// misread it; with what they did and what they do.
pub(crate) fn other_works(
    metadata: &CheckpointMetadata,
    graph: &ExecutionGraph,
) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for task in &graph.tasks {
        for id in ids_of(task) {
            let Some(before) = metadata.operators.get(id) else {
                continue;
            };
            let (was, is) = (before.work.as_str(), work_of(task, id));
            let is_other = !was.is_empty() && !is.is_empty() && was != is && !CAN_GO_ON.contains(&(was, is));
            if is_other && before.parts.iter().any(|part| !part.starts_with(LOOP_PARTS)) {
                found.insert(id.to_owned(), (was.to_owned(), is.to_owned()));
            }
        }
    }
    found
}

/// The error that names them.
pub(crate) fn other_works_error(epoch: u64, others: &BTreeMap<String, (String, String)>) -> SageError {
    let names: Vec<String> = others
        .iter()
        .map(|(id, (was, is))| format!("'{id}' (was: {was}, is: {is})"))
        .collect();
    let message = format!(
        "epoch {epoch} has state of operators that do something else now: {}",
        names.join(", ")
    );
    SageError::new(ErrorCode::CheckpointUnclaimed, message).with("operators", names.join(", "))
}
