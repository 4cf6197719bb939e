//! The environment that calls: what the core calls in it, and what it holds of the core until it goes.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Env, Function};
use napi::threadsafe_function::{ThreadsafeFunctionCallMode, UnknownReturnValue};
use sage_runtime::{JobCore, JobListener, WakeHook};
use sage_types::Result;

use crate::guard::from_napi;
use crate::handles::{ISOLATES, JOBS, STATES};

/// Longest time that the end of an environment waits until the native threads of its jobs are gone.
const TEARDOWN_WAIT: Duration = Duration::from_secs(2);

/// What this thread's environment holds of the core.
#[derive(Default)]
struct Held {
    isolates: Vec<u32>,
    jobs: Vec<u32>,
}

thread_local! {
    /// `None` until the environment's clean-up hook is registered.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// A hook that calls `wake` on its own event loop. It does not keep the process alive, and after the environment has gone
/// it does nothing.
pub(crate) fn wake_hook(wake: &Function<'_, (), UnknownReturnValue>) -> Result<WakeHook> {
    let builder = wake.build_threadsafe_function::<()>().weak::<true>();
    let function = builder.build().map_err(|error| from_napi(&error))?;
    Ok(Arc::new(move || {
        // `Closing` when the environment is going: there is nobody to wake.
        let _status = function.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }))
}

/// A listener that calls `callback` with the event's JSON; otherwise as [`wake_hook`].
pub(crate) fn job_listener(callback: &Function<'_, String, UnknownReturnValue>) -> Result<JobListener> {
    let builder = callback.build_threadsafe_function::<String>().weak::<true>();
    let function = builder.build().map_err(|error| from_napi(&error))?;
    Ok(Arc::new(move |event| {
        let _status = function.call(event.to_json(), ThreadsafeFunctionCallMode::NonBlocking);
    }))
}

/// Has the isolate detached when the environment goes, however it goes.
pub(crate) fn detach_with_environment(env: Env, isolate: u32) -> Result<()> {
    hold(env, |held| held.isolates.push(isolate))
}

/// Has the job cancelled when the environment that made it goes: nobody could control it any more.
pub(crate) fn cancel_with_environment(env: Env, job: u32) -> Result<()> {
    hold(env, |held| held.jobs.push(job))
}

/// The isolate was detached by hand.
pub(crate) fn forget_isolate(isolate: u32) {
    HELD.with_borrow_mut(|held| {
        if let Some(held) = held {
            held.isolates.retain(|&other| other != isolate);
        }
    });
}

/// The job was dropped by hand.
pub(crate) fn forget_job(job: u32) {
    HELD.with_borrow_mut(|held| {
        if let Some(held) = held {
            held.jobs.retain(|&other| other != job);
        }
    });
}

fn hold(env: Env, add: impl FnOnce(&mut Held)) -> Result<()> {
    let registered = HELD.with_borrow_mut(|held| {
        let registered = held.is_some();
        add(held.get_or_insert_default());
        registered
    });
    if !registered {
        env.add_env_cleanup_hook((), |()| let_go_of_all())
            .map_err(|error| from_napi(&error))?;
    }
    Ok(())
}

fn let_go_of_all() {
    // A panic must not leave the hook: there is no JavaScript any more that could be told.
    let _told_nobody = sage_runtime::net::catch("environment teardown", || {
        let held = HELD.with_borrow_mut(Option::take).unwrap_or_default();
        for handle in held.isolates {
            if let Some(isolate) = ISOLATES.remove(handle) {
                isolate.detach();
            }
        }
        let jobs: Vec<Arc<JobCore>> = held.jobs.into_iter().filter_map(drop_job).collect();
        let started = Instant::now();
        for job in jobs {
            job.wait_settled(TEARDOWN_WAIT.saturating_sub(started.elapsed()));
        }
        Ok(())
    });
}

/// Forgets a job with all of its isolates and keyed state; cancels it when it is still at work.
pub(crate) fn drop_job(handle: u32) -> Option<Arc<JobCore>> {
    let job = JOBS.remove(handle)?;
    job.cancel();
    job.on_event(None);
    job.close_state_store();
    STATES.remove_where(|state| Arc::ptr_eq(&state.job, &job));
    ISOLATES.remove_where(|isolate| {
        let belongs = Arc::ptr_eq(isolate.job(), &job);
        if belongs {
            isolate.detach();
        }
        belongs
    });
    Some(job)
}
