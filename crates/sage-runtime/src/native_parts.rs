//! What native tasks save and go on from.

use sage_checkpoint::{ImagePart, PartKind, TaskImage};
use sage_connectors::SavedPosition;
use sage_types::{KeyGroups, Result};

use crate::job_core::JobCore;
use crate::task::Task;
use crate::task_barrier::Barrier;

/// Names of their parts: where a source goes on, and what a sink has prepared.
pub(crate) const POSITION: &str = "position";
pub(crate) const PREPARED: &str = "prepared";
/// Which aggregators an aggregate has, and its keys. These, and those of windows, are as where JavaScript runs the operator
/// (`ts/runtime/stage/native-aggregate.ts`, `core-windows.ts`): after a change of the pipeline it may be the other one that goes on.
pub(crate) const AGGREGATORS: &str = "aggregators";
pub(crate) const STATE: &str = "state";
/// How far time is in windows and what they are, and their keys.
pub(crate) const PROGRESS: &str = "progress";
pub(crate) const WINDOWS: &str = "windows";
/// How far the event time is that a task has told.
pub(crate) const WATERMARK: &str = "watermark";

/// An image with one part of the instance.
///
/// # Errors
/// `SAGE_LIMIT_BATCH` above 4 GiB.
pub(crate) fn own_part(task: &Task, name: &str, payload: &[u8]) -> Result<TaskImage> {
    let mut image = TaskImage::new();
    push_part(&mut image, task, name, PartKind::Own, payload)?;
    Ok(image)
}

/// Which epoch a native task has handed its keys over to last.
#[derive(Debug, Default)]
pub(crate) struct HandedOver {
    epoch: Option<u64>,
}

impl HandedOver {
    /// Whether changes will do in the epoch of a barrier: it is on top of the one that the task handed its keys over to last. (The rule of
    /// `ts/runtime/stage/task-checkpoints.ts`.)
    pub(crate) fn is_on_top(&mut self, job: &JobCore, barrier: Barrier) -> bool {
        let last = self.epoch.replace(barrier.epoch);
        let base = job.checkpoints.as_ref().and_then(|own| own.epochs.base());
        last.is_some() && base == last
    }
}

/// The keys of a task: what has changed, if that is known and will do, else all of them.
///
/// # Errors
/// Those of `whole`; `SAGE_LIMIT_BATCH` above 4 GiB.
pub(crate) fn push_keys(
    image: &mut TaskImage,
    task: &Task,
    name: &str,
    changes: Option<Vec<u8>>,
    whole: impl FnOnce() -> Result<Vec<u8>>,
) -> Result<()> {
    let is_full = changes.is_none();
    let payload = changes.map_or_else(whole, Ok)?;
    image.push(&ImagePart {
        operator: &task.plan.uid,
        name,
        kind: PartKind::Keyed,
        is_full,
        payload: &payload,
    })
}

/// # Errors
/// `SAGE_LIMIT_BATCH` above 4 GiB.
pub(crate) fn push_part(
    image: &mut TaskImage,
    task: &Task,
    name: &str,
    kind: PartKind,
    payload: &[u8],
) -> Result<()> {
    image.push(&ImagePart {
        operator: &task.plan.uid,
        name,
        kind,
        is_full: true,
        payload,
    })
}

impl JobCore {
    /// What all instances of a native task of an earlier process saved; nothing when the job begins from nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn saved_parts(&self, task: &Task, name: &str) -> Result<Vec<SavedPosition>> {
        let restored = self.checkpoints.as_ref().and_then(|own| own.restored.as_ref());
        restored.map_or_else(
            || Ok(Vec::new()),
            |restored| restored.own_parts(&task.plan.uid, name),
        )
    }

    /// The keys of a native task; none when there is no such part.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn saved_keys(&self, task: &Task, name: &str) -> Result<Option<Vec<u8>>> {
        let restored = self.checkpoints.as_ref().and_then(|own| own.restored.as_ref());
        let groups = KeyGroups::new(self.graph.key_groups, task.plan.parallelism);
        restored.map_or(Ok(None), |restored| {
            restored.keyed_part(&task.plan.uid, name, &groups, task.plan.instance)
        })
    }

    /// Whether the job writes nothing but savepoints: until one is asked for, nothing of it has to be fit for that.
    pub(crate) fn has_savepoints_only(&self) -> bool {
        self.checkpoints.as_ref().is_some_and(|own| own.savepoints_only)
    }

    /// Whether a task had nothing to do any more in the epoch that the job goes on from.
    pub(crate) fn had_finished(&self, task: &Task) -> bool {
        let checkpoints = self.checkpoints.as_ref();
        checkpoints.is_some_and(|own| own.had_finished(&task.plan))
    }
}
