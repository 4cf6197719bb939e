//! A job without threads: whoever has it decides when each of its parts does something, as the simulation does.

use std::sync::Arc;

use sage_checkpoint::Files;
use sage_types::{EdgeId, Result, SharedClock};

use crate::checkpoint_settings::CheckpointSettings;
use crate::checkpoint_writer::{self, WriterStep};
use crate::connectors::ConnectorFactory;
use crate::graph::{ExecutionGraph, TaskKind};
use crate::job_checkpoints::JobCheckpoints;
use crate::job_core::{JobCore, internal};

impl JobCore {
    /// As [`JobCore::with_checkpoints`], but nothing has a thread: isolates run its tasks, and [`JobCore::step_checkpoints`] writes its
    /// epochs.
    ///
    /// # Errors
    /// Those of [`JobCore::with_checkpoints`]; `SAGE_INTERNAL` for a graph with native tasks, which have threads.
    pub fn stepped(
        graph: &[u8],
        settings: &CheckpointSettings,
        files: Arc<dyn Files>,
        clock: SharedClock,
        factory: Arc<dyn ConnectorFactory>,
    ) -> Result<Arc<Self>> {
        let graph = ExecutionGraph::decode(graph)?;
        let is_native = |kind: &TaskKind| !matches!(kind, TaskKind::JsTask { .. });
        if let Some(task) = graph.tasks.iter().find(|task| is_native(&task.kind)) {
            return Err(internal(format!(
                "task {} of a job without threads is native",
                task.id
            )));
        }
        let mut checkpoints = JobCheckpoints::open(settings, files, &graph, clock.monotonic_nanos())?;
        checkpoints.is_stepped = true;
        Self::build(graph, clock, factory, Some(checkpoints))
    }

    /// Does what the thread that writes epochs would do next. Not to be called again after [`WriterStep::Over`].
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job that has a thread for it, or has not started.
    pub fn step_checkpoints(&self) -> Result<WriterStep> {
        let checkpoints = self.checkpoints.as_ref().filter(|own| own.is_stepped);
        let Some(checkpoints) = checkpoints.filter(|_| self.with_status(|status| status.native_threads > 0))
        else {
            return Err(internal("the epochs of the job are not written step by step"));
        };
        let step = checkpoint_writer::step(self, checkpoints);
        if step == WriterStep::Over {
            self.native_thread_gone();
        }
        Ok(step)
    }

    /// Records that wait in an edge; none in one that there is not.
    #[must_use]
    pub fn queued_rows(&self, edge: EdgeId) -> u64 {
        self.edges.get(edge.index()).map_or(0, |edge| edge.len_rows())
    }
}
