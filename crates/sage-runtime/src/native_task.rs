//! Tasks with a thread of their own: native sources, sinks, aggregates and windows.

use std::sync::Arc;

use sage_connectors::SourceSplit;
use sage_expressions::{Given, NativeChain, TimedFrame};
use sage_frame::Frame;
use sage_queue::{EngineThread, MAX_SLICE};
use sage_types::{ErrorCode, Result, SageError, TaskId};

use crate::graph::TaskKind;
use crate::job_core::{JobCore, internal};
use crate::native_aggregate::AggregateWork;
use crate::native_sink::SinkWork;
use crate::native_source::SourceWork;
use crate::native_windows::{run_windows, windows_of};
use crate::net;
use crate::task::{Doorbell, Task};

/// What a step of a native task came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativeStep {
    /// There may be more to do at once.
    Worked,
    /// There is nothing to do before it is woken.
    Waits,
    /// Its source waits for another process.
    WaitsForSource,
    /// A sink waits until it may commit, or is to give up.
    WaitsForCommit,
    /// No step follows.
    Over,
}

/// A native task at work, in steps that wait for nothing but files: who runs it decides how to wait between them.
pub(crate) trait NativeWork: Send {
    /// Does what is to be done next.
    ///
    /// # Errors
    /// The job fails with it, and no step follows.
    fn step(&mut self, job: &Arc<JobCore>, task: &Task) -> Result<NativeStep>;

    /// Waits, behind [`NativeStep::WaitsForSource`].
    fn wait_for_source(&mut self) {}
}

/// Starts the thread of a native task. It ends by itself: with its data, with an error (which fails the job), or when the
/// job is closed.
pub(crate) fn spawn(job: &Arc<JobCore>, id: TaskId) {
    let owner = Arc::clone(job);
    let thread = std::thread::Builder::new()
        .name(format!("sage-task-{id}"))
        .spawn(move || {
            let job = owner;
            let _counted = EngineThread::enter();
            if let Err(error) = net::catch("native task", || run(&job, id)) {
                job.fail(&error.with("task", id.0));
            }
            job.native_thread_gone();
        });
    if let Err(error) = thread {
        let message = format!("the thread of task {id} could not be started");
        job.fail(
            &SageError::new(ErrorCode::WorkerStart, message)
                .caused_by(error)
                .with("task", id.0),
        );
        job.native_thread_gone();
    }
}

fn run(job: &Arc<JobCore>, id: TaskId) -> Result<()> {
    let task = job.task(id)?;
    let Doorbell::Thread(parker) = &task.doorbell else {
        return Err(internal(format!("task {id} has no thread")));
    };
    if let TaskKind::NativeAggregate { spec } = &task.plan.kind
        && let Some(windows) = windows_of(spec)
    {
        return run_windows(job, task, parker, &windows);
    }
    let mut work = begin(job, task)?;
    loop {
        match work.step(job, task)? {
            NativeStep::Worked => {}
            NativeStep::Waits => {
                parker.park(MAX_SLICE);
            }
            NativeStep::WaitsForSource => work.wait_for_source(),
            NativeStep::WaitsForCommit => {
                job.wait_for_commit();
            }
            NativeStep::Over => return Ok(()),
        }
    }
}

/// The task, which goes on from what an earlier process saved.
///
/// # Errors
/// Those of connectors and of the store; `SAGE_FORMAT_GRAPH`.
pub(crate) fn begin(job: &Arc<JobCore>, task: &Task) -> Result<Box<dyn NativeWork>> {
    Ok(match &task.plan.kind {
        TaskKind::NativeSource { spec } => Box::new(SourceWork::new(job, task, spec)?),
        TaskKind::NativeSink { spec } => Box::new(SinkWork::new(job, task, spec)?),
        TaskKind::NativeAggregate { spec } => Box::new(AggregateWork::new(job, task, spec)?),
        TaskKind::JsTask { .. } => return Err(internal(format!("task {} is not native", task.plan.id))),
    })
}

pub(crate) fn split_of(task: &Task) -> SourceSplit {
    SourceSplit {
        instance: task.plan.instance,
        instances: task.plan.parallelism,
    }
}

/// The operators by expressions of a task, if it has any.
pub(crate) fn chain_of(job: &JobCore, task: &Task) -> Result<Option<NativeChain>> {
    let chain = task.plan.chain.as_deref();
    chain
        .map(|chain| NativeChain::from_json(chain, Arc::clone(&job.registry)))
        .transpose()
}

/// Sends what the chain makes of a batch, and reports what it has counted.
pub(crate) fn send_through(
    job: &JobCore,
    task: &Task,
    chain: &mut NativeChain,
    frame: Frame,
    times: Option<Vec<f64>>,
) -> Result<()> {
    let now_ms = job.epoch_millis();
    chain.apply(TimedFrame { frame, times }, now_ms, &mut |given| match given {
        Given::Batch(frame) => send(job, task, &frame),
        Given::Time(watermark) => {
            say(task, watermark, false);
            Ok(())
        }
    })?;
    task.metrics.report(chain.counters().values());
    Ok(())
}

/// Says to all targets how far event time is.
pub(crate) fn say(task: &Task, watermark: f64, idle: bool) {
    for output in &task.outputs {
        output.emit_time(watermark, idle);
    }
}

pub(crate) fn send(job: &JobCore, task: &Task, frame: &Frame) -> Result<()> {
    for (index, output) in task.outputs.iter().enumerate() {
        let sent = output.emit_frame(frame.clone(), &job.registry)?;
        if index == 0 && sent.rows > 0 {
            task.metrics.sent(sent.rows, sent.bytes);
        }
    }
    Ok(())
}
