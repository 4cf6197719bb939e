//! A native task without a thread.

use std::sync::Arc;
use std::time::Duration;

use sage_queue::Parked;
use sage_types::{Result, TaskId};

use crate::job_checkpoints::ends_itself;
use crate::job_core::{JobCore, internal, is_native};
use crate::native_task::{self, NativeStep, NativeWork};
use crate::net;
use crate::task::Doorbell;

/// A native task of a job without threads, in the hands of whoever runs it. Like the thread in whose place it is, it keeps the job from
/// being over until its last step.
pub struct SteppedTask {
    job: Arc<JobCore>,
    id: TaskId,
    /// None before its first step, and behind its last one.
    work: Option<Box<dyn NativeWork>>,
    is_over: bool,
}

impl JobCore {
    /// The native tasks that a job without threads has to run: those that had not finished in the epoch that it goes on from. To be asked
    /// for once, when the job has started.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job with threads, or that has not started.
    pub fn stepped_tasks(self: &Arc<Self>) -> Result<Vec<SteppedTask>> {
        let is_stepped = self.checkpoints.as_ref().is_some_and(|own| own.is_stepped);
        if !is_stepped || self.with_status(|status| status.started_nanos.is_none()) {
            return Err(internal("the tasks of the job are not run step by step"));
        }
        let tasks = self.tasks.iter().filter(|task| self.has_native_work(task));
        let stepped = tasks.map(|task| SteppedTask {
            job: Arc::clone(self),
            id: task.plan.id,
            work: None,
            is_over: false,
        });
        Ok(stepped.collect())
    }

    /// Whether a task has a thread, or somebody in its place.
    pub(crate) fn has_native_work(&self, task: &crate::task::Task) -> bool {
        let checkpoints = self.checkpoints.as_ref();
        let had_finished = checkpoints.is_some_and(|own| own.had_finished(&task.plan));
        is_native(task) && (!had_finished || ends_itself(&task.plan))
    }
}

impl SteppedTask {
    /// Its task.
    #[must_use]
    pub const fn id(&self) -> TaskId {
        self.id
    }

    /// Whether it was woken since this was asked last.
    #[must_use]
    pub fn was_woken(&self) -> bool {
        match self.job.task(self.id).map(|task| &task.doorbell) {
            Ok(Doorbell::Thread(parker)) => parker.park(Duration::ZERO) == Parked::Woken,
            _ => false,
        }
    }

    /// Does what its thread would do next. An error or a panic fails the job. Does nothing behind [`NativeStep::Over`].
    pub fn step(&mut self) -> NativeStep {
        if self.is_over {
            return NativeStep::Over;
        }
        let Self { job, id, work, .. } = self;
        let stepped = net::catch("native task", || {
            let task = job.task(*id)?;
            let work = match work {
                Some(work) => work,
                None => work.insert(native_task::begin(job, task)?),
            };
            work.step(job, task)
        });
        let step = stepped.unwrap_or_else(|error| {
            job.fail(&error.with("task", id.0));
            NativeStep::Over
        });
        if step == NativeStep::Over {
            self.is_over = true;
            self.work = None;
            self.job.native_thread_gone();
        }
        step
    }
}

impl std::fmt::Debug for SteppedTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SteppedTask")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
