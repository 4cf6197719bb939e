//! The metrics of a job, as JSON.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::graph::TaskKind;
use crate::job_core::JobCore;
use crate::status::{SinkCommit, SourceRead, Wakefulness};
use crate::task::Task;
use crate::task_metrics::TimeSplit;

/// A snapshot of everything that is counted; JSON by serde, field names in camelCase.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobMetrics {
    /// State word.
    pub state: &'static str,
    /// From the start to now, or to the end; nanoseconds of the job's clock; 0 before the start.
    pub duration_nanos: u64,
    /// By task id.
    pub tasks: Vec<TaskCounts>,
    /// By edge id.
    pub edges: Vec<EdgeCounts>,
    /// What each native source had read at its end.
    pub sources: Vec<SourceCounts>,
    /// What each native sink said when it committed.
    pub sinks: Vec<SinkCounts>,
    /// Of a job with checkpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<CheckpointCounts>,
}

/// What became of the epochs so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointCounts {
    /// The epoch that the job went on from.
    pub restored: Option<u64>,
    /// The one under way.
    pub in_flight: Option<u64>,
    /// Epochs that are durable.
    pub completed: u64,
    /// Epochs that could not be written.
    pub failed: u64,
    /// The newest that is durable; 0 for none.
    pub last_epoch: u64,
    /// Bytes of its file.
    pub last_bytes: u64,
    /// From its beginning until it was durable, in nanoseconds.
    pub last_duration_nanos: u64,
    /// The longest time that a task waited for barriers, from its first to its last, in nanoseconds.
    pub last_alignment_nanos: u64,
}

/// The counters of one task.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskCounts {
    /// Task id.
    pub task: u32,
    /// Stage id.
    pub stage: u32,
    /// Stage name.
    pub name: String,
    /// Instance of the stage.
    pub instance: u32,
    /// -1 for a native thread.
    pub isolate: i64,
    /// Whether it takes records; a dormant task does when its isolate has come.
    pub awake: bool,
    /// Whether all of its work is done.
    pub finished: bool,
    /// Records taken from its input edges.
    pub records_in: u64,
    /// Batches taken.
    pub batches_in: u64,
    /// Bytes taken.
    pub bytes_in: u64,
    /// Records emitted: once per output, however many targets got them. A native source counts each record once, also
    /// with several outputs.
    pub records_out: u64,
    /// Records that a native source left out because they could not be read.
    pub records_skipped: u64,
    /// Batches emitted.
    pub batches_out: u64,
    /// Bytes emitted.
    pub bytes_out: u64,
    /// Time without anything to do.
    pub idle_nanos: u64,
    /// Time at work.
    pub busy_nanos: u64,
    /// Time without credit.
    pub backpressured_nanos: u64,
    /// What the host reported last, in its own order.
    pub reported: Vec<f64>,
}

/// The counters of one physical edge.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EdgeCounts {
    /// Edge id.
    pub edge: u32,
    /// Producer.
    pub from_task: u32,
    /// Consumer.
    pub to_task: u32,
    /// Records pushed.
    pub sent: u64,
    /// Records popped.
    pub received: u64,
    /// Frames pushed.
    pub sent_batches: u64,
    /// Frames popped.
    pub received_batches: u64,
    /// Bytes pushed.
    pub sent_bytes: u64,
    /// Records in flight.
    pub queued: u64,
    /// Bytes in flight.
    pub queued_bytes: u64,
    /// Of a loop: records that were dropped because it had been ended.
    pub dropped: u64,
    /// Of a loop: records that were on disk on their way.
    pub spilled: u64,
    /// Of a loop: bytes on disk now.
    pub disk_bytes: u64,
}

/// What a native source had read at its end.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceCounts {
    /// Task id.
    pub task: u32,
    /// Records delivered.
    pub records: u64,
    /// Lines without a record.
    pub empty_lines: u64,
    /// Lines in which malformed UTF-8 was replaced.
    pub replaced_lines: u64,
}

/// What a native sink has committed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkCounts {
    /// Task id.
    pub task: u32,
    /// The connector's report.
    pub report: serde_json::Value,
}

impl JobCore {
    /// A snapshot; each counter is exact, they are read one after the other.
    #[must_use]
    pub fn metrics(&self) -> JobMetrics {
        let now = self.now_nanos();
        let (state, started, ended, wakefulness, sources, sinks) = self.with_status(|status| {
            let sources = status.reads.iter().map(source_counts).collect();
            let sinks = status.commits.iter().map(sink_counts).collect();
            (
                status.state,
                status.started_nanos,
                status.ended_nanos,
                status.wakefulness.clone(),
                sources,
                sinks,
            )
        });
        let until = ended.unwrap_or(now);
        JobMetrics {
            state: state.as_str(),
            duration_nanos: started.map_or(0, |started| until.saturating_sub(started)),
            tasks: std::iter::zip(&self.tasks, wakefulness)
                .map(|(task, state)| task_counts(task, state == Wakefulness::Awake, until))
                .collect(),
            edges: self.edge_counts(),
            sources,
            sinks,
            checkpoints: self.checkpoint_counts(),
        }
    }

    fn checkpoint_counts(&self) -> Option<CheckpointCounts> {
        let checkpoints = self.checkpoints.as_ref().filter(|own| !own.savepoints_only)?;
        let (counts, in_flight) = checkpoints.epochs.counts();
        Some(CheckpointCounts {
            restored: self.restored_epoch(),
            in_flight,
            completed: counts.completed,
            failed: counts.failed,
            last_epoch: counts.last_epoch,
            last_bytes: counts.last_bytes,
            last_duration_nanos: counts.last_duration_nanos,
            last_alignment_nanos: counts.last_alignment_nanos,
        })
    }

    fn edge_counts(&self) -> Vec<EdgeCounts> {
        let counts = self.graph.edges.iter().zip(&self.edges).map(|(plan, edge)| {
            let counts = edge.counts();
            let of_loop = edge.loop_counts();
            EdgeCounts {
                edge: plan.id.0,
                from_task: plan.from_task.0,
                to_task: plan.to_task.0,
                sent: counts.sent_rows,
                received: counts.received_rows,
                sent_batches: counts.sent_batches,
                received_batches: counts.received_batches,
                sent_bytes: counts.sent_bytes,
                queued: edge.len_rows(),
                queued_bytes: edge.len_bytes(),
                dropped: of_loop.dropped_rows,
                spilled: of_loop.spilled_rows,
                disk_bytes: of_loop.disk_bytes,
            }
        });
        counts.collect()
    }
}

fn source_counts(read: &SourceRead) -> SourceCounts {
    let statistics = read.statistics;
    SourceCounts {
        task: read.task.0,
        records: statistics.records,
        empty_lines: statistics.empty_lines,
        replaced_lines: statistics.replaced_lines,
    }
}

fn sink_counts(commit: &SinkCommit) -> SinkCounts {
    SinkCounts {
        task: commit.task.0,
        report: commit.report.clone(),
    }
}

fn task_counts(task: &Task, awake: bool, now_nanos: u64) -> TaskCounts {
    let metrics = &task.metrics;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let TimeSplit {
        idle_nanos,
        busy_nanos,
        backpressured_nanos,
    } = metrics.time_split(now_nanos);
    TaskCounts {
        task: task.plan.id.0,
        stage: task.plan.stage.0,
        name: task.plan.name.clone(),
        instance: task.plan.instance,
        isolate: match task.plan.kind {
            TaskKind::JsTask { isolate } => i64::from(isolate),
            TaskKind::NativeSource { .. }
            | TaskKind::NativeSink { .. }
            | TaskKind::NativeAggregate { .. } => -1,
        },
        awake,
        finished: task.is_finished(),
        records_in: read(&metrics.records_in),
        batches_in: read(&metrics.batches_in),
        bytes_in: read(&metrics.bytes_in),
        records_out: read(&metrics.records_out),
        records_skipped: read(&metrics.records_skipped),
        batches_out: read(&metrics.batches_out),
        bytes_out: read(&metrics.bytes_out),
        idle_nanos,
        busy_nanos,
        backpressured_nanos,
        reported: metrics.reported(),
    }
}
