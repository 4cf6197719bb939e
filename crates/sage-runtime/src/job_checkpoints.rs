//! Checkpoints of a job.

use std::sync::Arc;

use sage_types::{Result, SharedClock, TaskId};

use crate::checkpoint_settings::CheckpointSettings;
use crate::connectors::ConnectorFactory;
use crate::isolate::Isolate;
use crate::job_core::{JobCore, internal};

impl JobCore {
    /// As [`JobCore::new`], with checkpoints.
    ///
    /// # Errors
    /// Also those of the store.
    pub fn with_checkpoints(
        graph: &[u8],
        settings: Option<CheckpointSettings>,
        clock: SharedClock,
        factory: Arc<dyn ConnectorFactory>,
    ) -> Result<Arc<Self>> {
        if settings.is_some() {
            return Err(internal("there are no checkpoints yet"));
        }
        Self::new(graph, clock, factory)
    }

    /// The epoch that the job goes on from.
    #[must_use]
    pub fn restored_epoch(&self) -> Option<u64> {
        None
    }

    /// Begins an epoch.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job without checkpoints.
    pub fn begin_checkpoint(&self) -> Result<Option<u64>> {
        Err(internal("the job has no checkpoints"))
    }

    /// What an instance goes on from.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job without checkpoints.
    pub fn read_checkpoint(&self, _: &str, _: &str, _: u32, _: u32) -> Result<Vec<u8>> {
        Ok(vec![0])
    }
}

impl Isolate {
    /// The epoch for which one of its sources is to take a barrier.
    #[must_use]
    pub fn barrier_asked(&self) -> Option<u64> {
        None
    }

    /// Hands over what a task saves.
    ///
    /// # Errors
    /// `SAGE_INTERNAL`.
    pub fn acknowledge(&self, _: TaskId, _: u64, _: &[u8]) -> Result<()> {
        Err(internal("the job has no checkpoints"))
    }
}
