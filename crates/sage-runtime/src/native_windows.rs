//! Windows with a thread of their own: records with event times come keyed from native sources, results go on as records, without any
//! JavaScript.

use sage_checkpoint::{PartKind, TaskImage};
use sage_expressions::{NativeChain, ResultRecords};
use sage_frame::FrameMeta;
use sage_queue::{EndKind, MAX_SLICE, Parker};
use sage_types::{ErrorCode, Result, SageError};
use sage_windows::{NativeWindows, WindowSpec};
use serde_json::Value as Json;

use crate::gate_times::GateTime;
use crate::inputs::{Arrival, Found};
use crate::job_core::JobCore;
use crate::native_parts::{HandedOver, PROGRESS, WATERMARK, WINDOWS, push_keys, push_part};
use crate::native_task::{chain_of, say, send_through};
use crate::task::Task;
use crate::task_barrier::Barrier;
use crate::task_metrics::Activity;

/// Rows of a batch of results.
const RESULT_ROWS: usize = 1024;

/// What the task of windows is, as TypeScript says it; none for another aggregate.
pub(crate) fn windows_of(spec: &str) -> Option<Json> {
    let json: Json = serde_json::from_str(spec).ok()?;
    json["windows"].is_object().then_some(json)
}

fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatGraph, format!("malformed windows: {why}"))
}

struct WindowTask<'a> {
    job: &'a JobCore,
    task: &'a Task,
    parker: &'a Parker,
    chain: NativeChain,
    windows: NativeWindows,
    records: ResultRecords,
    /// Its node, where results are counted; that of its input is the one before.
    node: usize,
    /// Whether results have event times.
    timed: bool,
    /// How far event time is.
    watermark: f64,
    handed_over: HandedOver,
}

/// Runs native windows until their input has ended and their results are sent, or the job is closed.
///
/// # Errors
/// Those of the batches, of the chain behind, and `SAGE_FORMAT_GRAPH`.
pub(crate) fn run_windows(job: &JobCore, task: &Task, parker: &Parker, spec: &Json) -> Result<()> {
    let names: Option<Vec<String>> = spec["names"].as_array().and_then(|names| {
        names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    let node = spec["node"].as_u64().and_then(|node| usize::try_from(node).ok());
    let keyed = spec["keyed"].as_bool() == Some(true);
    let mut windows = WindowTask {
        job,
        task,
        parker,
        chain: chain_of(job, task)?.ok_or_else(|| malformed("their stage has no chain to count with"))?,
        windows: NativeWindows::new(&WindowSpec::from_json(&spec["windows"].to_string())?)?,
        records: ResultRecords::new(
            names.ok_or_else(|| malformed("the results have no names"))?,
            keyed,
            true,
            spec["mixed"] == "json",
        ),
        node: node
            .filter(|node| *node > 0)
            .ok_or_else(|| malformed("they have no node behind another"))?,
        timed: spec["timed"].as_bool() == Some(true),
        watermark: f64::NEG_INFINITY,
        handed_over: HandedOver::default(),
    };
    windows.restore()?;
    if windows.run()? {
        task.metrics.report(windows.chain.counters().values());
        job.finish_task(task);
    }
    Ok(())
}

impl WindowTask<'_> {
    /// `false` when the job was closed before the end.
    fn run(&mut self) -> Result<bool> {
        loop {
            if self.job.is_closing() {
                return Ok(false);
            }
            let goes_on = match self.task.inputs.next() {
                Found::Frame(arrival) => self.add(&arrival)?,
                Found::Time(time) => self.advance(time)?,
                Found::Barrier(barrier) => {
                    self.save(barrier)?;
                    true
                }
                Found::Nothing => {
                    self.task.metrics.switch(Activity::Idle, self.job.now_nanos());
                    self.parker.park(MAX_SLICE);
                    true
                }
                Found::AllEnded(kind) => {
                    self.task.deliver_end(kind);
                    // Behind a stop without drain nothing fires.
                    if kind == EndKind::Drained {
                        self.windows.table_mut().finish();
                        if !self.give_due()? {
                            return Ok(false);
                        }
                        self.chain.counters_mut().watermark(self.node, f64::INFINITY);
                    }
                    return Ok(true);
                }
            };
            if !goes_on {
                return Ok(false);
            }
        }
    }

    /// Goes on from what an earlier process had saved.
    fn restore(&mut self) -> Result<()> {
        for saved in self.job.saved_parts(self.task, PROGRESS)? {
            self.windows.table_mut().restore_progress(&saved.bytes)?;
        }
        // All instances are told the same, so the least is that of each.
        let mut least: Option<f64> = None;
        for saved in self.job.saved_parts(self.task, WATERMARK)? {
            let watermark = saved.bytes.as_slice().try_into().map(f64::from_le_bytes);
            let watermark = watermark.map_err(|_| {
                SageError::new(
                    ErrorCode::CheckpointDamaged,
                    "the watermark of windows is not 8 bytes",
                )
            })?;
            least = Some(least.map_or(watermark, |least| least.min(watermark)));
        }
        self.watermark = least.unwrap_or(self.watermark);
        if let Some(entries) = self.job.saved_keys(self.task, WINDOWS)? {
            self.windows.table_mut().restore(&entries)?;
        }
        Ok(())
    }

    /// Nothing is due: all that came before was worked on.
    fn save(&mut self, barrier: Barrier) -> Result<()> {
        self.task.metrics.switch(Activity::Busy, self.job.now_nanos());
        let is_on_top = self.handed_over.is_on_top(self.job, barrier);
        let key_groups = self.job.graph.key_groups;
        let table = self.windows.table_mut();
        let mut image = TaskImage::new();
        let changes = if is_on_top {
            table.save_changes(key_groups)?
        } else {
            None
        };
        let (progress, watermark) = (table.save_progress(), self.watermark.to_le_bytes());
        push_part(&mut image, self.task, PROGRESS, PartKind::Own, &progress)?;
        push_part(&mut image, self.task, WATERMARK, PartKind::Own, &watermark)?;
        push_keys(&mut image, self.task, WINDOWS, changes, || table.save(key_groups))?;
        self.job.acknowledge_task(self.task, barrier, image)
    }

    fn add(&mut self, arrival: &Arrival) -> Result<bool> {
        self.task.metrics.switch(Activity::Busy, self.job.now_nanos());
        let rows = arrival.frame.rows();
        self.task
            .metrics
            .received(rows as u64, arrival.frame.byte_len() as u64);
        let view = arrival.frame.view(&self.job.registry)?;
        let times = view.times().unwrap_or_default();
        let now_ms = self.job.epoch_millis();
        let gaps = self.windows.table().counts().gap_rows;
        let mut from = 0;
        while from < rows {
            from = self.windows.table_mut().add(&view, times, from, now_ms)?;
            let late = self.windows.table().late().len();
            self.chain.counters_mut().late(self.node, late);
            if !self.give_due()? {
                return Ok(false);
            }
        }
        let new_gaps = self.windows.table().counts().gap_rows - gaps;
        let counters = self.chain.counters_mut();
        counters.dropped(self.node, usize::try_from(new_gaps).unwrap_or(usize::MAX));
        counters.entered(self.node - 1, rows);
        self.task.metrics.report(counters.values());
        Ok(true)
    }

    /// Event time has come further, or waits no longer for what is before.
    fn advance(&mut self, time: GateTime) -> Result<bool> {
        if time.watermark > self.watermark {
            self.watermark = time.watermark;
            self.windows
                .table_mut()
                .advance(time.watermark, self.job.epoch_millis())?;
            if !self.give_due()? {
                return Ok(false);
            }
        }
        // Results have whole milliseconds: a fraction more would make the next one late.
        let watermark = self.watermark.floor();
        self.chain.counters_mut().watermark(self.node, watermark);
        if self.timed {
            say(self.task, watermark, time.idle);
        }
        Ok(true)
    }

    /// Sends all that is due; `false` when the job was closed before.
    fn give_due(&mut self) -> Result<bool> {
        while self.windows.table().has_more() {
            if self.job.is_closing() {
                return Ok(false);
            }
            if !self.task.has_credit() {
                self.task
                    .metrics
                    .switch(Activity::Backpressured, self.job.now_nanos());
                self.parker.park(MAX_SLICE);
                continue;
            }
            self.task.metrics.switch(Activity::Busy, self.job.now_nanos());
            let Some(results) = self.windows.fire(RESULT_ROWS, &self.job.registry)? else {
                continue;
            };
            let view = results.view(&self.job.registry)?;
            let times = self.timed.then(|| times_of_results(&view));
            let records = self
                .records
                .make(&view, &self.job.registry, FrameMeta::default())?;
            self.chain.counters_mut().entered(self.node, records.rows());
            send_through(self.job, self.task, &mut self.chain, records, times)?;
        }
        Ok(true)
    }
}

/// The last millisecond of each window.
fn times_of_results(view: &sage_frame::BatchView<'_>) -> Vec<f64> {
    let layout = view.layout();
    let end = layout.nodes()[layout.row_node()].children.get(1);
    match end.and_then(|&end| view.node(end)).map(|column| column.data) {
        Some(sage_frame::ColumnData::F64(ends)) => ends.iter().map(|end| end.ceil() - 1.0).collect(),
        _ => Vec::new(),
    }
}
