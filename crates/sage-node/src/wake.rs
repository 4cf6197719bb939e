//! Calls from the core into JavaScript: wake-ups and events.

use std::cell::RefCell;
use std::sync::Arc;

use napi::bindgen_prelude::{Env, Function};
use napi::threadsafe_function::{ThreadsafeFunctionCallMode, UnknownReturnValue};
use sage_runtime::{JobListener, WakeHook};
use sage_types::Result;

use crate::guard::from_napi;
use crate::handles::ISOLATES;

thread_local! {
    /// What this thread's environment has attached; `None` until its clean-up hook is registered.
    static ATTACHED: RefCell<Option<Vec<u32>>> = const { RefCell::new(None) };
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
    let registered = ATTACHED.with_borrow_mut(|attached| {
        let registered = attached.is_some();
        attached.get_or_insert_default().push(isolate);
        registered
    });
    if !registered {
        env.add_env_cleanup_hook((), |()| detach_all())
            .map_err(|error| from_napi(&error))?;
    }
    Ok(())
}

/// The isolate was detached by hand.
pub(crate) fn forget(isolate: u32) {
    ATTACHED.with_borrow_mut(|attached| {
        if let Some(list) = attached {
            list.retain(|&other| other != isolate);
        }
    });
}

fn detach_all() {
    let attached = ATTACHED.with_borrow_mut(Option::take).unwrap_or_default();
    for handle in attached {
        if let Some(isolate) = ISOLATES.remove(handle) {
            isolate.detach();
        }
    }
}
