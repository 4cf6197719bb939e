//! The N-API binding: converts and nothing else.
//!
//! Free functions over integer handles, called once a batch; no classes, no objects. Every export runs in the net of
//! [`guard::guarded`]: an error is thrown as an `Error` whose message is `SageError::to_json()`, a panic as `SAGE_INTERNAL`.
//! The addon is loaded once per process: all of its isolates (main and worker threads) share the handle tables.

#![allow(
    clippy::needless_pass_by_value,
    reason = "the N-API hands arguments over by value"
)]

mod checkpoint_exports;
mod connector_exports;
mod dispatch_exports;
mod environment;
mod guard;
mod handles;
mod job_exports;
mod key_group_exports;
mod keyed_state;
mod keyed_state_exports;
mod layout_exports;
mod memory;
mod numbers;
mod saved_state_exports;
mod state_exports;
mod timer_exports;
mod window_exports;
