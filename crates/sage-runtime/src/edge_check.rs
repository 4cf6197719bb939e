//! The last check of a job that went well.

use std::sync::Arc;

use sage_types::{ErrorCode, Result, SageError};

use crate::edge::Edge;
use crate::graph::EdgePlan;

/// Each edge has given out exactly what it was given.
///
/// # Errors
/// `SAGE_JOB_COUNTS` that names the first edge for which this is not so.
pub(crate) fn check_counts(plans: &[EdgePlan], edges: &[Arc<dyn Edge>]) -> Result<()> {
    for (plan, edge) in plans.iter().zip(edges) {
        let counts = edge.counts();
        let sent = (counts.sent_rows, counts.sent_batches, counts.sent_bytes);
        let received = (
            counts.received_rows,
            counts.received_batches,
            counts.received_bytes,
        );
        if sent != received {
            let message = format!(
                "edge {} (task {} to task {}): {} records in {} batches were sent, {} in {} received",
                plan.id,
                plan.from_task,
                plan.to_task,
                counts.sent_rows,
                counts.sent_batches,
                counts.received_rows,
                counts.received_batches
            );
            return Err(SageError::new(ErrorCode::JobCounts, message).with("edge", plan.id.0));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sage_frame::Frame;
    use sage_queue::{ChannelCounts, EndKind, Peek, Pop};
    use sage_types::{EdgeId, TaskId};

    use super::*;
    use crate::edge::{Pushed, SplitFrame};
    use crate::graph::Partition;

    /// An edge that says what it likes.
    struct Says(ChannelCounts);

    impl Edge for Says {
        fn push(&self, _: Frame) -> Pushed {
            Pushed::Closed
        }
        fn end(&self, _: EndKind) {}
        fn try_pop(&self) -> Pop<Frame> {
            Pop::Closed
        }
        fn try_pop_part(&self, _: u64, _: SplitFrame<'_>) -> Pop<Frame> {
            Pop::Closed
        }
        fn take_back(&self, _: u64, _: SplitFrame<'_>) -> Vec<Frame> {
            Vec::new()
        }
        fn adopt(&self, _: Frame) -> Pushed {
            Pushed::Closed
        }
        fn peek(&self) -> Peek {
            Peek::Closed
        }
        fn has_credit(&self) -> bool {
            false
        }
        fn close(&self) {}
        fn counts(&self) -> ChannelCounts {
            self.0
        }
        fn len_rows(&self) -> u64 {
            0
        }
        fn len_bytes(&self) -> u64 {
            0
        }
    }

    fn check(sent_rows: u64, received_rows: u64) -> Result<()> {
        let plan = EdgePlan {
            id: EdgeId(0),
            from_task: TaskId(4),
            from_output: 0,
            to_task: TaskId(5),
            to_gate: 0,
            partition: Partition::Forward,
            max_rows: 1,
            max_bytes: 1,
            feedback: None,
            timeless: false,
        };
        let counts = ChannelCounts {
            sent_rows,
            received_rows,
            ..ChannelCounts::default()
        };
        check_counts(&[plan], &[Arc::new(Says(counts)) as Arc<dyn Edge>])
    }

    #[test]
    fn an_edge_that_lost_or_doubled_records_is_named() {
        assert!(check(7, 7).is_ok());
        for (sent, received) in [(7, 6), (7, 8)] {
            let error = check(sent, received).unwrap_err();
            assert_eq!(error.code, ErrorCode::JobCounts);
            assert!(
                error.message.contains("edge 0 (task 4 to task 5)"),
                "{}",
                error.message
            );
        }
    }
}
