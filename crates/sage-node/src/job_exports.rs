//! Jobs: creating, controlling, watching.

use std::sync::Arc;

use napi::bindgen_prelude::{Env, Function};
use napi::threadsafe_function::UnknownReturnValue;
use napi_derive::napi;
use sage_checkpoint::DiskFiles;
use sage_runtime::{BuiltinConnectors, CheckpointSettings, JobCore};
use sage_types::{SystemClock, TaskId};

use crate::environment;
use crate::guard::{guarded, internal};
use crate::handles::{JOBS, job};

/// Builds a job from the FlatBuffers execution graph; it starts when every isolate that the graph names is attached. It is
/// cancelled when the calling environment ends before the job does. `checkpoints_json` (`CheckpointSettings` of `sage-runtime`)
/// says where its state is kept and what it goes on from: `{"directory","intervalMs","minPauseMs","retained","from","allowDropped"}`,
/// `from` being `"none"`, `"latest"` or `{"path"}`; `{"savepointsOnly":true,"from","allowDropped"}` for a job without a directory.
#[napi(ts_args_type = "graph: Uint8Array, checkpointsJson?: string")]
pub fn create_job(env: Env, graph: &[u8], checkpoints_json: Option<String>) -> napi::Result<u32> {
    guarded("createJob", || {
        let settings = checkpoints_json
            .as_deref()
            .map(CheckpointSettings::from_json)
            .transpose()?;
        let files = if settings.is_some() {
            DiskFiles::of_process()?
        } else {
            DiskFiles::new()
        };
        let clock = Arc::new(SystemClock::new());
        let job = JobCore::with_checkpoints(
            graph,
            settings,
            Arc::new(files),
            clock,
            Arc::new(BuiltinConnectors),
        )?;
        let handle = JOBS.insert(job)?;
        environment::cancel_with_environment(env, handle)?;
        Ok(handle)
    })
}

/// Fails the job with an error of the host (JSON); the first error decides.
#[napi]
pub fn fail_job(job_handle: u32, error_json: String) -> napi::Result<()> {
    guarded("failJob", || {
        // Read once here, so that what everybody else is given is known to be JSON.
        let error: serde_json::Value = serde_json::from_str(&error_json)
            .map_err(|cause| internal("failJob was given something that is not JSON").caused_by(cause))?;
        job(job_handle)?.fail_with_json(&error.to_string());
        Ok(())
    })
}

/// Stops handing out tasks; nothing is lost.
#[napi]
pub fn pause_job(job_handle: u32) -> napi::Result<()> {
    guarded("pauseJob", || job(job_handle)?.pause())
}

/// Goes on after a pause.
#[napi]
pub fn resume_job(job_handle: u32) -> napi::Result<()> {
    guarded("resumeJob", || job(job_handle)?.resume())
}

/// Ends the sources; `drain` also fires final results.
#[napi]
pub fn stop_job(job_handle: u32, drain: bool) -> napi::Result<()> {
    guarded("stopJob", || job(job_handle)?.stop(drain))
}

/// Ends one source as if it had no more data.
#[napi]
pub fn end_source(job_handle: u32, task: u32) -> napi::Result<()> {
    guarded("endSource", || job(job_handle)?.end_source(TaskId(task)))
}

/// Ends the job at once. A job that is over stays as it is.
#[napi]
pub fn cancel_job(job_handle: u32) -> napi::Result<()> {
    guarded("cancelJob", || {
        job(job_handle)?.cancel();
        Ok(())
    })
}

/// The state word: `initializing`, `running`, `paused`, `stopping`, `finished`, `stopped`, `failed` or `canceled`.
#[napi]
pub fn job_status(job_handle: u32) -> napi::Result<&'static str> {
    guarded("jobStatus", || Ok(job(job_handle)?.state().as_str()))
}

/// `{"state","settled","error":{...}|null,"suppressed":[...]}`.
#[napi]
pub fn job_details(job_handle: u32) -> napi::Result<String> {
    guarded("jobDetails", || {
        let job = job(job_handle)?;
        let error = job.error();
        let suppressed = job.suppressed_errors().join(",");
        Ok(format!(
            r#"{{"state":"{}","settled":{},"error":{},"suppressed":[{suppressed}]}}"#,
            job.state(),
            job.is_settled(),
            error.as_deref().unwrap_or("null"),
        ))
    })
}

/// Everything that is counted, as JSON (`JobMetrics` of `sage-runtime`).
#[napi]
pub fn job_metrics(job_handle: u32) -> napi::Result<String> {
    guarded("jobMetrics", || {
        let metrics = job(job_handle)?.metrics();
        serde_json::to_string(&metrics).map_err(|cause| internal("metrics are not JSON").caused_by(cause))
    })
}

/// Calls back with each event's JSON, beginning with those that nobody has heard yet. Does not keep the process alive.
#[napi(ts_args_type = "job: number, callback: (eventJson: string) => void")]
pub fn on_job_event(job_handle: u32, callback: Function<'_, String, UnknownReturnValue>) -> napi::Result<()> {
    guarded("onJobEvent", || {
        job(job_handle)?.on_event(Some(environment::job_listener(&callback)?));
        Ok(())
    })
}

/// Forgets the job with all of its isolates and keyed state; cancels it when it is still at work.
#[napi]
pub fn drop_job(job_handle: u32) -> napi::Result<()> {
    guarded("dropJob", || {
        environment::forget_job(job_handle);
        environment::drop_job(job_handle);
        Ok(())
    })
}

/// Cancels every job of the process and waits (at most 2 s) for their native threads; call it before the process exits.
/// Returns how many jobs were at work.
#[napi]
pub fn close_all_jobs() -> napi::Result<u32> {
    guarded("closeAllJobs", || {
        Ok(u32::try_from(sage_runtime::close_all_jobs()).unwrap_or(u32::MAX))
    })
}

/// Version of the core.
#[napi]
pub fn crate_version() -> napi::Result<&'static str> {
    guarded("crateVersion", || Ok(env!("CARGO_PKG_VERSION")))
}

/// Panics, for the test of the net.
#[napi]
pub fn test_panic() -> napi::Result<()> {
    guarded("testPanic", || {
        #[expect(clippy::panic, reason = "what the net is tested with")]
        {
            panic!("a panic on purpose");
        }
    })
}
