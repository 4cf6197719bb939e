//! Questions about connectors, before a job exists.

use napi_derive::napi;

use crate::guard::{guarded, internal};

/// Fails early when a source cannot be read (a file that is missing, a directory ...); otherwise what is known of it, as JSON.
#[napi]
pub fn probe_source(spec_json: String) -> napi::Result<String> {
    guarded("probeSource", || {
        sage_connectors::probe(&spec_json).map(|()| "{}".to_owned())
    })
}

/// How the source can be split over `parallelism` instances, as JSON.
#[napi]
pub fn plan_splits(spec_json: String, _parallelism: u32) -> napi::Result<String> {
    guarded("planSplits", || {
        let plan = sage_connectors::plan_splits(&spec_json)?;
        serde_json::to_string(&plan).map_err(|cause| internal("a split plan is not JSON").caused_by(cause))
    })
}
