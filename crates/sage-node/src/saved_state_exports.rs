//! State for checkpoints: what a handle stands for as bytes, and back. `docs/internals/windows.md` and
//! `docs/internals/keyed-state.md`, "Checkpoints".

use std::sync::PoisonError;

use napi::bindgen_prelude::{Env, Float64ArraySlice, Int32ArraySlice, Uint8ArraySlice};
use napi_derive::napi;
use sage_state::KeyTable;
use sage_types::Result;

use crate::guard::{guarded, internal};
use crate::handles::STATES;
use crate::keyed_state::{KeyedState, StateKind};
use crate::keyed_state_exports::{exchange_bytes, with_states};
use crate::memory::{copied_bytes, copied_integers, copied_numbers, integers_beside};
use crate::numbers::millis;
use crate::timer_exports::with_timers;
use crate::window_exports::with_windows;

impl KeyedState {
    fn key_groups(&self) -> u32 {
        self.job.graph().key_groups
    }
}

fn with_slots<T>(handle: u32, body: impl FnOnce(&KeyedState, &mut KeyTable) -> Result<T>) -> Result<T> {
    let state = STATES.get(handle)?;
    let StateKind::Slots(table) = &state.kind else {
        return Err(internal("the handle is not one of slots"));
    };
    // After an error the job is failed, as after a panic.
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    body(&state, &mut table)
}

fn no_state_of_its_own(instead: &str) -> sage_types::SageError {
    internal(format!(
        "the handle has no state that can be saved by itself: use {instead}"
    ))
}

/// The keys of an aggregate, of windows or of slots and what there is of each, as entries of a keyed part. All results and outcomes were
/// taken before.
#[napi]
pub fn state_save(env: &Env, handle: u32) -> napi::Result<Uint8ArraySlice<'_>> {
    guarded("stateSave", || {
        let state = STATES.get(handle)?;
        let key_groups = state.key_groups();
        let entries = match &state.kind {
            StateKind::Aggregate(aggregate) => aggregate.save(key_groups),
            StateKind::Windows(windows) => windows.save(key_groups),
            StateKind::Slots(_) => with_slots(handle, |_, table| table.save(key_groups)),
            StateKind::Timers(_) => Err(no_state_of_its_own("timersAll")),
            StateKind::States(_) => Err(no_state_of_its_own("keyedStateEntries or keyedStateKeys")),
        }?;
        copied_bytes(env, &entries)
    })
}

/// As `stateSave`, of what has changed since the last call of this or of `stateSave`, for a part on top of the one before: keys that have gone
/// come first, and the last entry of a key counts. Null when everything is to be saved: for the first time, because that is hardly more, and of
/// state that does not know.
#[napi]
pub fn state_save_changes(env: &Env, handle: u32) -> napi::Result<Option<Uint8ArraySlice<'_>>> {
    guarded("stateSaveChanges", || {
        let state = STATES.get(handle)?;
        let key_groups = state.key_groups();
        let entries = match &state.kind {
            StateKind::Aggregate(aggregate) => aggregate.save_changes(key_groups),
            StateKind::Windows(windows) => windows.save_changes(key_groups),
            StateKind::Slots(_) | StateKind::Timers(_) | StateKind::States(_) => Ok(None),
        }?;
        entries.map(|entries| copied_bytes(env, &entries)).transpose()
    })
}

/// Takes the entries of `stateSave`, of one instance or several, before anything else comes to the state; of windows behind
/// `stateRestoreOwn`. After an error the state is of no use.
#[napi]
pub fn state_restore(handle: u32, entries: &[u8]) -> napi::Result<()> {
    guarded("stateRestore", || {
        let state = STATES.get(handle)?;
        match &state.kind {
            StateKind::Aggregate(aggregate) => aggregate.with(|aggregate| aggregate.restore(entries)),
            StateKind::Windows(windows) => windows.restore(entries),
            StateKind::Slots(_) => with_slots(handle, |_, table| table.restore(entries).map(|_| ())),
            StateKind::Timers(_) => Err(no_state_of_its_own("timersRegister")),
            StateKind::States(_) => Err(no_state_of_its_own("keyedStateRestore")),
        }
    })
}

/// What belongs to the instance and to no key, for a part of the kind `own`: how far the time of windows has come, and what the state is.
/// Empty where there is nothing.
#[napi]
pub fn state_save_own(env: &Env, handle: u32) -> napi::Result<Uint8ArraySlice<'_>> {
    guarded("stateSaveOwn", || {
        let state = STATES.get(handle)?;
        let own = match &state.kind {
            StateKind::Aggregate(aggregate) => {
                aggregate.with(|aggregate| Ok(aggregate.signature().into_bytes()))
            }
            StateKind::Windows(windows) => windows.save_progress(),
            StateKind::Slots(_) | StateKind::Timers(_) | StateKind::States(_) => Ok(Vec::new()),
        }?;
        copied_bytes(env, &own)
    })
}

/// Takes what `stateSaveOwn` gave in one old instance: once for each of them, before `stateRestore`.
#[napi]
pub fn state_restore_own(handle: u32, bytes: &[u8]) -> napi::Result<()> {
    guarded("stateRestoreOwn", || {
        let state = STATES.get(handle)?;
        match &state.kind {
            StateKind::Aggregate(aggregate) => aggregate.with(|aggregate| aggregate.check_signature(bytes)),
            StateKind::Windows(windows) => windows.restore_progress(bytes),
            StateKind::Slots(_) | StateKind::Timers(_) | StateKind::States(_) if bytes.is_empty() => Ok(()),
            _ => Err(internal("the handle has nothing of its own")),
        }
    })
}

/// The accumulators of windows, key by key, in the order in which they are saved, which is also theirs after a restore. Entries: the key,
/// and `u32` slot, `u32` count, then for each `u32` accumulator, `f64` start, `f64` end.
#[napi]
pub fn windows_accumulators(env: &Env, handle: u32) -> napi::Result<Uint8ArraySlice<'_>> {
    guarded("windowsAccumulators", || {
        let key_groups = STATES.get(handle)?.key_groups();
        let entries = with_windows(handle, |windows| windows.list_accumulators(key_groups))?;
        copied_bytes(env, &entries)
    })
}

/// As `windowsAccumulators`, of the keys that the last `stateSaveChanges` gave, once behind it; entries of keys that have nothing left come first
/// and have no value. Null behind a `stateSave`, or when that gave nothing.
#[napi]
pub fn windows_changed_accumulators(env: &Env, handle: u32) -> napi::Result<Option<Uint8ArraySlice<'_>>> {
    guarded("windowsChangedAccumulators", || {
        let key_groups = STATES.get(handle)?.key_groups();
        let entries = with_windows(handle, |windows| windows.list_changed_accumulators(key_groups))?;
        entries.map(|entries| copied_bytes(env, &entries)).transpose()
    })
}

/// The keys of some slots, in their order: entries whose value is `u32` slot; nothing of slots that have no key.
#[napi]
pub fn slots_keys<'env>(
    env: &'env Env,
    handle: u32,
    slots: Int32ArraySlice<'_>,
) -> napi::Result<Uint8ArraySlice<'env>> {
    guarded("slotsKeys", || {
        let entries = with_slots(handle, |state, table| {
            table.save_slots(state.key_groups(), slots.iter().map(|slot| slot.cast_unsigned()))
        })?;
        copied_bytes(env, &entries)
    })
}

/// Takes the entries of `slotsKeys`, before any other key comes. The slot of each, in their order.
#[napi]
pub fn slots_restore<'env>(
    env: &'env Env,
    handle: u32,
    entries: &[u8],
) -> napi::Result<Int32ArraySlice<'env>> {
    guarded("slotsRestore", || {
        let slots = with_slots(handle, |_, table| table.restore(entries))?;
        let slots: Vec<i32> = slots.into_iter().map(u32::cast_signed).collect();
        copied_integers(env, &slots)
    })
}

/// All timers, in the order in which they become due: time, id and number of registration, one behind the other. Of those of one time the
/// smaller numbers become due first, and a timer keeps its number.
#[napi]
pub fn timers_all(env: &Env, handle: u32) -> napi::Result<Float64ArraySlice<'_>> {
    guarded("timersAll", || {
        let all: Vec<f64> = with_timers(handle, |timers| {
            #[expect(clippy::cast_precision_loss, reason = "2^53 registrations take centuries")]
            let all = timers
                .numbered()
                .flat_map(|(timer, number)| [timer.time_ms, f64::from(timer.id), number as f64]);
            Ok(all.collect())
        })?;
        copied_numbers(env, &all)
    })
}

/// The keys in memory that have a value of a state; with -1 for the state all of them, also those without values. Entries: the key, and
/// `u32` slot, `u64` when the value expires.
#[napi]
pub fn keyed_state_keys(
    env: &Env,
    handle: u32,
    now_ms: f64,
    state: i32,
) -> napi::Result<Uint8ArraySlice<'_>> {
    guarded("keyedStateKeys", || {
        let entries = with_states(handle, |owner, table| {
            let state = (state >= 0).then_some(state);
            table.keys_of(millis(now_ms), state, owner.key_groups())
        })?;
        copied_bytes(env, &entries)
    })
}

/// The values of a state on disk, of all keys of this instance, but for those that have expired. Entries: the key, and `u64` when it
/// expires, then the bytes of the value. The store has all values before: `keyedStateDirty`, `keyedStateStore`.
#[napi]
pub fn keyed_state_entries(
    env: &Env,
    handle: u32,
    now_ms: f64,
    state: i32,
    instance: u32,
    parallelism: u32,
) -> napi::Result<Uint8ArraySlice<'_>> {
    guarded("keyedStateEntries", || {
        let entries = with_states(handle, |_, table| {
            table.entries(millis(now_ms), state, instance, parallelism)
        })?;
        copied_bytes(env, &entries)
    })
}

/// Takes entries as `keyedStateEntries` gives them. On disk they go to the store, before any key comes; in memory each gets a slot, for
/// which JavaScript takes the value. The slot of each, in their order; -1 for those in the store, and for those that have expired.
#[napi]
pub fn keyed_state_restore<'env>(
    env: &'env Env,
    handle: u32,
    now_ms: f64,
    state: i32,
    entries: &[u8],
) -> napi::Result<Int32ArraySlice<'env>> {
    guarded("keyedStateRestore", || {
        let slots = with_states(handle, |_, table| table.restore(millis(now_ms), state, entries))?;
        copied_integers(env, &slots)
    })
}

/// As `keyedStateBegin`, for the keys of entries instead of those of a batch, such as keys that have timers and have to be held.
#[napi]
pub fn keyed_state_begin_keys(
    handle: u32,
    now_ms: f64,
    entries: &[u8],
    mut slots: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("keyedStateBeginKeys", || {
        let slots = integers_beside(&mut slots, entries)?;
        with_states(handle, |_, table| {
            table.begin_keys(millis(now_ms), entries, slots)?;
            exchange_bytes(table)
        })
    })
}
