//! The dispatcher, as one isolate sees it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sage_checkpoint::TaskImage;
use sage_frame::{BatchView, FrameMeta};
use sage_queue::{EngineThread, Next, ReadySlot, Rest};
use sage_types::{Result, TaskId};

use crate::inputs::Arrival;
use crate::job_core::{JobCore, internal};
use crate::task::{Doorbell, Take, Task};
use crate::task_metrics::Activity;

/// One isolate's hold on a job: takes its ready tasks one by one, reads their input, sends their output. Used by one
/// thread, the isolate's.
#[derive(Debug, Clone)]
pub struct Isolate {
    job: Arc<JobCore>,
    /// Position in the job's isolate list.
    place: usize,
    /// Its thread runs tasks: so long, fewer others may spin.
    _thread: Arc<EngineThread>,
}

impl Isolate {
    pub(crate) fn new(job: Arc<JobCore>, place: usize) -> Self {
        Self {
            job,
            place,
            _thread: Arc::new(EngineThread::enter()),
        }
    }

    /// The job it belongs to.
    #[must_use]
    pub fn job(&self) -> &Arc<JobCore> {
        &self.job
    }

    /// Gives back `released` and hands out the next ready task, first come first served. Waits up to `wait` when there is
    /// none. [`Next::Over`] when the isolate has nothing to do any more: its tasks are finished, or the job is closed. The
    /// first poll wakes the isolate's dormant tasks: it can serve them from now on.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn poll(&self, released: Option<TaskId>, wait: Duration) -> Result<Next> {
        if let Some(task) = released {
            self.release(task)?;
        }
        self.job.wake_tasks_of(self.place);
        let queue = &self.job.isolates[self.place].queue;
        // Real time: bounds a sleep, decides nothing. Read only when the first look finds a task that is not ready.
        let mut deadline: Option<Instant> = None;
        let mut left = wait;
        loop {
            let Next::Task(id) = queue.pop(left) else {
                return Ok(if queue.is_closed() { Next::Over } else { Next::Idle });
            };
            let (task, slot) = self.own_task(id)?;
            if !slot.claim() {
                continue;
            }
            if task.is_ready() && !self.is_kept_back(task) {
                task.metrics.switch(Activity::Busy, self.job.now_nanos());
                return Ok(Next::Task(id));
            }
            self.lay_down(task, slot);
            let until = *deadline.get_or_insert_with(|| Instant::now() + wait);
            left = until.saturating_duration_since(Instant::now());
        }
    }

    /// Gives a task back without asking for the next one.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn release(&self, task: TaskId) -> Result<()> {
        let (task, slot) = self.own_task(task)?;
        if task.is_ready() && !self.is_kept_back(task) {
            task.metrics.switch(Activity::Idle, self.job.now_nanos());
            slot.requeue();
        } else {
            self.lay_down(task, slot);
        }
        Ok(())
    }

    /// What the task is to do next. A batch stays the caller's: it must be processed, or given back with
    /// [`Isolate::put_back`]. Gives nothing while the job is paused or an output has no credit.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn take(&self, task: TaskId) -> Result<Take> {
        let (task, _) = self.own_task(task)?;
        if let Some(member) = &task.member {
            member.begin();
        }
        if self.job.is_held() || self.job.is_closing() || self.is_kept_back(task) {
            return Ok(Take::Nothing);
        }
        let taken = task.take(&self.job.registry, self.job.now_nanos());
        if task.member.is_some()
            && let Some((barrier, log)) = task.inputs.take_log()
        {
            self.job.complete_log(task, barrier, log)?;
        }
        if let Take::Batch(arrival) = &taken {
            task.metrics
                .received(arrival.frame.rows() as u64, arrival.frame.byte_len() as u64);
        }
        Ok(taken)
    }

    /// Gives a batch back, as if it had not been taken.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn put_back(&self, task: TaskId, arrival: Arrival) -> Result<()> {
        let (task, _) = self.own_task(task)?;
        task.metrics
            .unreceived(arrival.frame.rows() as u64, arrival.frame.byte_len() as u64);
        task.inputs.put_back(arrival);
        Ok(())
    }

    /// Sends a batch on one output of the task: partitions it and copies it into frames. It is taken whatever the credit;
    /// returns whether there is still credit on all channels of all outputs. In a job that is closed it is dropped.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a wrong task or output; those of partitioning.
    pub fn emit(&self, task: TaskId, output: u32, batch: &BatchView<'_>) -> Result<bool> {
        let (task, _) = self.own_task(task)?;
        if self.job.is_closing() {
            return Ok(false);
        }
        if task.is_finished() {
            return Err(internal(format!(
                "task {} emits after it was finished",
                task.plan.id
            )));
        }
        let target = task.outputs.get(output as usize);
        let target =
            target.ok_or_else(|| internal(format!("task {} has no output {output}", task.plan.id)))?;
        let sent = target.emit(batch, FrameMeta::default())?;
        if sent.rows > 0 {
            task.metrics.sent(sent.rows, sent.bytes);
        }
        Ok(task.has_credit())
    }

    /// Says on one output that all records before `watermark` (epoch milliseconds) have been sent, and whether none come for now.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a wrong task or output, or a watermark that is no number.
    pub fn emit_time(&self, task: TaskId, output: u32, watermark: f64, idle: bool) -> Result<()> {
        let (task, _) = self.own_task(task)?;
        // A task that had finished in the epoch that the job goes on from still says how far it was, maybe before the job has started: its
        // end says more, and nobody takes anything else from it.
        if self.job.is_closing() || task.is_finished() || self.job.had_finished(task) {
            return Ok(());
        }
        if watermark.is_nan() {
            return Err(internal(format!(
                "task {} says no number for a watermark",
                task.plan.id
            )));
        }
        let target = task.outputs.get(output as usize);
        let target =
            target.ok_or_else(|| internal(format!("task {} has no output {output}", task.plan.id)))?;
        target.emit_time(watermark, idle);
        Ok(())
    }

    /// Whether there is credit on all channels of all outputs of the task.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn has_credit(&self, task: TaskId) -> Result<bool> {
        Ok(self.own_task(task)?.0.has_credit() && !self.job.is_closing())
    }

    /// Says whether the task holds work of its own (results that it has not emitted for want of credit): while it does, it
    /// is handed out whenever there is credit, even if [`Isolate::take`] has nothing for it.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn keep_task(&self, task: TaskId, keeps_work: bool) -> Result<()> {
        self.own_task(task)?.0.keep(keeps_work);
        Ok(())
    }

    /// A task of a loop has nothing left of what it took, and everything that came of it was emitted. To be said behind each
    /// step that leaves nothing; does nothing for a task that is in no loop.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn settle_task(&self, task: TaskId) -> Result<()> {
        if let Some(member) = &self.own_task(task)?.0.member {
            self.job.settle_task(member);
        }
        Ok(())
    }

    /// The task has emitted everything: a source at its own end, any other task after [`Take::End`]. Downstream learns
    /// the kind of end that the task was told.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's, or whose input has not ended.
    pub fn finish_task(&self, task: TaskId) -> Result<()> {
        let (task, _) = self.own_task(task)?;
        if self.job.is_closing() {
            return Ok(());
        }
        if !task.plan.is_source && !task.is_end_delivered() {
            return Err(internal(format!(
                "task {} was finished before its input has ended",
                task.plan.id
            )));
        }
        self.job.finish_task(task);
        Ok(())
    }

    /// The epoch for which one of the isolate's sources is to take its barrier: [`Isolate::take`] gives it, also to who holds the task.
    #[must_use]
    pub fn barrier_asked(&self) -> Option<u64> {
        let own = |task: &&Task| task.plan.is_source && task.isolate_place() == Some(self.place);
        let mut asked = self
            .job
            .tasks
            .iter()
            .filter(own)
            .filter(|task| !task.is_finished());
        asked.find_map(|task| task.barrier.asked().map(|barrier| barrier.epoch))
    }

    /// The epoch that keyed parts may hold changes on top of, in the one under way: what a task hands over now has to be whole when there is
    /// none, or it was not this task that handed over the parts of that one.
    #[must_use]
    pub fn checkpoint_base(&self) -> Option<u64> {
        self.job.checkpoints.as_ref()?.epochs.base()
    }

    /// Hands over what the task saves at [`Take::Barrier`] (a [`sage_checkpoint::TaskImage`]), when everything that came before was
    /// emitted; the barrier goes on to the tasks behind. With epoch 0: what stays of a task that is finished next.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's, or was not given this barrier; `SAGE_FORMAT_BATCH` for bytes that are no
    /// image.
    pub fn acknowledge(&self, task: TaskId, epoch: u64, image: &[u8]) -> Result<()> {
        let (task, _) = self.own_task(task)?;
        if self.job.is_closing() {
            return Ok(());
        }
        let image = TaskImage::from_bytes(image.to_vec())?;
        if epoch == 0 {
            self.job.leave_behind(task, image);
            return Ok(());
        }
        match task.barrier.handed() {
            Some(barrier) if barrier.epoch == epoch => self.job.acknowledge_task(task, barrier, image),
            _ => Err(internal(format!(
                "task {} acknowledges epoch {epoch}, which it was not given",
                task.plan.id
            ))),
        }
    }

    /// The task cannot hand over what it holds at [`Take::Barrier`], for a reason (JSON): the epoch is not written. The barrier goes on.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's, or was not given this barrier.
    pub fn refuse(&self, task: TaskId, epoch: u64, error: &str) -> Result<()> {
        let (task, _) = self.own_task(task)?;
        if self.job.is_closing() {
            return Ok(());
        }
        match task.barrier.handed() {
            Some(barrier) if barrier.epoch == epoch => self.job.refuse_epoch(task, barrier, error),
            _ => Err(internal(format!(
                "task {} refuses epoch {epoch}, which it was not given",
                task.plan.id
            ))),
        }
    }

    /// Replaces the host's own counters of the task.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a task that is not this isolate's.
    pub fn report_counts(&self, task: TaskId, counts: &[f64]) -> Result<()> {
        self.own_task(task)?.0.metrics.report(counts);
        Ok(())
    }

    /// Takes the isolate's hook away; another isolate may attach in its place. Does not fail the job: the host knows why
    /// the isolate has gone, and says so.
    pub fn detach(&self) {
        self.job.detach(self.place);
    }

    fn own_task(&self, id: TaskId) -> Result<(&Task, &ReadySlot)> {
        let task = self.job.task(id)?;
        match &task.doorbell {
            Doorbell::Isolate { slot, isolate } if *isolate == self.place => Ok((task, slot)),
            _ => Err(internal(format!("task {id} does not run in this isolate"))),
        }
    }

    /// Whether a source has to wait, as the job is paused: only a barrier is for it.
    fn is_kept_back(&self, task: &Task) -> bool {
        task.plan.is_source
            && self.job.is_paused()
            && task.barrier.asked().is_none()
            && task.stop_requested().is_none()
    }

    fn lay_down(&self, task: &Task, slot: &ReadySlot) {
        let activity = if !task.is_finished() && !task.has_credit() {
            Activity::Backpressured
        } else {
            Activity::Idle
        };
        task.metrics.switch(activity, self.job.now_nanos());
        // `Queued`: an event has come since the task was looked at; its turn comes.
        let (Rest::Idle | Rest::Queued) = slot.rest();
    }
}
