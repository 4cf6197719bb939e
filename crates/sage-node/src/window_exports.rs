//! Windows, one handle for each windowed operator of a task; `stateDrop` forgets them.

use napi::bindgen_prelude::{Float64ArraySlice, Int32ArraySlice, Uint8ArraySlice};
use napi_derive::napi;
use sage_runtime::{HelpedWindows, WindowOutcome};
use sage_types::Result;
use sage_windows::WindowSpec;

use crate::guard::{guarded, internal};
use crate::handles::{STATES, job};
use crate::keyed_state::{KeyedState, StateKind};
use crate::memory::{writable, writable_counts};
use crate::numbers::small;

const NOTHING: i32 = 0;
const RESULTS: i32 = 1;
const PROGRAM: i32 = 2;
const LATE: i32 = 3;
const DONE: i32 = 4;
const TOO_SMALL: i32 = -2;

pub(crate) fn with_windows<T>(handle: u32, body: impl FnOnce(&HelpedWindows) -> Result<T>) -> Result<T> {
    let state = STATES.get(handle)?;
    let StateKind::Windows(windows) = &state.kind else {
        return Err(internal("the handle is not one of windows"));
    };
    body(windows)
}

/// Windows of a keyed or unkeyed stream: a `WindowSpec` (`docs/internals/windows.md`). With built-in aggregators the core has the
/// accumulators and gives results, else programs say what to do. A thread helps where one may.
#[napi]
pub fn windows_create(job_handle: u32, spec_json: String, may_help: bool) -> napi::Result<u32> {
    guarded("windowsCreate", || {
        let job = job(job_handle)?;
        let spec = WindowSpec::from_json(&spec_json)?;
        let windows = HelpedWindows::new(&spec, std::sync::Arc::clone(job.registry()), may_help)?;
        STATES.insert(KeyedState {
            job,
            kind: StateKind::Windows(Box::new(windows)),
        })
    })
}

/// Gives the rows of a batch, with their times where windows go by event time. How many outcomes there are.
#[napi]
pub fn windows_give(handle: u32, image: &[u8], now_ms: f64) -> napi::Result<i32> {
    guarded("windowsGive", || {
        with_windows(handle, |windows| small(windows.give_batch(image, now_ms)?))
    })
}

/// Event time has come to `watermark`, and the clock shows `now_ms`. How many outcomes there are.
#[napi]
pub fn windows_advance(handle: u32, watermark: f64, now_ms: f64) -> napi::Result<i32> {
    guarded("windowsAdvance", || {
        with_windows(handle, |windows| small(windows.give_time(watermark, now_ms)?))
    })
}

/// No more rows come. How many outcomes there are.
#[napi]
pub fn windows_finish(handle: u32) -> napi::Result<i32> {
    guarded("windowsFinish", || {
        with_windows(handle, |windows| small(windows.give_end()?))
    })
}

/// Takes the oldest outcome of what was given. 0 when there is none: none yet, unless the call `waits`. 1 for the image of a batch of
/// results; 2 for a program: words and, at the next multiple of 8 bytes, numbers of windows; 3 for the rows that were late, as
/// 32-bit integers; 4 when what was given is done, with `counts` = late rows, rows between windows, keys that have something, and when
/// the clock should be told next (infinity when nothing waits for it). -2 when `into` is too small: then it is still there.
/// `desc` = bytes (or bytes needed), words or late rows.
#[napi]
pub fn windows_take(
    handle: u32,
    waits: bool,
    mut into: Uint8ArraySlice<'_>,
    mut desc: Int32ArraySlice<'_>,
    mut counts: Float64ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("windowsTake", || {
        let done = {
            let (into, desc) = writable(&mut into, &mut desc)?;
            let [bytes, items, ..] = desc else {
                return Err(internal("windowsTake needs a descriptor of 2 integers"));
            };
            let mut write = |kind: i32, from: &[u8], count: usize| {
                (*bytes, *items) = (small(from.len())?, small(count)?);
                let Some(place) = into.get_mut(..from.len()) else {
                    return Ok((Err(TOO_SMALL), false));
                };
                place.copy_from_slice(from);
                Ok((Err(kind), true))
            };
            with_windows(handle, |windows| {
                windows.take(waits, |outcome| match outcome {
                    None => Ok((Err(NOTHING), false)),
                    Some(WindowOutcome::Results(image)) => write(RESULTS, image, 0),
                    Some(WindowOutcome::Program { bytes, words }) => write(PROGRAM, bytes, words),
                    Some(WindowOutcome::Late(rows)) => write(LATE, bytemuck::cast_slice(rows), rows.len()),
                    Some(WindowOutcome::Done(counted)) => Ok((Ok(counted), true)),
                })
            })?
        };
        let counted = match done {
            Ok(counted) => counted,
            Err(kind) => return Ok(kind),
        };
        let [late, gaps, keys, next, ..] = writable_counts(&mut counts) else {
            return Err(internal("windowsTake needs 4 counts"));
        };
        (*late, *gaps, *keys) = (
            counted.late_rows as f64,
            counted.gap_rows as f64,
            counted.keys as f64,
        );
        *next = counted.next_processing_ms.unwrap_or(f64::INFINITY);
        Ok(DONE)
    })
}

/// Bytes that windows hold in the core, behind everything that was given. Looks at every key.
#[napi]
pub fn windows_bytes(handle: u32) -> napi::Result<f64> {
    guarded("windowsBytes", || {
        with_windows(handle, |windows| Ok(windows.bytes_used()? as f64))
    })
}
