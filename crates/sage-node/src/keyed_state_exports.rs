//! States that user functions keep for each key: which have a value, when they expire, and what is in memory. The values are
//! JavaScript's. `docs/internals/data-path.md`, section 7.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Int32ArraySlice, Uint8ArraySlice};
use napi_derive::napi;
use sage_runtime::JobCore;
use sage_state::{DiskOptions, FoundState, KeyedStateSpec, KeyedStateTable, StateSpec};
use sage_store::JobStoreOptions;
use sage_types::Result;

use crate::guard::{guarded, internal};
use crate::handles::{STATES, job};
use crate::keyed_state::{KeyedState, StateKind};
use crate::memory::{integers_beside, writable_beside, writable_bytes};
use crate::numbers::{millis, small};

const ABSENT: i32 = 0;
const IN_SLOT: i32 = 1;
const IN_BYTES: i32 = 2;
const TOO_SMALL: i32 = 3;
const NO_MORE_SLOTS: i32 = -1;

pub(crate) fn with_states<T>(
    handle: u32,
    body: impl FnOnce(&KeyedState, &mut KeyedStateTable) -> Result<T>,
) -> Result<T> {
    let state = STATES.get(handle)?;
    match &state.kind {
        // An error leaves the table usable, or fails the job; after a panic the job is failed anyway.
        StateKind::States(table) => body(&state, &mut table.lock().unwrap_or_else(PoisonError::into_inner)),
        _ => Err(internal("the handle is not one of keyed state")),
    }
}

fn open(job: &JobCore, spec: &KeyedStateSpec) -> Result<KeyedStateTable> {
    let Some(disk) = &spec.disk else {
        return Ok(KeyedStateTable::in_memory(&spec.states));
    };
    let mut options = JobStoreOptions::default();
    if let Some(directory) = &disk.directory {
        options.base.clone_from(directory);
    }
    let options = DiskOptions {
        store: job.state_store(&options)?,
        operator: disk.operator,
        key_groups: job.graph().key_groups,
        budget_bytes: disk.budget_bytes,
    };
    KeyedStateTable::on_disk(&spec.states, &options)
}

/// The states of one instance of an operator: `{"states":[{"name":"count","ttlMs":1000},...],"disk":{"operator":3,
/// "budgetBytes":67108864,"directory":null}}`; without `disk` they stay in memory.
#[napi]
pub fn keyed_state_create(job_handle: u32, spec_json: String) -> napi::Result<u32> {
    guarded("keyedStateCreate", || {
        let spec = KeyedStateSpec::from_json(&spec_json)?;
        let job = job(job_handle)?;
        let table = open(&job, &spec)?;
        STATES.insert(KeyedState {
            job: Arc::clone(&job),
            kind: StateKind::States(Box::new(Mutex::new(table))),
        })
    })
}

/// One more state, `{"name":"count","ttlMs":1000}`, whose number is the next one; also while a batch is at work.
#[napi]
pub fn keyed_state_declare(handle: u32, state_json: String) -> napi::Result<()> {
    guarded("keyedStateDeclare", || {
        let spec = StateSpec::from_json(&state_json)?;
        with_states(handle, |_, table| table.declare(&spec))
    })
}

/// Gives a state another time to live in milliseconds; below 0 none. For one that was restored before anybody knew how long its values live.
#[napi]
pub fn keyed_state_set_ttl(handle: u32, state: i32, ttl_ms: f64) -> napi::Result<()> {
    guarded("keyedStateSetTtl", || {
        let ttl_ms = (ttl_ms >= 0.0).then(|| millis(ttl_ms));
        with_states(handle, |_, table| table.set_ttl(state, ttl_ms))
    })
}

/// Begins a batch: writes the slot of each row's key to `slots`. Bytes of what `keyedStateTake` gives then; 0 when there is
/// nothing to do.
#[napi]
pub fn keyed_state_begin(
    handle: u32,
    now_ms: f64,
    image: &[u8],
    mut slots: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("keyedStateBegin", || {
        let slots = integers_beside(&mut slots, image)?;
        with_states(handle, |state, table| {
            table.begin(millis(now_ms), &state.view(image)?, slots)?;
            exchange_bytes(table)
        })
    })
}

/// Drops what has expired, without a batch. As `keyedStateBegin`; call it again while it gives something.
#[napi]
pub fn keyed_state_expire(handle: u32, now_ms: f64) -> napi::Result<i32> {
    guarded("keyedStateExpire", || {
        with_states(handle, |_, table| {
            table.expire(millis(now_ms))?;
            exchange_bytes(table)
        })
    })
}

/// Writes what has to be done before the rows of the batch: the image of an exchange. Bytes written; minus the bytes needed
/// when `into` is too small.
#[napi]
pub fn keyed_state_take(handle: u32, mut into: Uint8ArraySlice<'_>) -> napi::Result<i32> {
    guarded("keyedStateTake", || {
        let into = writable_bytes(&mut into);
        with_states(handle, |_, table| {
            let needed = small(table.exchange().byte_len())?;
            if into.len() < table.exchange().byte_len() {
                return Ok(-needed);
            }
            table.exchange().write_image(into)?;
            Ok(needed)
        })
    })
}

/// Ends a batch. `changes`: slot, state and bytes (about how much memory the value takes; -1: removed) of each state that was
/// written. `ends` and `data`: the values that the exchange wanted to be encoded, in its order.
#[napi]
pub fn keyed_state_finish(
    handle: u32,
    now_ms: f64,
    changes: Int32ArraySlice<'_>,
    ends: Int32ArraySlice<'_>,
    data: &[u8],
) -> napi::Result<()> {
    guarded("keyedStateFinish", || {
        with_states(handle, |_, table| {
            table.finish(millis(now_ms), &changes, &ends, data)
        })
    })
}

/// Keeps these slots in memory for one more (`true`) or one less (`false`) who needs them.
#[napi]
pub fn keyed_state_hold(handle: u32, slots: Int32ArraySlice<'_>, more: bool) -> napi::Result<()> {
    guarded("keyedStateHold", || {
        with_states(handle, |_, table| table.hold(&slots, more))
    })
}

/// Writes slot and state of values that the store does not have yet to `pairs`, from a slot on; `pairs[0]` is how many. The
/// slot to go on with; -1 after the last.
#[napi]
pub fn keyed_state_dirty(handle: u32, from_slot: u32, mut pairs: Int32ArraySlice<'_>) -> napi::Result<i32> {
    guarded("keyedStateDirty", || {
        let pairs = integers_beside(&mut pairs, &[])?;
        let Some((count, pairs)) = pairs.split_first_mut() else {
            return Err(internal("keyedStateDirty needs room for a count"));
        };
        with_states(handle, |_, table| {
            let (found, next) = table.dirty(from_slot, pairs)?;
            *count = small(found)?;
            next.map_or(Ok(NO_MORE_SLOTS), |slot| small(slot as usize))
        })
    })
}

/// Gives values that `keyedStateDirty` named to the store; they stay in memory.
#[napi]
pub fn keyed_state_store(
    handle: u32,
    pairs: Int32ArraySlice<'_>,
    ends: Int32ArraySlice<'_>,
    data: &[u8],
) -> napi::Result<()> {
    guarded("keyedStateStore", || {
        with_states(handle, |_, table| table.store(&pairs, &ends, data))
    })
}

/// Where a state of the key with these canonical bytes is: `desc` = 0 absent; 1 and its slot; 2 and the bytes that were written
/// to `into`; 3 and the bytes needed, when `into` is too small.
#[napi]
pub fn keyed_state_find(
    handle: u32,
    now_ms: f64,
    state: i32,
    key: &[u8],
    mut desc: Int32ArraySlice<'_>,
    mut into: Uint8ArraySlice<'_>,
) -> napi::Result<()> {
    guarded("keyedStateFind", || {
        let (into, desc) = writable_beside(&mut into, &mut desc, key)?;
        let found = with_states(handle, |_, table| table.find(millis(now_ms), key, state))?;
        let [kind, value, ..] = desc else {
            return Err(internal("keyedStateFind needs a descriptor of 2 integers"));
        };
        (*kind, *value) = match found {
            FoundState::Absent => (ABSENT, 0),
            FoundState::Slot(slot) => (IN_SLOT, small(slot as usize)?),
            FoundState::Bytes(bytes) => match into.get_mut(..bytes.len()) {
                Some(into) => {
                    into.copy_from_slice(&bytes);
                    (IN_BYTES, small(bytes.len())?)
                }
                None => (TOO_SMALL, small(bytes.len())?),
            },
        };
        Ok(())
    })
}

/// `{"residentKeys","residentBytes","tableBytes","loaded","written","givenUp","expired"}`.
#[napi]
pub fn keyed_state_counts(handle: u32) -> napi::Result<String> {
    guarded("keyedStateCounts", || {
        with_states(handle, |_, table| Ok(table.counts().to_json()))
    })
}

/// About how many bytes of disk the state of the whole job takes; 0 when it is in memory.
#[napi]
pub fn keyed_state_bytes_on_disk(handle: u32) -> napi::Result<f64> {
    guarded("keyedStateBytesOnDisk", || {
        #[expect(clippy::cast_precision_loss, reason = "a size for people")]
        with_states(handle, |_, table| Ok(table.bytes_on_disk()? as f64))
    })
}

pub(crate) fn exchange_bytes(table: &KeyedStateTable) -> Result<i32> {
    if table.exchange().is_empty() {
        return Ok(0);
    }
    small(table.exchange().byte_len())
}
