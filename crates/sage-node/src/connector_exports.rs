//! Questions about connectors, before a job exists.

use napi_derive::napi;
use serde_json::json;

use crate::guard::guarded;

/// Fails early when a source cannot be read: a malformed spec, a missing file, a directory ... Otherwise `{}`.
#[napi]
pub fn probe_source(spec_json: String) -> napi::Result<String> {
    guarded("probeSource", || {
        sage_connectors::probe(&spec_json).map(|()| "{}".to_owned())
    })
}

/// How the source can be divided: `{"bytes","rowGroups","maxSplits","instances"}`, where `instances` is how many of
/// `parallelism` are worth their start.
#[napi]
pub fn plan_splits(spec_json: String, parallelism: u32) -> napi::Result<String> {
    guarded("planSplits", || {
        let plan = sage_connectors::plan_splits(&spec_json)?;
        let instances = u64::from(parallelism).min(plan.max_splits).max(1);
        let json = json!({
            "bytes": plan.bytes,
            "rowGroups": plan.row_groups,
            "maxSplits": plan.max_splits,
            "instances": instances,
        });
        Ok(json.to_string())
    })
}
