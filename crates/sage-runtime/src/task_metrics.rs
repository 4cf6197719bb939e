//! What one task has done, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use sage_queue::sync::Mutex;

/// What a task does with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing to do.
    Idle,
    /// Handed out to its isolate, or its native thread works.
    Busy,
    /// There is no credit on an output.
    Backpressured,
}

#[derive(Debug)]
struct Times {
    activity: Activity,
    since_nanos: u64,
    spent_nanos: [u64; 3],
}

/// Time per activity, in nanoseconds of the job's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeSplit {
    /// Waiting for input.
    pub idle_nanos: u64,
    /// Working. A task that an isolate keeps while a promise is pending counts as busy.
    pub busy_nanos: u64,
    /// Waiting for credit.
    pub backpressured_nanos: u64,
}

/// Counters of one task. Written by the thread that runs the task, read by any.
#[derive(Debug)]
pub(crate) struct TaskMetrics {
    pub(crate) records_in: AtomicU64,
    pub(crate) batches_in: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) records_out: AtomicU64,
    pub(crate) records_skipped: AtomicU64,
    pub(crate) batches_out: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    times: Mutex<Times>,
    /// The host's own counters, in an order that the host knows.
    reported: Mutex<Vec<f64>>,
}

impl TaskMetrics {
    pub(crate) fn new(now_nanos: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            records_in: zero(),
            batches_in: zero(),
            bytes_in: zero(),
            records_out: zero(),
            records_skipped: zero(),
            batches_out: zero(),
            bytes_out: zero(),
            times: Mutex::new(Times {
                activity: Activity::Idle,
                since_nanos: now_nanos,
                spent_nanos: [0; 3],
            }),
            reported: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn received(&self, rows: u64, bytes: u64) {
        self.records_in.fetch_add(rows, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        self.batches_in.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes back what [`TaskMetrics::received`] counted.
    pub(crate) fn unreceived(&self, rows: u64, bytes: u64) {
        self.records_in.fetch_sub(rows, Ordering::Relaxed);
        self.bytes_in.fetch_sub(bytes, Ordering::Relaxed);
        self.batches_in.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, rows: u64, bytes: u64) {
        self.records_out.fetch_add(rows, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
        self.batches_out.fetch_add(1, Ordering::Relaxed);
    }

    /// A native source has left out this many records so far.
    pub(crate) fn skipped(&self, records: u64) {
        self.records_skipped.store(records, Ordering::Relaxed);
    }

    /// From now on the task does this.
    pub(crate) fn switch(&self, activity: Activity, now_nanos: u64) {
        let mut times = self.times.lock();
        let spent = now_nanos.saturating_sub(times.since_nanos);
        let current = times.activity as usize;
        times.spent_nanos[current] += spent;
        times.since_nanos = now_nanos;
        times.activity = activity;
    }

    /// Time spent so far, with the current activity counted up to now.
    pub(crate) fn time_split(&self, now_nanos: u64) -> TimeSplit {
        let times = self.times.lock();
        let mut spent = times.spent_nanos;
        spent[times.activity as usize] += now_nanos.saturating_sub(times.since_nanos);
        TimeSplit {
            idle_nanos: spent[0],
            busy_nanos: spent[1],
            backpressured_nanos: spent[2],
        }
    }

    pub(crate) fn report(&self, counts: &[f64]) {
        let mut reported = self.reported.lock();
        reported.clear();
        reported.extend_from_slice(counts);
    }

    pub(crate) fn reported(&self) -> Vec<f64> {
        self.reported.lock().clone()
    }
}
