//! Keyed state: built-in aggregates and dense slots, one handle for each keyed operator of a task.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Int32ArraySlice, Uint8ArraySlice};
use napi_derive::napi;
use sage_frame::FrameMeta;
use sage_runtime::{HelpedAggregate, JobCore};
use sage_state::{AggregateSpec, Emitted, KeyTable, KeyedAggregate};
use sage_types::Result;

use crate::guard::{guarded, internal};
use crate::handles::{STATES, job};
use crate::keyed_state::{KeyedState, StateKind};
use crate::memory::{integers_beside, writable, writable_bytes};
use crate::numbers::small;

const NO_MORE_SLOTS: i32 = -1;
const TOO_SMALL: i32 = -2;

fn with_aggregate<T>(
    handle: u32,
    body: impl FnOnce(&KeyedState, &HelpedAggregate) -> Result<T>,
) -> Result<T> {
    let state = STATES.get(handle)?;
    match &state.kind {
        StateKind::Aggregate(aggregate) => body(&state, aggregate),
        _ => Err(internal("the handle is not one of an aggregate")),
    }
}

/// Puts state of a job under a handle.
pub(crate) fn create(job_handle: u32, kind: impl FnOnce(&JobCore) -> StateKind) -> Result<u32> {
    let job = job(job_handle)?;
    let kind = kind(&job);
    STATES.insert(KeyedState { job, kind })
}

/// A keyed aggregate: `[{"kind":"count"},{"kind":"sum","input":0},...]`, where an input is a column of the row tuple.
#[napi]
pub fn aggregate_create(job_handle: u32, spec_json: String) -> napi::Result<u32> {
    guarded("aggregateCreate", || {
        let aggregate = KeyedAggregate::new(AggregateSpec::list_from_json(&spec_json)?)?;
        create(job_handle, |job| {
            StateKind::Aggregate(Box::new(HelpedAggregate::new(
                aggregate,
                Arc::clone(job.registry()),
            )))
        })
    })
}

/// Adds a batch (layout `{"key":K,"row":{"tup":[...]}}`).
#[napi]
pub fn aggregate_update(handle: u32, image: &[u8]) -> napi::Result<()> {
    guarded("aggregateUpdate", || {
        with_aggregate(handle, |_, aggregate| aggregate.update(image))
    })
}

/// Adds a batch of which, for each row, the results of its key after it are wanted. How many batches have results that should
/// be taken now.
#[napi]
pub fn aggregate_update_emit(handle: u32, image: &[u8]) -> napi::Result<i32> {
    guarded("aggregateUpdateEmit", || {
        with_aggregate(handle, |_, aggregate| small(aggregate.update_emit(image)?))
    })
}

/// Writes the oldest results that `aggregateUpdateEmit` has left. Bytes written; 0 when there are none; minus the bytes needed:
/// then they are still there.
#[napi]
pub fn aggregate_take_results(handle: u32, mut into: Uint8ArraySlice<'_>) -> napi::Result<i32> {
    guarded("aggregateTakeResults", || {
        let into = writable_bytes(&mut into);
        with_aggregate(handle, |_, aggregate| match aggregate.take_results(into)? {
            None => Ok(0),
            Some(Emitted::Written(bytes)) => small(bytes),
            Some(Emitted::TooSmall { needed_bytes }) => Ok(-small(needed_bytes)?),
        })
    })
}

/// Writes the results of the keys from `from_slot` on, at most `max_rows`. The next slot; -1 after the last; -2 when `into`
/// is too small. `desc` = 0, image bytes (or bytes needed), rows, layout.
#[napi]
pub fn aggregate_drain(
    handle: u32,
    from_slot: u32,
    max_rows: u32,
    mut into: Uint8ArraySlice<'_>,
    mut desc: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("aggregateDrain", || {
        let (into, desc) = writable(&mut into, &mut desc)?;
        let [_, bytes, rows, layout, ..] = desc else {
            return Err(internal("aggregateDrain needs a descriptor of 4 integers"));
        };
        with_aggregate(handle, |state, aggregate| {
            let registry = state.job.registry();
            let drained = aggregate.with(|aggregate| {
                aggregate.drain(from_slot, max_rows as usize, registry, FrameMeta::default())
            })?;
            let Some(drained) = drained else {
                (*bytes, *rows) = (0, 0);
                return Ok(NO_MORE_SLOTS);
            };
            match drained.frame.write_image(into) {
                Ok(written) => {
                    *bytes = small(written)?;
                    *rows = small(drained.frame.rows())?;
                    *layout = small(drained.frame.layout_id().index())?;
                    drained
                        .next_slot
                        .map_or(Ok(NO_MORE_SLOTS), |slot| small(slot as usize))
                }
                Err(too_small) => {
                    *bytes = small(too_small.needed_bytes)?;
                    Ok(TOO_SMALL)
                }
            }
        })
    })
}

/// A table that gives keys dense slots, for state that JavaScript keeps in arrays.
#[napi]
pub fn slots_create(job_handle: u32) -> napi::Result<u32> {
    guarded("slotsCreate", || {
        create(job_handle, |_| {
            StateKind::Slots(Box::new(Mutex::new(KeyTable::new())))
        })
    })
}

/// Writes the slot of each row's key to `out`, new keys included. How many slots there are then.
#[napi]
pub fn slots_for(handle: u32, image: &[u8], mut out: Int32ArraySlice<'_>) -> napi::Result<i32> {
    guarded("slotsFor", || {
        let out = integers_beside(&mut out, image)?;
        let state = STATES.get(handle)?;
        let view = state.view(image)?;
        match &state.kind {
            StateKind::Slots(table) => {
                // An error leaves the table as it was; after a panic the job is failed anyway.
                let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                table.slots_into(&view, out)?;
                small(table.slot_count())
            }
            _ => Err(internal("the handle is not one of slots")),
        }
    })
}

/// Forgets the keys of these slots, which go to new keys; slots without a key are ignored. How many keys there are then.
#[napi]
pub fn slots_free(handle: u32, slots: Int32ArraySlice<'_>) -> napi::Result<i32> {
    guarded("slotsFree", || {
        let state = STATES.get(handle)?;
        let StateKind::Slots(table) = &state.kind else {
            return Err(internal("the handle is not one of slots"));
        };
        let slots = slots
            .iter()
            .map(|&slot| u32::try_from(slot).map_err(|_| internal("a slot is below 0")))
            .collect::<Result<Vec<u32>>>()?;
        // Nothing here fails half way; after a panic the job is failed anyway.
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in slots {
            table.remove(slot);
        }
        small(table.len())
    })
}

/// Forgets keyed state; unknown handles are ignored.
#[napi]
pub fn state_drop(handle: u32) -> napi::Result<()> {
    guarded("stateDrop", || {
        STATES.remove(handle);
        Ok(())
    })
}
