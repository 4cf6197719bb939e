//! The hot path: what an isolate's loop calls once a batch.

use std::time::Duration;

use napi::bindgen_prelude::{Env, Function, Int32ArraySlice, Uint8ArraySlice};
use napi::threadsafe_function::UnknownReturnValue;
use napi_derive::napi;
use sage_frame::BatchView;
use sage_runtime::{Arrival, EndKind, GateTime, Isolate, Next, Take};
use sage_types::{Result, TaskId};

use crate::checkpoint_exports::number_of;
use crate::environment;
use crate::guard::{guarded, internal};
use crate::handles::{ISOLATES, job};
use crate::memory::writable;
use crate::numbers::small;

const NO_TASK: i32 = -1;
const OVER: i32 = -2;

const NOTHING: i32 = 0;
const BATCH: i32 = 1;
const SOURCE: i32 = 2;
const END_DRAINED: i32 = 3;
const END_STOPPED: i32 = 4;
const TOO_SMALL: i32 = 5;
const TIME: i32 = 6;
const FLUSH: i32 = 7;
const BARRIER: i32 = 8;

/// Longest wait within one poll, whatever the caller asks for: the event loop has to turn.
const MAX_WAIT_MS: f64 = 50.0;

/// Makes the calling environment the isolate that runs the graph's tasks with this index. `wake` is called once per empty
/// to non-empty edge after a poll gave nothing; it does not keep the process alive.
#[napi(ts_args_type = "job: number, isolate: number, wake?: () => void")]
pub fn attach_isolate(
    env: Env,
    job_handle: u32,
    isolate_index: u32,
    wake: Option<Function<'_, (), UnknownReturnValue>>,
) -> napi::Result<u32> {
    guarded("attachIsolate", || {
        let hook = wake.as_ref().map(environment::wake_hook).transpose()?;
        let isolate = ISOLATES.insert(job(job_handle)?.attach(isolate_index, hook)?)?;
        environment::detach_with_environment(env, isolate)?;
        Ok(isolate)
    })
}

/// Gives the isolate up. Its unfinished tasks stay; the host decides what that means for the job.
#[napi]
pub fn detach_isolate(isolate: u32) -> napi::Result<()> {
    guarded("detachIsolate", || {
        environment::forget_isolate(isolate);
        if let Some(isolate) = ISOLATES.remove(isolate) {
            isolate.detach();
        }
        Ok(())
    })
}

/// Gives back `released_task` (-1: none) and takes the next ready task. -1: none within `wait_ms` (at most 50 ms a call);
/// -2: the isolate has nothing to do any more.
#[napi]
pub fn poll(isolate: u32, released_task: i32, wait_ms: f64) -> napi::Result<i32> {
    guarded("poll", || {
        // A handle that is gone (the job was dropped, the environment goes) is the end of a loop, not an error.
        let Some(isolate) = ISOLATES.find(isolate) else {
            return Ok(OVER);
        };
        let released = u32::try_from(released_task).ok().map(TaskId);
        // What is no number is no wait.
        let wait_ms = if wait_ms > 0.0 {
            wait_ms.min(MAX_WAIT_MS)
        } else {
            0.0
        };
        let wait = Duration::from_secs_f64(wait_ms / 1e3);
        Ok(match isolate.poll(released, wait)? {
            Next::Task(task) => small(task.index())?,
            Next::Idle => NO_TASK,
            Next::Over => OVER,
        })
    })
}

/// What the task is to do next: 0 nothing, 1 a batch (its image is in `into`; `desc` = gate, image bytes, rows, layout), 2 produce
/// (a source), 3 input has ended (drained), 4 input has ended (stopped), 5 `into` is too small (`desc[1]` = bytes needed; nothing was
/// taken), 6 event time (`desc` = gate, 1 when the gate is idle, and the watermark as a float64 at byte 8), 7 give what the
/// task holds back: its loop has come to rest, 8 a barrier (`desc[0]` = 1 when the task stops behind it; its epoch as a float64 at
/// byte 8): nothing more comes before `checkpointAcknowledge`.
#[napi]
pub fn take(
    isolate: u32,
    task: u32,
    mut desc: Int32ArraySlice<'_>,
    mut into: Uint8ArraySlice<'_>,
) -> napi::Result<i32> {
    guarded("take", || {
        let (into, desc) = writable(&mut into, &mut desc)?;
        let isolate = ISOLATES.get(isolate)?;
        match isolate.take(TaskId(task))? {
            Take::Nothing => Ok(NOTHING),
            Take::Source => Ok(SOURCE),
            Take::Flush => Ok(FLUSH),
            Take::End(EndKind::Drained) => Ok(END_DRAINED),
            Take::End(EndKind::Stopped) => Ok(END_STOPPED),
            Take::Time(time) => tell_time(time, desc),
            Take::Barrier { epoch, last } => tell_barrier(epoch, last, desc),
            Take::Batch(arrival) => hand_over(&isolate, TaskId(task), arrival, desc, into),
        }
    })
}

/// Sends a batch image on an output; 1 while there is credit on all channels of all outputs, else 0.
#[napi]
pub fn emit(isolate: u32, task: u32, output: u32, image: &[u8]) -> napi::Result<i32> {
    guarded("emit", || {
        let isolate = ISOLATES.get(isolate)?;
        let batch = BatchView::from_image(image, isolate.job().registry())?;
        Ok(i32::from(isolate.emit(TaskId(task), output, &batch)?))
    })
}

/// Says on an output that all records before `watermark` (epoch milliseconds) have been sent, and whether none come for now.
#[napi]
pub fn emit_time(isolate: u32, task: u32, output: u32, watermark: f64, idle: bool) -> napi::Result<()> {
    guarded("emitTime", || {
        ISOLATES
            .get(isolate)?
            .emit_time(TaskId(task), output, watermark, idle)
    })
}

/// 1 while there is credit on all channels of all outputs of the task, else 0.
#[napi]
pub fn has_credit(isolate: u32, task: u32) -> napi::Result<i32> {
    guarded("hasCredit", || {
        Ok(i32::from(ISOLATES.get(isolate)?.has_credit(TaskId(task))?))
    })
}

/// Says whether the task holds work of its own: while it does, it is handed out whenever there is credit.
#[napi]
pub fn keep_task(isolate: u32, task: u32, keeps: bool) -> napi::Result<()> {
    guarded("keepTask", || {
        ISOLATES.get(isolate)?.keep_task(TaskId(task), keeps)
    })
}

/// A task of a loop has nothing left of what it took.
#[napi]
pub fn settle_task(isolate: u32, task: u32) -> napi::Result<()> {
    guarded("settleTask", || ISOLATES.get(isolate)?.settle_task(TaskId(task)))
}

/// The task has emitted everything.
#[napi]
pub fn finish_task(isolate: u32, task: u32) -> napi::Result<()> {
    guarded("finishTask", || ISOLATES.get(isolate)?.finish_task(TaskId(task)))
}

/// Gives a task back without asking for the next one.
#[napi]
pub fn release(isolate: u32, task: u32) -> napi::Result<()> {
    guarded("release", || ISOLATES.get(isolate)?.release(TaskId(task)))
}

/// Replaces the host's own counters of a task.
#[napi]
pub fn report_counts(isolate: u32, task: u32, counts: &[f64]) -> napi::Result<()> {
    guarded("reportCounts", || {
        ISOLATES.get(isolate)?.report_counts(TaskId(task), counts)
    })
}

fn tell_time(time: GateTime, desc: &mut [i32]) -> Result<i32> {
    let [gate, idle, first, second, ..] = desc else {
        return Err(internal("take needs a descriptor of 4 integers"));
    };
    *gate = small(time.gate as usize)?;
    *idle = i32::from(time.idle);
    [*first, *second] = bytemuck::cast(time.watermark);
    Ok(TIME)
}

fn tell_barrier(epoch: u64, last: bool, desc: &mut [i32]) -> Result<i32> {
    let [is_last, _, first, second, ..] = desc else {
        return Err(internal("take needs a descriptor of 4 integers"));
    };
    *is_last = i32::from(last);
    [*first, *second] = bytemuck::cast(number_of(epoch));
    Ok(BARRIER)
}

fn hand_over(
    isolate: &Isolate,
    task: TaskId,
    arrival: Arrival,
    desc: &mut [i32],
    into: &mut [u8],
) -> Result<i32> {
    let [gate, bytes, rows, layout, ..] = desc else {
        isolate.put_back(task, arrival)?;
        return Err(internal("take needs a descriptor of 4 integers"));
    };
    match arrival.frame.write_image(into) {
        Ok(written) => {
            *gate = small(arrival.gate as usize)?;
            *bytes = small(written)?;
            *rows = small(arrival.frame.rows())?;
            *layout = small(arrival.frame.layout_id().index())?;
            Ok(BATCH)
        }
        Err(too_small) => {
            *bytes = small(too_small.needed_bytes)?;
            isolate.put_back(task, arrival)?;
            Ok(TOO_SMALL)
        }
    }
}
