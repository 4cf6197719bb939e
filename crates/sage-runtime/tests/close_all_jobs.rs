//! What happens when the process is about to exit. (A file of its own: it closes every job of its process.)

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::sync::Arc;

use sage_runtime::{JobState, Partition, close_all_jobs};
use sage_types::SystemClock;
use support::{Exchange, Stage, TestConnectors, graph, job_with};

#[test]
fn all_jobs_are_cancelled_and_their_sinks_have_aborted() {
    let connectors = Arc::new(TestConnectors::default());
    let start = || {
        let stages = [Stage::native_source("endless", 1), Stage::native_sink("ok", 1)];
        let graph = graph(&stages, &[Exchange::new(0, 1, Partition::Forward)]);
        job_with(graph, Arc::new(SystemClock::new()), Arc::clone(&connectors) as _)
    };
    let jobs = [start(), start()];
    let at_work = close_all_jobs();
    assert_eq!(at_work, 2);
    for job in jobs {
        assert_eq!(job.state(), JobState::Canceled);
        assert!(job.is_settled());
    }
    assert!(
        connectors
            .logs()
            .iter()
            .all(|sink| sink.aborted && !sink.committed)
    );
    assert_eq!(close_all_jobs(), 0);
}
