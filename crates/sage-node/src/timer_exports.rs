//! Timers, one handle for each clock of an operator of a task; `stateDrop` forgets them.

use std::sync::{Mutex, PoisonError};

use napi::bindgen_prelude::{Float64ArraySlice, Int32ArraySlice};
use napi_derive::napi;
use sage_state::TimerTable;
use sage_types::Result;

use crate::guard::{guarded, internal};
use crate::handles::STATES;
use crate::keyed_state::StateKind;
use crate::memory::{writable_integers, writable_numbers};
use crate::numbers::small;
use crate::state_exports::create;

pub(crate) fn with_timers<T>(handle: u32, body: impl FnOnce(&mut TimerTable) -> Result<T>) -> Result<T> {
    let state = STATES.get(handle)?;
    let StateKind::Timers(timers) = &state.kind else {
        return Err(internal("the handle is not one of timers"));
    };
    // An error leaves timers as they were; after a panic the job is failed anyway.
    let mut timers = timers.lock().unwrap_or_else(PoisonError::into_inner);
    body(&mut timers)
}

/// Pairs of times and ids.
///
/// # Errors
/// `SAGE_INTERNAL` when one list is longer, a time is not a number, or an id is below 0. Nothing has changed then.
fn pairs(times: &[f64], ids: &[i32]) -> Result<Vec<(f64, u32)>> {
    if times.len() != ids.len() {
        return Err(internal("timers have as many times as ids"));
    }
    let pair = |(&time, &id): (&f64, &i32)| {
        let id = u32::try_from(id).map_err(|_| internal("the id of a timer is below 0"))?;
        if time.is_nan() {
            return Err(internal("the time of a timer is not a number"));
        }
        Ok((time, id))
    };
    times.iter().zip(ids).map(pair).collect()
}

/// Timers by time; ids are slots of keys or numbers of accumulators.
#[napi]
pub fn timers_create(job_handle: u32) -> napi::Result<u32> {
    guarded("timersCreate", || {
        create(job_handle, |_| {
            StateKind::Timers(Box::new(Mutex::new(TimerTable::new())))
        })
    })
}

/// Registers timers, in this order; those that are there stay. How many timers there are then.
#[napi]
pub fn timers_register(
    handle: u32,
    times: Float64ArraySlice<'_>,
    ids: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("timersRegister", || {
        let pairs = pairs(&times, &ids)?;
        with_timers(handle, |timers| {
            for (time, id) in pairs {
                timers.register(time, id)?;
            }
            small(timers.len())
        })
    })
}

/// Cancels timers; those that are not there are ignored. How many timers there are then.
#[napi]
pub fn timers_cancel(
    handle: u32,
    times: Float64ArraySlice<'_>,
    ids: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("timersCancel", || {
        let pairs = pairs(&times, &ids)?;
        with_timers(handle, |timers| {
            for (time, id) in pairs {
                timers.cancel(time, id)?;
            }
            small(timers.len())
        })
    })
}

/// Cancels all timers of an id. How many timers there are then.
#[napi]
pub fn timers_cancel_all(handle: u32, id: u32) -> napi::Result<i32> {
    guarded("timersCancelAll", || {
        with_timers(handle, |timers| {
            timers.cancel_all(id);
            small(timers.len())
        })
    })
}

/// Replaces each id by 1 when it has a timer, else by 0. How many timers there are.
#[napi]
pub fn timers_held(handle: u32, mut ids: Int32ArraySlice<'_>) -> napi::Result<i32> {
    guarded("timersHeld", || {
        let ids = writable_integers(&mut ids);
        with_timers(handle, |timers| {
            for id in ids {
                *id = i32::from(u32::try_from(*id).is_ok_and(|id| timers.holds(id)));
            }
            small(timers.len())
        })
    })
}

/// Takes timers that are due, by time and in the order of registration, as many as there is room for; how many.
#[napi]
pub fn timers_due(
    handle: u32,
    up_to_ms: f64,
    mut times: Float64ArraySlice<'_>,
    mut ids: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("timersDue", || {
        let (ids, times) = writable_numbers(&mut ids, &mut times)?;
        with_timers(handle, |timers| {
            let mut taken = 0;
            for (time, id) in times.iter_mut().zip(ids) {
                let Some(due) = timers.pop_due(up_to_ms) else {
                    break;
                };
                *time = due.time_ms;
                *id = due.id.cast_signed();
                taken += 1;
            }
            Ok(taken)
        })
    })
}

/// When the next timer is due; infinity when there is none.
#[napi]
pub fn timers_next(handle: u32) -> napi::Result<f64> {
    guarded("timersNext", || {
        with_timers(handle, |timers| Ok(timers.next_ms().unwrap_or(f64::INFINITY)))
    })
}
