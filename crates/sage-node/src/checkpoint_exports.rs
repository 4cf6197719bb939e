//! Checkpoints: what a task hands over at a barrier, and what it is given back.

use std::path::Path;
use std::sync::Arc;

use napi::bindgen_prelude::{Env, Uint8ArraySlice};
use napi_derive::napi;
use sage_checkpoint::{DiskFiles, Files, inspect};
use sage_types::TaskId;

use crate::guard::{guarded, internal};
use crate::handles::{ISOLATES, job};
use crate::memory::copied_bytes;

const NONE: f64 = -1.0;

/// The epoch that the job goes on from; -1 when it begins from nothing.
#[napi]
pub fn checkpoint_restored(job_handle: u32) -> napi::Result<f64> {
    guarded("checkpointRestored", || {
        Ok(job(job_handle)?.restored_epoch().map_or(NONE, number_of))
    })
}

/// What the epoch that the job goes on from says of an operator: 0 nothing, 1 that it goes on, 2 that all of its instances had come to their end.
#[napi]
pub fn checkpoint_operator(job_handle: u32, operator: String) -> napi::Result<u32> {
    guarded("checkpointOperator", || {
        Ok(match job(job_handle)?.had_ended(&operator) {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        })
    })
}

/// Newer epochs that the job could not go on from, as they are damaged: an error each, as JSON.
#[napi]
pub fn checkpoint_skipped(job_handle: u32) -> napi::Result<Vec<String>> {
    guarded("checkpointSkipped", || Ok(job(job_handle)?.skipped_epochs()))
}

/// Begins an epoch. Its number; -1 while one is under way, and when nothing is left to save.
#[napi]
pub fn checkpoint_begin(job_handle: u32) -> napi::Result<f64> {
    guarded("checkpointBegin", || {
        Ok(job(job_handle)?.begin_checkpoint()?.map_or(NONE, number_of))
    })
}

/// Has a copy of the next epoch written to a file that is not there yet. What becomes of it is an event.
#[napi]
pub fn savepoint_begin(job_handle: u32, path: String) -> napi::Result<()> {
    guarded("savepointBegin", || {
        job(job_handle)?.begin_savepoint(Path::new(&path))?;
        Ok(())
    })
}

/// Ends the sources as `stopJob` without drain, and has a copy of the last epoch written to a file that is not there yet.
#[napi]
pub fn savepoint_stop(job_handle: u32, path: String) -> napi::Result<()> {
    guarded("savepointStop", || {
        job(job_handle)?.stop_with_savepoint(Path::new(&path))
    })
}

/// What is in a savepoint, in the file of an epoch, or in the newest epoch of a checkpoint directory, as JSON (`EpochListing` of
/// `sage-checkpoint`), after checking all of it. Locks nothing, and waits for the disk.
#[napi]
pub fn checkpoint_inspect(path: String) -> napi::Result<String> {
    guarded("checkpointInspect", || {
        let files: Arc<dyn Files> = Arc::new(DiskFiles::new());
        Ok(inspect(&files, Path::new(&path))?.to_json().to_string())
    })
}

/// The epoch for which a source task of this isolate is to take its barrier; -1 for none. For whoever holds a task while its
/// source rests: the isolate's hook is called when this changes.
#[napi]
pub fn checkpoint_asked(isolate: u32) -> napi::Result<f64> {
    guarded("checkpointAsked", || {
        Ok(ISOLATES.get(isolate)?.barrier_asked().map_or(NONE, number_of))
    })
}

/// The epoch that tasks of this isolate may hand over changes on top of, for the one under way; 0 when parts have to be whole.
#[napi]
pub fn checkpoint_base(isolate: u32) -> napi::Result<f64> {
    guarded("checkpointBase", || {
        Ok(number_of(ISOLATES.get(isolate)?.checkpoint_base().unwrap_or(0)))
    })
}

/// Hands over what a task saves at its barrier, and sends the barrier on. With epoch 0, right before `finishTask`: what stays of
/// it in all later epochs.
#[napi(ts_args_type = "isolate: number, task: number, epoch: number, image: Uint8Array")]
pub fn checkpoint_acknowledge(isolate: u32, task: u32, epoch: f64, image: &[u8]) -> napi::Result<()> {
    guarded("checkpointAcknowledge", || {
        ISOLATES
            .get(isolate)?
            .acknowledge(TaskId(task), epoch_of(epoch)?, image)
    })
}

/// Says at its barrier that a task cannot hand over what it holds, for a reason (JSON of an error): this epoch is not written, and the
/// barrier goes on.
#[napi]
pub fn checkpoint_refuse(isolate: u32, task: u32, epoch: f64, error: String) -> napi::Result<()> {
    guarded("checkpointRefuse", || {
        ISOLATES
            .get(isolate)?
            .refuse(TaskId(task), epoch_of(epoch)?, &error)
    })
}

/// What instance `instance` of `parallelism` goes on from: `u8 kind` (0: no such part; 1: `u32 count`, and for each instance of
/// then `u32 instance, u32 parallelism, u32 length, bytes`; 2: entries of the key groups of the asking instance).
#[napi]
pub fn checkpoint_read(
    env: &Env,
    job_handle: u32,
    operator: String,
    name: String,
    instance: u32,
    parallelism: u32,
) -> napi::Result<Uint8ArraySlice<'_>> {
    guarded("checkpointRead", || {
        let read = job(job_handle)?.read_checkpoint(&operator, &name, instance, parallelism)?;
        copied_bytes(env, &read)
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "epochs are counted, one a second fills 2^53 in 285 million years"
)]
pub(crate) fn number_of(epoch: u64) -> f64 {
    epoch as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number that a double holds"
)]
fn epoch_of(number: f64) -> sage_types::Result<u64> {
    if (0.0..=9_007_199_254_740_991.0).contains(&number) && number.fract() == 0.0 {
        Ok(number as u64)
    } else {
        Err(internal(format!("{number} is no epoch")))
    }
}
