//! A job without threads: whoever has it decides when each of its parts does something, as the simulation does.

use std::sync::Arc;

use sage_checkpoint::Files;
use sage_types::{EdgeId, Result, SharedClock};

use crate::checkpoint_settings::CheckpointSettings;
use crate::checkpoint_writer::{self, WriterStep};
use crate::connectors::ConnectorFactory;
use crate::epoch_merges;
use crate::graph::{ExecutionGraph, TaskKind};
use crate::job_checkpoints::JobCheckpoints;
use crate::job_core::{JobCore, internal};
use crate::native_windows::windows_of;

impl JobCore {
    /// As [`JobCore::with_checkpoints`], but nothing has a thread: isolates run its tasks, [`JobCore::stepped_tasks`] are those that
    /// would have threads, and [`JobCore::step_checkpoints`] writes its epochs.
    ///
    /// # Errors
    /// Those of [`JobCore::with_checkpoints`]; `SAGE_INTERNAL` for a graph with native windows, which have threads.
    pub fn stepped(
        graph: &[u8],
        settings: &CheckpointSettings,
        files: Arc<dyn Files>,
        clock: SharedClock,
        factory: Arc<dyn ConnectorFactory>,
    ) -> Result<Arc<Self>> {
        let graph = ExecutionGraph::decode(graph)?;
        let is_windowed = |kind: &TaskKind| match kind {
            TaskKind::NativeAggregate { spec } => windows_of(spec).is_some(),
            _ => false,
        };
        if let Some(task) = graph.tasks.iter().find(|task| is_windowed(&task.kind)) {
            return Err(internal(format!(
                "task {} of a job without threads has native windows",
                task.id
            )));
        }
        let mut checkpoints = JobCheckpoints::open(settings, files, &graph, clock.monotonic_nanos())?;
        checkpoints.is_stepped = true;
        checkpoints.check_sources(&graph, factory.as_ref())?;
        Self::build(graph, clock, factory, Some(checkpoints))
    }

    /// Does what the thread that writes epochs would do next. Not to be called again after [`WriterStep::Over`].
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job that has a thread for it, or has not started.
    pub fn step_checkpoints(&self) -> Result<WriterStep> {
        let checkpoints = self.stepped_checkpoints()?;
        let step = checkpoint_writer::step(self, checkpoints);
        if step == WriterStep::Over {
            self.native_thread_gone();
        }
        Ok(step)
    }

    /// Merges the newest epoch if it consists of many files, as the thread for it would. The writer may be stepped on while this waits
    /// for the disk, also to its end: the job is over when the merge is. Whether there was something to merge.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job that has a thread for its epochs, has not started, or is over. Those of the merge, which do no harm: with
    /// a thread it is tried again behind the next epoch.
    pub fn step_merges(&self) -> Result<bool> {
        let checkpoints = self.stepped_checkpoints()?;
        let Some((store, epoch)) = epoch_merges::wanted(checkpoints) else {
            return Ok(false);
        };
        self.status.lock().native_threads += 1;
        let merged = store.merge(epoch);
        // Who has the directory next finds nobody in it.
        drop(store);
        self.native_thread_gone();
        merged.map(|_| true)
    }

    fn stepped_checkpoints(&self) -> Result<&JobCheckpoints> {
        let is_at_work = || self.with_status(|status| status.native_threads > 0);
        let checkpoints = self
            .checkpoints
            .as_ref()
            .filter(|own| own.is_stepped && is_at_work());
        checkpoints.ok_or_else(|| internal("the epochs of the job are not written step by step"))
    }

    /// Records that wait in an edge; none in one that there is not.
    #[must_use]
    pub fn queued_rows(&self, edge: EdgeId) -> u64 {
        self.edges.get(edge.index()).map_or(0, |edge| edge.len_rows())
    }
}
