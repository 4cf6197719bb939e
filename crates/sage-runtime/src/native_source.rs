//! Native sources.

use std::sync::Arc;

use sage_connectors::{BatchSource, NextBatch};
use sage_expressions::NativeChain;
use sage_queue::{EndKind, MAX_SLICE};
use sage_types::Result;

use crate::job_core::JobCore;
use crate::native_parts::{POSITION, own_part};
use crate::native_task::{NativeStep, NativeWork, chain_of, send, send_through, split_of};
use crate::task::Task;
use crate::task_metrics::Activity;

/// Reads, and sends what its chain makes of it.
pub(crate) struct SourceWork {
    chain: Option<NativeChain>,
    source: Box<dyn BatchSource>,
}

impl SourceWork {
    pub(crate) fn new(job: &JobCore, task: &Task, spec: &str) -> Result<Self> {
        Ok(Self {
            chain: chain_of(job, task)?,
            source: source_of(job, task, spec)?,
        })
    }

    fn end(&mut self, job: &JobCore, task: &Task, kind: EndKind) -> Result<NativeStep> {
        job.read(task.plan.id, self.source.statistics());
        if job.checkpoints.is_some() {
            match self.source.position() {
                Ok(position) => job.leave_behind(task, own_part(task, POSITION, &position)?),
                // Of a source that has ended, and cannot be read twice, a savepoint knows that it has ended.
                Err(_) if job.has_savepoints_only() => {}
                Err(error) => return Err(error),
            }
        }
        task.deliver_end(kind);
        job.finish_task(task);
        Ok(NativeStep::Over)
    }
}

impl NativeWork for SourceWork {
    fn step(&mut self, job: &Arc<JobCore>, task: &Task) -> Result<NativeStep> {
        if job.is_closing() {
            return Ok(NativeStep::Over);
        }
        if let Some(barrier) = task.barrier.asked() {
            match self.source.position() {
                Ok(position) => job.acknowledge_task(task, barrier, own_part(task, POSITION, &position)?)?,
                // Nobody has asked before whether it can be read twice.
                Err(error) if job.has_savepoints_only() => {
                    job.refuse_epoch(task, barrier, &error.to_json())?;
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(kind) = task.stop_requested() {
            return self.end(job, task, kind);
        }
        let blocked = !task.has_credit();
        if blocked || job.is_paused() {
            let activity = if blocked {
                Activity::Backpressured
            } else {
                Activity::Idle
            };
            task.metrics.switch(activity, job.now_nanos());
            return Ok(NativeStep::Waits);
        }
        task.metrics.switch(Activity::Busy, job.now_nanos());
        let read = self.source.next();
        task.metrics.skipped(self.source.statistics().skipped_records);
        let read = match read? {
            NextBatch::Frame(frame) => frame,
            NextBatch::Waiting => {
                task.metrics.switch(Activity::Idle, job.now_nanos());
                return Ok(NativeStep::WaitsForSource);
            }
            NextBatch::Ended => return self.end(job, task, EndKind::Drained),
        };
        match &mut self.chain {
            None => send(job, task, &read)?,
            Some(chain) => {
                chain.counters_mut().entered(0, read.rows());
                send_through(job, task, chain, read, None)?;
            }
        }
        Ok(NativeStep::Worked)
    }

    fn wait_for_source(&mut self) {
        self.source.wait(MAX_SLICE);
    }
}

/// The reader, from where an earlier process was if the job goes on from an epoch that knows.
fn source_of(job: &JobCore, task: &Task, spec: &str) -> Result<Box<dyn BatchSource>> {
    let saved = job.saved_parts(task, POSITION)?;
    if !saved.is_empty() {
        let mut source = job.factory.resume_source(spec, split_of(task), &job.registry)?;
        source.restore(&saved)?;
        return Ok(source);
    }
    let spec = job.pinned_spec(task.plan.stage, spec)?;
    let source = job.factory.open_source(&spec, split_of(task), &job.registry)?;
    if job.checkpoints.is_some() && !job.has_savepoints_only() {
        source.resumable()?;
    }
    Ok(source)
}
