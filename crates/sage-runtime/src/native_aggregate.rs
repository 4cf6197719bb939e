//! Aggregates with a thread of their own: what comes keyed from native sources goes on as records, without any JavaScript.

use std::sync::Arc;

use sage_checkpoint::{PartKind, TaskImage};
use sage_expressions::{NativeChain, ResultRecords};
use sage_frame::FrameMeta;
use sage_queue::EndKind;
use sage_state::{AggregateKind, AggregateSpec, KeyedAggregate};
use sage_types::{ErrorCode, PlantedBug, Result, SageError};
use serde_json::Value as Json;

use crate::inputs::Found;
use crate::job_core::JobCore;
use crate::native_parts::{AGGREGATORS, HandedOver, STATE, push_keys, push_part};
use crate::native_task::{NativeStep, NativeWork, chain_of, send_through};
use crate::task::Task;
use crate::task_metrics::Activity;

/// Rows of a batch of results.
const RESULT_ROWS: usize = 1024;

/// What an aggregate is, as TypeScript says it.
struct Spec {
    aggregators: Vec<AggregateSpec>,
    records: ResultRecords,
    /// Whether there is a result for each key, or one of all records.
    keyed: bool,
    /// Its node, where results are counted; that of its input is the one before.
    node: usize,
}

impl Spec {
    fn parse(spec: &str) -> Result<Self> {
        let malformed = |why: &str| {
            SageError::new(ErrorCode::FormatGraph, format!("malformed aggregate: {why}")).with("spec", spec)
        };
        let json: Json =
            serde_json::from_str(spec).map_err(|error| malformed("it is no JSON").caused_by(error))?;
        let names: Option<Vec<String>> = json["names"].as_array().and_then(|names| {
            names
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect()
        });
        let names = names.ok_or_else(|| malformed("its results have no names"))?;
        let aggregators = AggregateSpec::list_from_json(&json["aggregators"].to_string())?;
        let node = json["node"].as_u64().and_then(|node| usize::try_from(node).ok());
        let keyed = json["keyed"].as_bool() == Some(true);
        if names.len() != aggregators.len() {
            return Err(malformed("there is not one name for each result"));
        }
        Ok(Self {
            records: ResultRecords::new(names, keyed, false, json["mixed"] == "json"),
            aggregators,
            keyed,
            node: node
                .filter(|node| *node > 0)
                .ok_or_else(|| malformed("it has no node behind another"))?,
        })
    }
}

/// Adds up, and gives the results when its input has ended.
pub(crate) struct AggregateWork {
    spec: Spec,
    chain: NativeChain,
    aggregate: KeyedAggregate,
    /// The input has ended, and results from this slot on are still to be given.
    next_slot: Option<u32>,
    handed_over: HandedOver,
}

impl AggregateWork {
    /// # Errors
    /// Those of the store, and `SAGE_FORMAT_GRAPH`.
    pub(crate) fn new(job: &JobCore, task: &Task, spec: &str) -> Result<Self> {
        let spec = Spec::parse(spec)?;
        let chain = chain_of(job, task)?.ok_or_else(|| {
            SageError::new(
                ErrorCode::FormatGraph,
                "malformed aggregate: its stage has no chain to count with",
            )
        })?;
        let mut aggregate = KeyedAggregate::new(spec.aggregators.clone())?;
        for saved in job.saved_parts(task, AGGREGATORS)? {
            aggregate.check_signature(&saved.bytes)?;
        }
        if let Some(entries) = job.saved_keys(task, STATE)? {
            aggregate.restore(&entries)?;
        }
        Ok(Self {
            spec,
            chain,
            aggregate,
            next_slot: None,
            handed_over: HandedOver::default(),
        })
    }

    fn take(&mut self, job: &JobCore, task: &Task) -> Result<NativeStep> {
        match task.inputs.next() {
            Found::Frame(arrival) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                let rows = arrival.frame.rows();
                task.metrics
                    .received(rows as u64, arrival.frame.byte_len() as u64);
                self.aggregate.update(&arrival.frame.view(&job.registry)?)?;
                self.chain.counters_mut().entered(self.spec.node - 1, rows);
                task.metrics.report(self.chain.counters().values());
            }
            Found::Time(_) => {}
            Found::Barrier(barrier) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                let mut image = TaskImage::new();
                let aggregators = self.aggregate.signature();
                let key_groups = job.graph.key_groups;
                let changes = if self.handed_over.is_on_top(job, barrier) {
                    self.aggregate.save_changes(key_groups)?
                } else {
                    None
                };
                push_part(
                    &mut image,
                    task,
                    AGGREGATORS,
                    PartKind::Own,
                    aggregators.as_bytes(),
                )?;
                push_keys(&mut image, task, STATE, changes, || {
                    self.aggregate.save(key_groups)
                })?;
                job.acknowledge_task(task, barrier, image)?;
            }
            Found::Nothing => {
                task.metrics.switch(Activity::Idle, job.now_nanos());
                return Ok(NativeStep::Waits);
            }
            Found::AllEnded(kind) => {
                task.deliver_end(kind);
                // Behind a stop without drain nothing fires.
                if kind != EndKind::Drained && !PlantedBug::ResultsBehindStop.is_planted() {
                    return Ok(self.end(job, task));
                }
                if self.is_of_nothing() {
                    self.give_nothing(job, task)?;
                    return Ok(self.end(job, task));
                }
                self.next_slot = Some(0);
            }
        }
        Ok(NativeStep::Worked)
    }

    fn end(&mut self, job: &JobCore, task: &Task) -> NativeStep {
        task.metrics.report(self.chain.counters().values());
        job.finish_task(task);
        NativeStep::Over
    }

    /// Whether there is a result although no record has come.
    fn is_of_nothing(&self) -> bool {
        !self.spec.keyed && self.aggregate.keys().is_empty()
    }

    fn give_nothing(&mut self, job: &JobCore, task: &Task) -> Result<()> {
        let of_nothing = |spec: &AggregateSpec| match spec.kind {
            AggregateKind::Count | AggregateKind::Sum => Some(0.0),
            _ => None,
        };
        let values: Vec<Option<f64>> = self.spec.aggregators.iter().map(of_nothing).collect();
        let frame = self.spec.records.make_empty(&values, &job.registry)?;
        self.chain.counters_mut().entered(self.spec.node, frame.rows());
        send_through(job, task, &mut self.chain, frame, None)
    }

    /// Sends a batch of results, beginning with that of a slot.
    fn give(&mut self, job: &JobCore, task: &Task, slot: u32) -> Result<NativeStep> {
        if !task.has_credit() {
            task.metrics.switch(Activity::Backpressured, job.now_nanos());
            return Ok(NativeStep::Waits);
        }
        task.metrics.switch(Activity::Busy, job.now_nanos());
        let meta = FrameMeta::default();
        let Some(drained) = self.aggregate.drain(slot, RESULT_ROWS, &job.registry, meta)? else {
            return Ok(self.end(job, task));
        };
        let view = drained.frame.view(&job.registry)?;
        let frame = self.spec.records.make(&view, &job.registry, meta)?;
        self.chain.counters_mut().entered(self.spec.node, frame.rows());
        send_through(job, task, &mut self.chain, frame, None)?;
        self.next_slot = drained.next_slot;
        if self.next_slot.is_none() {
            return Ok(self.end(job, task));
        }
        Ok(NativeStep::Worked)
    }
}

impl NativeWork for AggregateWork {
    fn step(&mut self, job: &Arc<JobCore>, task: &Task) -> Result<NativeStep> {
        if job.is_closing() {
            return Ok(NativeStep::Over);
        }
        match self.next_slot {
            Some(slot) => self.give(job, task, slot),
            None => self.take(job, task),
        }
    }
}
