//! Simulated isolates: what the JavaScript side does, in a few lines of Rust, and the logs that oracles look at.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test may be short"
)]

pub mod connectors;
pub mod graphs;
pub mod plans;
pub mod sim_task;

use std::sync::Arc;

use sage_checkpoint::Files;
use sage_runtime::{CheckpointSettings, ConnectorFactory, ExecutionGraph, JobCore};
use sage_types::{ManualClock, SharedClock};

pub use connectors::TestConnectors;
pub use graphs::{Exchange, Stage, graph};
pub use sim_task::{Record, SimTask};

/// A job over `graph` with a clock that stands still and connectors that must not be used.
pub fn job(graph: ExecutionGraph) -> Arc<JobCore> {
    job_with(
        graph,
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    )
}

/// A job with everything injected, through the encoded graph, as the binding makes it.
pub fn job_with(
    graph: ExecutionGraph,
    clock: SharedClock,
    factory: Arc<dyn ConnectorFactory>,
) -> Arc<JobCore> {
    JobCore::new(&graph.encode(), clock, factory).unwrap()
}

/// The same with checkpoints.
pub fn job_with_checkpoints(
    graph: &ExecutionGraph,
    settings: CheckpointSettings,
    files: Arc<dyn Files>,
    clock: SharedClock,
    factory: Arc<dyn ConnectorFactory>,
) -> sage_types::Result<Arc<JobCore>> {
    JobCore::with_checkpoints(&graph.encode(), Some(settings), files, clock, factory)
}

/// The code of an error that crossed as JSON.
pub fn code_of(error_json: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(error_json).unwrap();
    json["code"].as_str().unwrap().to_owned()
}
