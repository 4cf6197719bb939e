//! Native sinks.

use std::sync::Arc;

use sage_connectors::{BatchSink, Cancellation};
use sage_queue::EndKind;
use sage_types::{ErrorCode, Result, SageError};

use crate::inputs::Found;
use crate::job_checkpoints::JobCheckpoints;
use crate::job_core::JobCore;
use crate::native_parts::{PREPARED, own_part};
use crate::native_task::{NativeStep, NativeWork, split_of};
use crate::task::Task;
use crate::task_metrics::Activity;

/// Writes until its input has ended, prepares, and commits when the job says so.
pub(crate) struct SinkWork {
    /// None when nothing is left to do with it.
    sink: Option<Box<dyn BatchSink>>,
    /// Who reads the output still does.
    is_wanted: bool,
    /// All is prepared.
    is_sealed: bool,
}

impl SinkWork {
    pub(crate) fn new(job: &Arc<JobCore>, task: &Task, spec: &str) -> Result<Self> {
        let mut sink = sink_of(job, task, spec)?;
        let owner = Arc::clone(job);
        sink.cancel_when(Cancellation::new(move || owner.is_closing()));
        Ok(Self {
            sink: Some(sink),
            is_wanted: true,
            is_sealed: false,
        })
    }

    /// Does one thing with what comes; whether the input has ended.
    fn write(&mut self, job: &JobCore, task: &Task, sink: &mut dyn BatchSink) -> Result<Wrote> {
        if job.had_finished(task) {
            task.deliver_end(EndKind::Drained);
            return Ok(Wrote::All);
        }
        match task.inputs.next() {
            Found::Frame(arrival) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                task.metrics
                    .received(arrival.frame.rows() as u64, arrival.frame.byte_len() as u64);
                sink.write(&arrival.frame.view(&job.registry)?)?;
                if self.is_wanted && !sink.wants_more() {
                    self.is_wanted = false;
                    // Who reads the output has enough: the job ends as if it had been asked to. It may be over already.
                    let _ = job.stop(false);
                }
            }
            Found::Time(_) => {}
            Found::Barrier(barrier) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                let prepared = if barrier.last {
                    seal(job, sink)?
                } else {
                    sink.prepare(false)?
                };
                job.acknowledge_task(task, barrier, own_part(task, PREPARED, &prepared)?)?;
            }
            Found::Nothing => {
                task.metrics.switch(Activity::Idle, job.now_nanos());
                return Ok(Wrote::Nothing);
            }
            Found::AllEnded(kind) => {
                task.deliver_end(kind);
                return Ok(Wrote::All);
            }
        }
        Ok(Wrote::Some)
    }

    /// Waits for the verdict, and then commits.
    fn commit(&mut self, job: &JobCore, task: &Task, sink: Box<dyn BatchSink>) -> Result<NativeStep> {
        if !job.with_status(|status| status.committing) {
            self.sink = Some(sink);
            return Ok(NativeStep::WaitsForCommit);
        }
        let report = sink.commit()?;
        job.committed(task.plan.id, serde_json::to_value(report).unwrap_or_default());
        Ok(NativeStep::Over)
    }
}

enum Wrote {
    Nothing,
    Some,
    All,
}

impl NativeWork for SinkWork {
    fn step(&mut self, job: &Arc<JobCore>, task: &Task) -> Result<NativeStep> {
        let Some(mut sink) = self.sink.take() else {
            return Ok(NativeStep::Over);
        };
        if job.is_closing() {
            leave(job, sink);
            return Ok(NativeStep::Over);
        }
        if self.is_sealed {
            return self.commit(job, task, sink);
        }
        let step = match self.write(job, task, sink.as_mut()) {
            Err(error) => return give_up(job, sink, error),
            Ok(Wrote::Nothing) => NativeStep::Waits,
            Ok(Wrote::Some) => NativeStep::Worked,
            Ok(Wrote::All) => {
                let prepared = seal(job, sink.as_mut());
                match prepared.and_then(|prepared| own_part(task, PREPARED, &prepared)) {
                    Ok(image) => job.leave_behind(task, image),
                    Err(error) => return give_up(job, sink, error),
                }
                self.is_sealed = true;
                job.finish_task(task);
                NativeStep::Worked
            }
        };
        self.sink = Some(sink);
        Ok(step)
    }
}

/// The writer, from where an earlier process was if the job goes on from an epoch that knows. What was completed when that job
/// stopped is opened again by the first batch.
fn sink_of(job: &JobCore, task: &Task, spec: &str) -> Result<Box<dyn BatchSink>> {
    let saved = job.saved_parts(task, PREPARED)?;
    if saved.is_empty() {
        return job.factory.open_sink(spec, split_of(task), &job.registry);
    }
    let mut sink = job.factory.resume_sink(spec, split_of(task), &job.registry)?;
    sink.restore(&saved)?;
    Ok(sink)
}

/// Completes what the sink writes, so that another process can write more behind it if there are checkpoints, or a savepoint was asked for.
fn seal(job: &JobCore, sink: &mut dyn BatchSink) -> Result<Vec<u8>> {
    if job.checkpoints.as_ref().is_some_and(JobCheckpoints::writes) {
        sink.prepare(false)?;
    }
    sink.prepare(true)
}

/// Nothing of the sink becomes visible here. What a checkpoint refers to stays for the process that goes on from it.
fn leave(job: &JobCore, sink: Box<dyn BatchSink>) {
    let checkpoints = job.checkpoints.as_ref();
    if checkpoints.is_some_and(JobCheckpoints::may_be_gone_on_from) {
        sink.detach();
    } else {
        sink.abort();
    }
}

/// After an error nothing of the sink becomes visible. A write that was given up because the job is over is none.
fn give_up(job: &JobCore, sink: Box<dyn BatchSink>, error: SageError) -> Result<NativeStep> {
    leave(job, sink);
    if error.code == ErrorCode::JobCanceled && job.is_closing() {
        return Ok(NativeStep::Over);
    }
    Err(error)
}
