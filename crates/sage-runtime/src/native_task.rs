//! Tasks with a thread of their own: native sources, sinks, aggregates and windows.

use std::sync::Arc;

use sage_connectors::{BatchSink, BatchSource, Cancellation, NextBatch, SourceSplit};
use sage_expressions::{Given, NativeChain, TimedFrame};
use sage_frame::Frame;
use sage_queue::{EndKind, EngineThread, MAX_SLICE, Parker};
use sage_types::{ErrorCode, Result, SageError, TaskId};

use crate::graph::TaskKind;
use crate::inputs::Found;
use crate::job_checkpoints::JobCheckpoints;
use crate::job_core::{JobCore, internal};
use crate::native_aggregate::run_aggregate;
use crate::native_parts::{POSITION, PREPARED, own_part};
use crate::native_windows::{run_windows, windows_of};
use crate::net;
use crate::task::{Doorbell, Task};
use crate::task_metrics::Activity;

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
    match &task.plan.kind {
        TaskKind::NativeSource { spec } => run_source(job, task, parker, spec),
        TaskKind::NativeSink { spec } => run_sink(job, task, parker, spec),
        TaskKind::NativeAggregate { spec } => match windows_of(spec) {
            Some(windows) => run_windows(job, task, parker, &windows),
            None => run_aggregate(job, task, parker, spec),
        },
        TaskKind::JsTask { .. } => Err(internal(format!("task {id} is not native"))),
    }
}

fn split_of(task: &Task) -> SourceSplit {
    SourceSplit {
        instance: task.plan.instance,
        instances: task.plan.parallelism,
    }
}

fn run_source(job: &JobCore, task: &Task, parker: &Parker, spec: &str) -> Result<()> {
    let mut chain = chain_of(job, task)?;
    let mut source = source_of(job, task, spec)?;
    let kind = loop {
        if job.is_closing() {
            return Ok(());
        }
        if let Some(barrier) = task.barrier.asked() {
            match source.position() {
                Ok(position) => job.acknowledge_task(task, barrier, own_part(task, POSITION, &position)?)?,
                // Nobody has asked before whether it can be read twice.
                Err(error) if job.has_savepoints_only() => {
                    job.refuse_epoch(task, barrier, &error.to_json())?;
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(kind) = task.stop_requested() {
            break kind;
        }
        let blocked = !task.has_credit();
        if blocked || job.is_paused() {
            let activity = if blocked {
                Activity::Backpressured
            } else {
                Activity::Idle
            };
            task.metrics.switch(activity, job.now_nanos());
            parker.park(MAX_SLICE);
            continue;
        }
        task.metrics.switch(Activity::Busy, job.now_nanos());
        let read = source.next();
        task.metrics.skipped(source.statistics().skipped_records);
        let read = match read? {
            NextBatch::Frame(frame) => frame,
            NextBatch::Waiting => {
                task.metrics.switch(Activity::Idle, job.now_nanos());
                source.wait(MAX_SLICE);
                continue;
            }
            NextBatch::Ended => break EndKind::Drained,
        };
        match &mut chain {
            None => send(job, task, &read)?,
            Some(chain) => {
                chain.counters_mut().entered(0, read.rows());
                send_through(job, task, chain, read, None)?;
            }
        }
    };
    job.read(task.plan.id, source.statistics());
    if job.checkpoints.is_some() {
        match source.position() {
            Ok(position) => job.leave_behind(task, own_part(task, POSITION, &position)?),
            // Of a source that has ended, and cannot be read twice, a savepoint knows that it has ended.
            Err(_) if job.has_savepoints_only() => {}
            Err(error) => return Err(error),
        }
    }
    task.deliver_end(kind);
    job.finish_task(task);
    Ok(())
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

fn send(job: &JobCore, task: &Task, frame: &Frame) -> Result<()> {
    for (index, output) in task.outputs.iter().enumerate() {
        let sent = output.emit_frame(frame.clone(), &job.registry)?;
        if index == 0 && sent.rows > 0 {
            task.metrics.sent(sent.rows, sent.bytes);
        }
    }
    Ok(())
}

fn run_sink(job: &Arc<JobCore>, task: &Task, parker: &Parker, spec: &str) -> Result<()> {
    let mut sink = sink_of(job, task, spec)?;
    let owner = Arc::clone(job);
    sink.cancel_when(Cancellation::new(move || owner.is_closing()));
    if job.had_finished(task) {
        task.deliver_end(EndKind::Drained);
    } else {
        match write_all(job, task, parker, sink.as_mut()) {
            Ok(true) => {}
            Ok(false) => {
                leave(job, sink);
                return Ok(());
            }
            Err(error) => return give_up(job, sink, error),
        }
    }
    match seal(job, sink.as_mut()).and_then(|prepared| own_part(task, PREPARED, &prepared)) {
        Ok(image) => job.leave_behind(task, image),
        Err(error) => return give_up(job, sink, error),
    }
    job.finish_task(task);
    if !job.wait_for_commit() {
        leave(job, sink);
        return Ok(());
    }
    let report = sink.commit()?;
    job.committed(task.plan.id, serde_json::to_value(report).unwrap_or_default());
    Ok(())
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
fn give_up(job: &JobCore, sink: Box<dyn BatchSink>, error: SageError) -> Result<()> {
    leave(job, sink);
    if error.code == ErrorCode::JobCanceled && job.is_closing() {
        return Ok(());
    }
    Err(error)
}

/// `false` when the job was closed before the input had ended.
fn write_all(job: &JobCore, task: &Task, parker: &Parker, sink: &mut dyn BatchSink) -> Result<bool> {
    let mut wanted = true;
    loop {
        if job.is_closing() {
            return Ok(false);
        }
        match task.inputs.next() {
            Found::Frame(arrival) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                task.metrics
                    .received(arrival.frame.rows() as u64, arrival.frame.byte_len() as u64);
                sink.write(&arrival.frame.view(&job.registry)?)?;
                if wanted && !sink.wants_more() {
                    wanted = false;
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
                parker.park(MAX_SLICE);
            }
            Found::AllEnded(kind) => {
                task.deliver_end(kind);
                return Ok(true);
            }
        }
    }
}
