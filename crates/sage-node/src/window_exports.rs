//! Windows, one handle for each windowed operator of a task; `stateDrop` forgets them.

use std::sync::{Mutex, PoisonError};

use napi::bindgen_prelude::{Float64ArraySlice, Int32ArraySlice, Uint8ArraySlice};
use napi_derive::napi;
use sage_types::Result;

use crate::guard::{guarded, internal};
use crate::handles::STATES;
use crate::keyed_state::{KeyedState, StateKind};
use crate::memory::{integers_beside_times, writable, writable_counts, writable_integers, writable_numbers};
use crate::numbers::small;
use crate::state_exports::create;
use crate::window_operator::WindowOperator;

const NOTHING_DUE: i32 = 0;
const GIVEN: i32 = 1;
const TOO_SMALL: i32 = -2;

fn with_windows<T>(
    handle: u32,
    body: impl FnOnce(&KeyedState, &mut WindowOperator) -> Result<T>,
) -> Result<T> {
    let state = STATES.get(handle)?;
    let StateKind::Windows(windows) = &state.kind else {
        return Err(internal("the handle is not one of windows"));
    };
    // An error leaves windows as they were; after a panic the job is failed anyway.
    let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
    body(&state, &mut windows)
}

/// Windows of a keyed or unkeyed stream: a `WindowSpec` (`docs/internals/windows.md`). With built-in aggregators the core has the
/// accumulators and `windowsFire` gives results, else `windowsProgram` says what to do.
#[napi]
pub fn windows_create(job_handle: u32, spec_json: String) -> napi::Result<u32> {
    guarded("windowsCreate", || {
        let windows = WindowOperator::new(&spec_json)?;
        create(job_handle, |_| StateKind::Windows(Box::new(Mutex::new(windows))))
    })
}

/// Adds the rows of a batch from `from_row` on; the row to go on with, once what is due has been taken. `late` = how many rows
/// came too late for all of their windows, and which; it has one place more than there are rows. `times` is ignored
/// for processing time and windows of elements.
#[napi]
pub fn windows_add(
    handle: u32,
    image: &[u8],
    times: Float64ArraySlice<'_>,
    from_row: u32,
    now_ms: f64,
    mut late: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("windowsAdd", || {
        let late = integers_beside_times(&mut late, image, &times)?;
        with_windows(handle, |state, windows| {
            let view = state.view(image)?;
            small(windows.add(&view, &times, from_row as usize, now_ms, late)?)
        })
    })
}

/// Event time has come to `watermark`, and the clock shows `now_ms`. 1 when something is due, else 0.
#[napi]
pub fn windows_advance(handle: u32, watermark: f64, now_ms: f64) -> napi::Result<i32> {
    guarded("windowsAdvance", || {
        with_windows(handle, |_, windows| {
            windows.advance(watermark, now_ms)?;
            Ok(i32::from(windows.has_more()))
        })
    })
}

/// No more rows come. 1 when something is due, else 0.
#[napi]
pub fn windows_finish(handle: u32) -> napi::Result<i32> {
    guarded("windowsFinish", || {
        with_windows(handle, |_, windows| {
            windows.finish();
            Ok(i32::from(windows.has_more()))
        })
    })
}

/// Writes results that are due, at most `max_results`. 0 when nothing is due; 1 when there may be more; -2 when `into` is too
/// small: then they are still there. `desc` = 0, image bytes (or bytes needed), rows, layout.
#[napi]
pub fn windows_fire(
    handle: u32,
    max_results: u32,
    mut into: Uint8ArraySlice<'_>,
    mut desc: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("windowsFire", || {
        let (into, desc) = writable(&mut into, &mut desc)?;
        let [_, bytes, rows, layout, ..] = desc else {
            return Err(internal("windowsFire needs a descriptor of 4 integers"));
        };
        (*bytes, *rows) = (0, 0);
        let mut given = GIVEN;
        with_windows(handle, |state, windows| {
            let has_results = windows.fire(max_results as usize, state.job.registry(), |frame| {
                *rows = small(frame.rows())?;
                *layout = small(frame.layout_id().index())?;
                match frame.write_image(into) {
                    Ok(written) => *bytes = small(written)?,
                    Err(too_small) => {
                        *bytes = small(too_small.needed_bytes)?;
                        given = TOO_SMALL;
                    }
                }
                Ok(given == GIVEN)
            })?;
            Ok(if has_results { given } else { NOTHING_DUE })
        })
    })
}

/// Writes what is to be done with the accumulators of JavaScript, up to `max_results` results. 0 when there is nothing to do; 1
/// when there may be more; -2 when there is no room: then it is still there. `desc` = words and numbers of windows, or
/// how many are needed.
#[napi]
pub fn windows_program(
    handle: u32,
    max_results: u32,
    mut words: Int32ArraySlice<'_>,
    mut windows: Float64ArraySlice<'_>,
    mut desc: Int32ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("windowsProgram", || {
        if desc.len() < 2 {
            return Err(internal("windowsProgram needs a descriptor of 2 integers"));
        }
        let (into_words, into_windows) = writable_numbers(&mut words, &mut windows)?;
        let mut counts = [0, 0];
        let mut given = GIVEN;
        let has_program = with_windows(handle, |_, windows| {
            windows.program(max_results as usize, |program| {
                counts = [small(program.words.len())?, small(program.windows.len())?];
                let place = into_words.get_mut(..program.words.len());
                let windows_place = into_windows.get_mut(..program.windows.len());
                if let (Some(words), Some(windows)) = (place, windows_place) {
                    words.copy_from_slice(&program.words);
                    windows.copy_from_slice(&program.windows);
                } else {
                    given = TOO_SMALL;
                }
                Ok(given == GIVEN)
            })
        })?;
        // Only now: the descriptor may share memory with the others.
        writable_integers(&mut desc)[..2].copy_from_slice(&counts);
        Ok(if has_program { given } else { NOTHING_DUE })
    })
}

/// `out` = late rows, rows between windows, keys that have something, and when the clock should be told next (infinity when
/// nothing waits for it).
#[napi]
pub fn windows_counts(handle: u32, mut out: Float64ArraySlice<'_>) -> napi::Result<()> {
    guarded("windowsCounts", || {
        let [late, gaps, keys, next, ..] = writable_counts(&mut out) else {
            return Err(internal("windowsCounts needs 4 places"));
        };
        with_windows(handle, |_, windows| {
            let counts = windows.counts();
            (*late, *gaps, *keys) = (
                counts.late_rows as f64,
                counts.gap_rows as f64,
                counts.keys as f64,
            );
            *next = counts.next_processing_ms.unwrap_or(f64::INFINITY);
            Ok(())
        })
    })
}

/// Bytes that windows hold in the core. Looks at every key.
#[napi]
pub fn windows_bytes(handle: u32) -> napi::Result<f64> {
    guarded("windowsBytes", || {
        with_windows(handle, |_, windows| Ok(windows.bytes_used() as f64))
    })
}
