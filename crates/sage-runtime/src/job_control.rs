//! What a host does to a job: pause, resume, stop, cancel, fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sage_queue::{EndKind, Waker};
use sage_types::{ErrorCode, Result, SageError, TaskId};

use crate::job_checkpoints::JobCheckpoints;
use crate::job_core::{JobCore, internal};
use crate::job_event::JobEvent;
use crate::job_state::JobState;
use crate::status::Status;
use crate::task::Doorbell;

impl JobCore {
    /// Stops handing out tasks and pauses native sources. What is queued stays; nothing is lost.
    ///
    /// # Errors
    /// `SAGE_JOB_STATE` unless the job is running.
    pub fn pause(&self) -> Result<()> {
        let mut status = self.status.lock();
        Self::transition(&mut status, JobState::Paused)?;
        self.paused.store(true, Ordering::SeqCst);
        for isolate in &self.isolates {
            isolate.queue.hold();
        }
        self.outbox.post(JobEvent::State(JobState::Paused));
        drop(status);
        self.outbox.deliver();
        Ok(())
    }

    /// Goes on after [`JobCore::pause`].
    ///
    /// # Errors
    /// `SAGE_JOB_STATE` unless the job is paused.
    pub fn resume(&self) -> Result<()> {
        let mut status = self.status.lock();
        if status.state != JobState::Paused {
            return Err(wrong_state(status.state, "resumed"));
        }
        Self::transition(&mut status, JobState::Running)?;
        self.paused.store(false, Ordering::SeqCst);
        self.lets_through.store(false, Ordering::SeqCst);
        self.outbox.post(JobEvent::State(JobState::Running));
        drop(status);
        self.outbox.deliver();
        self.let_go();
        // Those that were looked at in the pause, as an epoch was asked for, rest.
        for task in self.tasks.iter().filter(|task| task.plan.is_source) {
            task.doorbell.ring();
        }
        Ok(())
    }

    /// An epoch was asked for: in a pause, what is before its barrier is worked on, while sources give nothing.
    pub(crate) fn let_through(&self) {
        let status = self.status.lock();
        if status.state != JobState::Paused {
            return;
        }
        self.lets_through.store(true, Ordering::SeqCst);
        drop(status);
        for isolate in &self.isolates {
            isolate.queue.release_hold();
        }
        self.hold_again();
    }

    /// Nobody waits for an epoch any more: in a pause, tasks are kept back again.
    pub(crate) fn hold_again(&self) {
        let status = self.status.lock();
        if status.state != JobState::Paused
            || self
                .checkpoints
                .as_ref()
                .is_some_and(|own| own.epochs.is_awaited())
        {
            return;
        }
        self.lets_through.store(false, Ordering::SeqCst);
        for isolate in &self.isolates {
            isolate.queue.hold();
        }
    }

    /// Ends all sources. Records in flight are finished and sinks commit; `drain` also fires final results, and lets loops come
    /// to their end, while otherwise nothing goes around any more. Repeating it
    /// while the job is stopping does nothing.
    ///
    /// # Errors
    /// `SAGE_JOB_STATE` when the job is over.
    pub fn stop(&self, drain: bool) -> Result<()> {
        let mut status = self.status.lock();
        if status.state == JobState::Stopping {
            return Ok(());
        }
        let initializing = status.state == JobState::Initializing;
        Self::transition(&mut status, JobState::Stopping)?;
        self.paused.store(false, Ordering::SeqCst);
        self.lets_through.store(false, Ordering::SeqCst);
        self.outbox.post(JobEvent::State(JobState::Stopping));
        drop(status);
        self.outbox.deliver();
        if !drain && self.checkpoints.as_ref().is_some_and(JobCheckpoints::writes) {
            // Sources end behind the barrier of the last epoch, and loops when it has come around.
            self.begin_epoch(true, None);
            if !initializing {
                self.let_go();
            }
            return Ok(());
        }
        let kind = if drain { EndKind::Drained } else { EndKind::Stopped };
        if !drain {
            // Records may go around for ever: those in a loop finish the way that they are on.
            for of in &self.loops {
                of.discard(kind);
            }
        }
        for task in self.tasks.iter().filter(|task| task.plan.is_source) {
            task.request_stop(kind);
        }
        if !initializing {
            self.let_go();
        }
        Ok(())
    }

    /// As [`JobCore::stop`] without `drain`; a copy of the last epoch is written there, before the job is over.
    ///
    /// # Errors
    /// `SAGE_JOB_STATE` when the job is over, or is being stopped already; `SAGE_INTERNAL` for a job without checkpoints;
    /// `SAGE_IO_EXISTS` when something has the path, `SAGE_IO_*`, and what [`JobCore::begin_savepoint`] refuses: the job goes on then.
    pub fn stop_with_savepoint(self: &Arc<Self>, path: &Path) -> Result<()> {
        let state = self.state();
        if state == JobState::Stopping || state.is_terminal() {
            return Err(wrong_state(state, "asked for a savepoint"));
        }
        self.savepoint_place(path)?
            .epochs
            .wants_last_savepoint(path.to_owned());
        self.stop(false)
    }

    /// Ends one source as if it had no more data: nothing can become of what it would still give. Does nothing when it
    /// has ended.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is no source.
    pub fn end_source(&self, task: TaskId) -> Result<()> {
        let task = self.task(task)?;
        if !task.plan.is_source {
            return Err(internal(format!("task {} is no source", task.plan.id)));
        }
        // A stop that came before decides how the source ends.
        if task.stop_requested().is_none() {
            task.request_stop(EndKind::Drained);
        }
        Ok(())
    }

    /// Ends the job at once: everything in flight is dropped, native sinks discard what they wrote. `false` when the job
    /// was already over.
    pub fn cancel(&self) -> bool {
        let mut status = self.status.lock();
        if Self::transition(&mut status, JobState::Canceled).is_err() {
            return false;
        }
        self.close_down(&mut status);
        drop(status);
        self.after_close();
        true
    }

    /// Ends the job with an error (JSON). The first error decides; later ones are kept as suppressed. `false` when it was
    /// not the first.
    pub fn fail_with_json(&self, error: &str) -> bool {
        let error: Arc<str> = Arc::from(error);
        let mut status = self.status.lock();
        if Self::transition(&mut status, JobState::Failed).is_err() {
            status.suppress(error);
            return false;
        }
        status.error = Some(Arc::clone(&error));
        self.outbox.post(JobEvent::Failure(error));
        self.close_down(&mut status);
        drop(status);
        self.after_close();
        true
    }

    /// Ends the job with an error of the core.
    pub fn fail(&self, error: &SageError) -> bool {
        self.fail_with_json(&error.to_json())
    }

    /// Hands out again what was held back.
    pub(crate) fn let_go(&self) {
        for isolate in &self.isolates {
            isolate.queue.release_hold();
        }
        for task in &self.tasks {
            if let Doorbell::Thread(parker) = &task.doorbell {
                parker.wake();
            }
        }
        // Not done under the lock, because hooks are called: a pause may have come in between.
        let status = self.status.lock();
        if status.state == JobState::Paused && !self.lets_through.load(Ordering::SeqCst) {
            for isolate in &self.isolates {
                isolate.queue.hold();
            }
        }
    }

    fn transition(status: &mut Status, next: JobState) -> Result<()> {
        if !status.state.may_become(next) {
            return Err(wrong_state(status.state, next.as_str()));
        }
        status.state = next;
        Ok(())
    }
    fn close_down(&self, status: &mut Status) {
        self.closing.store(true, Ordering::SeqCst);
        self.changed.notify_all();
        self.settle_if_over(status);
    }

    fn after_close(&self) {
        for edge in &self.edges {
            edge.close();
        }
        for isolate in &self.isolates {
            isolate.queue.close();
        }
        for task in &self.tasks {
            task.doorbell.ring();
        }
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.epochs.wake();
        }
        self.outbox.deliver();
    }
}

fn wrong_state(state: JobState, wanted: &str) -> SageError {
    SageError::new(
        ErrorCode::JobState,
        format!("a job that is {state} cannot be {wanted}"),
    )
}
