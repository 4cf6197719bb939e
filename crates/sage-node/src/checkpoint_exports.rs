//! Checkpoints: what a task hands over at a barrier, and what it is given back.

use napi::bindgen_prelude::{Env, Uint8ArraySlice};
use napi_derive::napi;
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

/// Begins an epoch. Its number; -1 while one is under way, and when nothing is left to save.
#[napi]
pub fn checkpoint_begin(job_handle: u32) -> napi::Result<f64> {
    guarded("checkpointBegin", || {
        Ok(job(job_handle)?.begin_checkpoint()?.map_or(NONE, number_of))
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

/// What instance `instance` of `parallelism` goes on from: `u8 kind` (0: no such part; 1: `u32 count`, and for each instance of
/// then `u32 instance, u32 parallelism, u32 length, bytes`; 2: entries of the key groups of the asking instance).
#[napi]
pub fn checkpoint_read<'env>(
    env: &'env Env,
    job_handle: u32,
    operator: String,
    name: String,
    instance: u32,
    parallelism: u32,
) -> napi::Result<Uint8ArraySlice<'env>> {
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
    if number >= 0.0 && number <= 9_007_199_254_740_991.0 && number.fract() == 0.0 {
        Ok(number as u64)
    } else {
        Err(internal(format!("{number} is no epoch")))
    }
}
