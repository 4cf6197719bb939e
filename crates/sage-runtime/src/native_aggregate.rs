//! Aggregates with a thread of their own: what comes keyed from native sources goes on as records, without any JavaScript.

use sage_checkpoint::{PartKind, TaskImage};
use sage_expressions::{NativeChain, ResultRecords};
use sage_frame::FrameMeta;
use sage_queue::{EndKind, MAX_SLICE, Parker};
use sage_state::{AggregateKind, AggregateSpec, KeyedAggregate};
use sage_types::{ErrorCode, Result, SageError};
use serde_json::Value as Json;

use crate::inputs::Found;
use crate::job_core::JobCore;
use crate::native_parts::{AGGREGATORS, HandedOver, STATE, push_keys, push_part};
use crate::native_task::{chain_of, send_through};
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

/// Runs a native aggregate until its input has ended and its results are sent, or the job is closed.
///
/// # Errors
/// Those of the batches, of the chain behind, and `SAGE_FORMAT_GRAPH`.
pub(crate) fn run_aggregate(job: &JobCore, task: &Task, parker: &Parker, spec: &str) -> Result<()> {
    let mut spec = Spec::parse(spec)?;
    let mut chain = chain_of(job, task)?.ok_or_else(|| {
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
    let Some(end) = take_all(job, task, parker, &spec, &mut chain, &mut aggregate)? else {
        return Ok(());
    };
    // Behind a stop without drain nothing fires.
    if end == EndKind::Drained && !give_results(job, task, parker, &mut spec, &mut chain, &aggregate)? {
        return Ok(());
    }
    task.metrics.report(chain.counters().values());
    job.finish_task(task);
    Ok(())
}

/// How the input ended; none when the job was closed before.
fn take_all(
    job: &JobCore,
    task: &Task,
    parker: &Parker,
    spec: &Spec,
    chain: &mut NativeChain,
    aggregate: &mut KeyedAggregate,
) -> Result<Option<EndKind>> {
    let mut handed_over = HandedOver::default();
    loop {
        if job.is_closing() {
            return Ok(None);
        }
        match task.inputs.next() {
            Found::Frame(arrival) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                let rows = arrival.frame.rows();
                task.metrics
                    .received(rows as u64, arrival.frame.byte_len() as u64);
                aggregate.update(&arrival.frame.view(&job.registry)?)?;
                chain.counters_mut().entered(spec.node - 1, rows);
                task.metrics.report(chain.counters().values());
            }
            Found::Time(_) => {}
            Found::Barrier(barrier) => {
                task.metrics.switch(Activity::Busy, job.now_nanos());
                let mut image = TaskImage::new();
                let aggregators = aggregate.signature();
                let key_groups = job.graph.key_groups;
                let changes = if handed_over.is_on_top(job, barrier) {
                    aggregate.save_changes(key_groups)?
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
                push_keys(&mut image, task, STATE, changes, || aggregate.save(key_groups))?;
                job.acknowledge_task(task, barrier, image)?;
            }
            Found::Nothing => {
                task.metrics.switch(Activity::Idle, job.now_nanos());
                parker.park(MAX_SLICE);
            }
            Found::AllEnded(kind) => {
                task.deliver_end(kind);
                return Ok(Some(kind));
            }
        }
    }
}

/// Sends all results; `false` when the job was closed before.
fn give_results(
    job: &JobCore,
    task: &Task,
    parker: &Parker,
    spec: &mut Spec,
    chain: &mut NativeChain,
    aggregate: &KeyedAggregate,
) -> Result<bool> {
    if !spec.keyed && aggregate.keys().is_empty() {
        let of_nothing = |spec: &AggregateSpec| match spec.kind {
            AggregateKind::Count | AggregateKind::Sum => Some(0.0),
            _ => None,
        };
        let values: Vec<Option<f64>> = spec.aggregators.iter().map(of_nothing).collect();
        let frame = spec.records.make_empty(&values, &job.registry)?;
        chain.counters_mut().entered(spec.node, frame.rows());
        send_through(job, task, chain, frame, None)?;
        return Ok(true);
    }
    let mut next = Some(0);
    while let Some(slot) = next {
        if job.is_closing() {
            return Ok(false);
        }
        if !task.has_credit() {
            task.metrics.switch(Activity::Backpressured, job.now_nanos());
            parker.park(MAX_SLICE);
            continue;
        }
        task.metrics.switch(Activity::Busy, job.now_nanos());
        let Some(drained) = aggregate.drain(slot, RESULT_ROWS, &job.registry, FrameMeta::default())? else {
            break;
        };
        next = drained.next_slot;
        let view = drained.frame.view(&job.registry)?;
        let frame = spec.records.make(&view, &job.registry, FrameMeta::default())?;
        chain.counters_mut().entered(spec.node, frame.rows());
        send_through(job, task, chain, frame, None)?;
    }
    Ok(true)
}
