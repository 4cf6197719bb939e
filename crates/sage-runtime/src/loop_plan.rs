//! Which tasks of a graph are in a loop.

use std::collections::BTreeSet;

use sage_types::TaskId;

use crate::graph::ExecutionGraph;

impl ExecutionGraph {
    /// The loops: the tasks that records of a feedback edge come to and come back from. Loops that share a task are one.
    #[must_use]
    pub fn loops(&self) -> Vec<BTreeSet<TaskId>> {
        let mut loops: Vec<BTreeSet<TaskId>> = Vec::new();
        for edge in self.edges.iter().filter(|edge| edge.feedback.is_some()) {
            if loops.iter().any(|of| of.contains(&edge.from_task)) {
                continue;
            }
            let ahead = self.reached(edge.to_task, false);
            let behind = self.reached(edge.from_task, true);
            let around: BTreeSet<TaskId> = ahead.intersection(&behind).copied().collect();
            if !around.is_empty() {
                loops.push(around);
            }
        }
        loops
    }

    /// The tasks that records of a task come to, or, `upstream`, that its records come from; with the task itself.
    fn reached(&self, from: TaskId, upstream: bool) -> BTreeSet<TaskId> {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(task) = open.pop() {
            for edge in &self.edges {
                let (near, far) = if upstream {
                    (edge.to_task, edge.from_task)
                } else {
                    (edge.from_task, edge.to_task)
                };
                if near == task && seen.insert(far) {
                    open.push(far);
                }
            }
        }
        seen
    }
}
