//! The thread that makes epochs durable, and begins them when their time has come.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sage_checkpoint::EpochWriter;
use sage_queue::EngineThread;
use sage_types::{ErrorCode, Result, SageError};

use crate::checkpoint_metadata::CheckpointMetadata;
use crate::epoch_merges::EpochMerges;
use crate::epochs::{GatheredEpoch, Work};
use crate::job_checkpoints::JobCheckpoints;
use crate::job_core::JobCore;
use crate::job_event::JobEvent;
use crate::net;

/// What a step of the writer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterStep {
    /// There may be more to do at once.
    Worked,
    /// There is nothing to do, for so long at most.
    Waits(Duration),
    /// The last epoch is durable, or the job is closed: no step follows.
    Over,
}

/// Starts the thread, which counts as one of the job's native threads. It ends with the last epoch, or when the job is closed.
pub(crate) fn spawn(job: &Arc<JobCore>) {
    if job.checkpoints.as_ref().is_some_and(|own| own.is_stepped) {
        return;
    }
    let owner = Arc::clone(job);
    let thread = std::thread::Builder::new()
        .name("sage-checkpoints".to_owned())
        .spawn(move || {
            let job = owner;
            let _counted = EngineThread::enter();
            if let Err(error) = net::catch("checkpoints", || {
                run(&job);
                Ok(())
            }) {
                job.fail(&error);
            }
            job.native_thread_gone();
        });
    if let Err(error) = thread {
        let message = "the thread that writes checkpoints could not be started";
        job.fail(&SageError::new(ErrorCode::WorkerStart, message).caused_by(error));
        job.native_thread_gone();
    }
}

fn run(job: &JobCore) {
    let Some(checkpoints) = &job.checkpoints else {
        return;
    };
    // Ends before the thread does: who has the directory next finds nobody in it.
    let mut merges = EpochMerges::default();
    loop {
        match step(job, checkpoints) {
            WriterStep::Worked => merges.look(checkpoints),
            WriterStep::Waits(timeout) => checkpoints.epochs.wait(timeout, || job.is_closing()),
            WriterStep::Over => return,
        }
    }
}

/// Does what is to be done next, and waits for nothing but the disk.
pub(crate) fn step(job: &JobCore, checkpoints: &JobCheckpoints) -> WriterStep {
    if job.is_closing() {
        return WriterStep::Over;
    }
    match checkpoints
        .epochs
        .next_work(checkpoints.pace, job.now_nanos(), !job.is_held())
    {
        Work::Begin { last } => {
            job.begin_epoch(last, None);
            WriterStep::Worked
        }
        Work::Write(epoch) => match write(job, checkpoints, &epoch) {
            Outcome::Failed => WriterStep::Over,
            Outcome::Durable | Outcome::Missing => {
                job.hold_again();
                WriterStep::Worked
            }
        },
        Work::WriteLast(epoch) => {
            if write(job, checkpoints, &epoch) == Outcome::Durable {
                job.commit_now();
            }
            WriterStep::Over
        }
        Work::Commit => {
            job.commit_now();
            WriterStep::Over
        }
        Work::Wait(timeout) => WriterStep::Waits(timeout),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Durable,
    /// The next one is whole again.
    Missing,
    /// It was the last one: the job has failed.
    Failed,
}

fn write(job: &JobCore, checkpoints: &JobCheckpoints, epoch: &GatheredEpoch) -> Outcome {
    if checkpoints.savepoints_only {
        return write_savepoints_only(job, checkpoints, epoch);
    }
    let written = write_parts(job, checkpoints, epoch);
    let bytes = written.as_ref().ok().copied();
    let duration_nanos = checkpoints.epochs.written(epoch, bytes, job.now_nanos());
    // An epoch that was given up because the job is over is no news.
    if written.is_err() && job.is_closing() {
        return Outcome::Failed;
    }
    let mut event = serde_json::json!({
        "type": "epoch",
        "event": "epoch",
        "epoch": epoch.barrier.epoch,
        "last": epoch.barrier.last,
        "state": if written.is_ok() { "completed" } else { "failed" },
        "bytes": bytes.unwrap_or_default(),
        "durationMs": millis(duration_nanos),
        "alignmentMs": millis(epoch.alignment_nanos),
    });
    if let Err(error) = &written {
        event["error"] = serde_json::from_str(&error.to_json()).unwrap_or_default();
    }
    job.outbox.post(JobEvent::Epoch(event.to_string().into()));
    job.outbox.deliver();
    for path in &epoch.savepoints {
        write_savepoint(job, checkpoints, epoch, path, written.as_ref().err());
    }
    match written {
        Ok(_) => Outcome::Durable,
        Err(error) if epoch.barrier.last => {
            job.fail(&error);
            Outcome::Failed
        }
        Err(_) => Outcome::Missing,
    }
}

/// How many bytes the epoch has.
fn write_parts(job: &JobCore, checkpoints: &JobCheckpoints, epoch: &GatheredEpoch) -> Result<u64> {
    let store = checkpoints.store.lock();
    let Some(store) = &*store else {
        return Err(given_up());
    };
    let has_changes = epoch
        .handed
        .iter()
        .any(|handed| handed.parts.as_ref().is_some_and(|parts| !parts.are_whole()));
    let writer = match epoch.base.filter(|_| has_changes) {
        Some(base) => store.begin_changes(epoch.barrier.epoch, base)?,
        None => store.begin(epoch.barrier.epoch)?,
    };
    fill(job, checkpoints, epoch, writer)
}

/// Writes what was handed over, and makes it durable. How many bytes it has.
fn fill(
    job: &JobCore,
    checkpoints: &JobCheckpoints,
    epoch: &GatheredEpoch,
    mut writer: EpochWriter,
) -> Result<u64> {
    for (task, handed) in job.graph.tasks.iter().zip(&epoch.handed) {
        for part in handed.parts.iter().flat_map(|parts| parts.of(task)) {
            if job.is_closing() {
                return Err(given_up());
            }
            writer.add(&part.key, part.kind, part.is_full, part.payload)?;
        }
    }
    let had_ended = |operator: &str| {
        let restored = checkpoints.restored.as_ref();
        restored.and_then(|restored| restored.has_ended(operator)) == Some(true)
    };
    let metadata = CheckpointMetadata::of(&job.graph, epoch, had_ended).to_json()?;
    if job.is_closing() {
        return Err(given_up());
    }
    Ok(writer.commit(&metadata)?.bytes)
}

/// Copies an epoch that is durable. When that fails the epoch is of as much use as before: whoever asked for the copy is told.
fn write_savepoint(
    job: &JobCore,
    checkpoints: &JobCheckpoints,
    epoch: &GatheredEpoch,
    path: &Path,
    failure: Option<&SageError>,
) {
    let written = match failure {
        Some(error) => Err(error.clone()),
        None => match &*checkpoints.store.lock() {
            Some(store) => store
                .write_savepoint(epoch.barrier.epoch, path)
                .map(|summary| summary.bytes),
            None => Err(given_up()),
        },
    };
    let written = written.map_err(|error| error.to_json().into());
    tell_savepoint(job, epoch, path, &written);
}

/// The epoch of a job without a directory: each of the files that were asked for stands for itself. A job that was to stop with one that
/// cannot be written fails, as nothing of what it knows would be left.
fn write_savepoints_only(job: &JobCore, checkpoints: &JobCheckpoints, epoch: &GatheredEpoch) -> Outcome {
    let mut bytes = None;
    let mut last = Ok(());
    for path in &epoch.savepoints {
        let written = match &epoch.refusal {
            Some(refusal) => Err(Arc::clone(refusal)),
            None => EpochWriter::to_file(Arc::clone(&checkpoints.files), path, epoch.barrier.epoch)
                .and_then(|writer| fill(job, checkpoints, epoch, writer))
                .map_err(|error| error.to_json().into()),
        };
        // What was given up because the job is over is no news.
        if written.is_err() && job.is_closing() {
            return Outcome::Failed;
        }
        bytes = bytes.or(written.as_ref().ok().copied());
        last = written.as_ref().map(|_| ()).map_err(Arc::clone);
        tell_savepoint(job, epoch, path, &written);
    }
    if epoch.stops_with_savepoint
        && let Err(error) = last
    {
        checkpoints.epochs.written(epoch, bytes, job.now_nanos());
        job.fail_with_json(&error);
        return Outcome::Failed;
    }
    // The last barrier of a job that is stopped without a savepoint has stopped it all the same.
    let bytes = bytes.or(epoch.barrier.last.then_some(0));
    checkpoints.epochs.written(epoch, bytes, job.now_nanos());
    if bytes.is_some() {
        Outcome::Durable
    } else {
        Outcome::Missing
    }
}

/// The number of bytes, or the error as JSON.
fn tell_savepoint(
    job: &JobCore,
    epoch: &GatheredEpoch,
    path: &Path,
    written: &std::result::Result<u64, Arc<str>>,
) {
    let mut event = serde_json::json!({
        "type": "savepoint",
        "event": "savepoint",
        "epoch": epoch.barrier.epoch,
        "path": path.to_string_lossy(),
        "bytes": written.as_ref().copied().unwrap_or_default(),
        "durationMs": millis(job.now_nanos().saturating_sub(epoch.begun_nanos)),
    });
    if let Err(error) = written {
        event["error"] = serde_json::from_str(error).unwrap_or_default();
    }
    job.outbox.post(JobEvent::Epoch(event.to_string().into()));
    job.outbox.deliver();
}

fn given_up() -> SageError {
    SageError::new(ErrorCode::JobCanceled, "the job is over")
}

#[expect(clippy::cast_precision_loss, reason = "a duration")]
fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
