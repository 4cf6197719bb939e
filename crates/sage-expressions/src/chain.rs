//! A chain of operators that each batch goes through.

use std::ops::Range;
use std::sync::Arc;

use sage_frame::{BatchView, Frame, LayoutRegistry, partition};
use sage_types::{Result, SageError};

use crate::chain_counters::ChainCounters;
use crate::chain_spec::{ChainSpec, OperatorKind, OperatorSpec, parse};
use crate::expression::Expression;
use crate::extract::Extract;
use crate::filter::filter;
use crate::nested::push_json;
use crate::new_batch::BatchMaker;
use crate::select::Select;
use crate::source::Source;
use crate::timestamps::{Stamped, Timestamps};

/// Longest record that an error shows, in bytes.
const SHOWN_BYTES: usize = 4096;

/// A batch on its way through a chain.
#[derive(Debug)]
pub struct TimedFrame {
    /// The records, without event times.
    pub frame: Frame,
    /// The event time of each, in epoch milliseconds, where they have such.
    pub times: Option<Vec<f64>>,
}

/// What a chain gives, in this order.
#[derive(Debug)]
pub enum Given {
    /// Records.
    Batch(Frame),
    /// All records before this moment, in epoch milliseconds, have been given.
    Time(f64),
}

/// Operators by expressions, which a batch goes through one after the other.
#[derive(Debug)]
pub struct NativeChain {
    operators: Vec<(usize, Operator)>,
    counters: ChainCounters,
    /// Whether what is given has event times.
    timed: bool,
    maker: BatchMaker,
    registry: Arc<LayoutRegistry>,
}

#[derive(Debug)]
enum Operator {
    Filter(Expression),
    Select(Select),
    Extract(Extract),
    Timestamps(Timestamps),
}

impl NativeChain {
    /// Reads the JSON of a chain: `{"nodes":n,"operators":[...],"timed":false}`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is none.
    pub fn from_json(json: &str, registry: Arc<LayoutRegistry>) -> Result<Self> {
        let ChainSpec {
            nodes,
            operators,
            timed,
        } = parse(json)?;
        let operator = |OperatorSpec { node, kind }| {
            let operator = match kind {
                OperatorKind::Filter(expression) => Operator::Filter(expression),
                OperatorKind::Select {
                    columns,
                    keeps_others,
                    mixed,
                } => Operator::Select(Select::new(columns, keeps_others, mixed)),
                OperatorKind::Extract {
                    key_node,
                    key,
                    inputs,
                } => Operator::Extract(Extract::new(key_node, key, inputs)),
                OperatorKind::Timestamps(spec) => Operator::Timestamps(Timestamps::new(spec)),
            };
            (node, operator)
        };
        Ok(Self {
            operators: operators.into_iter().map(operator).collect(),
            counters: ChainCounters::new(nodes),
            timed,
            maker: BatchMaker::default(),
            registry,
        })
    }

    /// What the stage counts.
    pub fn counters_mut(&mut self) -> &mut ChainCounters {
        &mut self.counters
    }

    /// What the stage counts.
    #[must_use]
    pub const fn counters(&self) -> &ChainCounters {
        &self.counters
    }

    /// Gives what becomes of a batch. `now_ms` is what the clock shows.
    ///
    /// # Errors
    /// Those of the operators, with `node`, and with `record` as JSON where it is one record's; those of `give`.
    pub fn apply(
        &mut self,
        batch: TimedFrame,
        now_ms: f64,
        give: &mut dyn FnMut(Given) -> Result<()>,
    ) -> Result<()> {
        self.apply_from(0, batch, now_ms, give)
    }

    fn apply_from(
        &mut self,
        first: usize,
        batch: TimedFrame,
        now_ms: f64,
        give: &mut dyn FnMut(Given) -> Result<()>,
    ) -> Result<()> {
        let TimedFrame { mut frame, mut times } = batch;
        for place in first..self.operators.len() {
            let (node, operator) = &mut self.operators[place];
            let node = *node;
            let meta = frame.meta();
            let view = frame.view(&self.registry)?;
            let next = match operator {
                Operator::Filter(expression) => {
                    let passing = filter(expression, &view).map_err(|error| at_record(error, &view, node))?;
                    let dropped = view.rows() - passing.len();
                    self.counters.dropped(node, dropped);
                    if passing.is_empty() {
                        return Ok(());
                    }
                    if dropped == 0 {
                        continue;
                    }
                    if let Some(times) = &mut times {
                        *times = passing.iter().map(|&row| times[row as usize]).collect();
                    }
                    partition::take(&view, &passing, meta)?
                }
                Operator::Select(select) => select
                    .apply(&view, meta, &self.registry)
                    .map_err(|error| at_record(error, &view, node))?,
                Operator::Extract(extract) => extract
                    .apply(
                        &view,
                        times.take().as_deref().filter(|_| self.timed),
                        meta,
                        &self.registry,
                    )
                    .map_err(|error| at_record(error, &view, node))?,
                Operator::Timestamps(timestamps) => {
                    let stamped = timestamps
                        .apply(&view, now_ms)
                        .map_err(|error| at_record(error, &view, node))?;
                    drop(view);
                    return self.apply_parts(place, &frame, stamped, now_ms, give);
                }
            };
            drop(view);
            frame = next;
        }
        match times.filter(|_| self.timed) {
            None => give(Given::Batch(frame)),
            Some(times) => {
                let view = frame.view(&self.registry)?;
                let stamped = self
                    .maker
                    .with_times(&view, &times, &self.registry, frame.meta())?;
                give(Given::Batch(stamped))
            }
        }
    }

    /// Goes on behind the timestamps with each part of a batch, and with the watermarks between them.
    fn apply_parts(
        &mut self,
        place: usize,
        frame: &Frame,
        stamped: Stamped,
        now_ms: f64,
        give: &mut dyn FnMut(Given) -> Result<()>,
    ) -> Result<()> {
        let node = self.operators[place].0;
        let Stamped {
            mut times,
            watermarks,
        } = stamped;
        let rows = times.len();
        let mut from = 0;
        for (until, watermark) in watermarks {
            if from < until {
                let part = self.part_of(frame, &mut times, from..until)?;
                self.apply_from(place + 1, part, now_ms, give)?;
            }
            from = until;
            self.counters.watermark(node, watermark);
            if self.timed {
                give(Given::Time(watermark))?;
            }
        }
        if from < rows {
            let part = self.part_of(frame, &mut times, from..rows)?;
            self.apply_from(place + 1, part, now_ms, give)?;
        }
        Ok(())
    }

    fn part_of(&self, frame: &Frame, times: &mut Vec<f64>, rows: Range<usize>) -> Result<TimedFrame> {
        if rows.len() == times.len() {
            return Ok(TimedFrame {
                frame: frame.clone(),
                times: Some(std::mem::take(times)),
            });
        }
        let view = frame.view(&self.registry)?;
        #[expect(clippy::cast_possible_truncation, reason = "a batch has less than 2^32 rows")]
        let numbers: Vec<u32> = rows.clone().map(|row| row as u32).collect();
        Ok(TimedFrame {
            frame: partition::take(&view, &numbers, frame.meta())?,
            times: Some(times[rows].to_vec()),
        })
    }
}

/// The error of an operator, with the record that it is about.
fn at_record(error: SageError, view: &BatchView<'_>, node: usize) -> SageError {
    // An extract fails as its keyBy, or as its aggregate.
    let node = match error.context.get("node") {
        Some(sage_types::ErrorValue::Number(node)) => *node,
        _ => node as f64,
    };
    let error = error.with("node", node);
    let Some(sage_types::ErrorValue::Number(row)) = error.context.get("row") else {
        return error;
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a row of a batch"
    )]
    let row = *row as usize;
    let record = Source::find(view, &[]);
    let mut json = Vec::new();
    push_json(&record.value(row), Some(view), &mut json);
    match String::from_utf8(json) {
        Ok(json) if json.len() <= SHOWN_BYTES => error.with("record", json),
        _ => error,
    }
}
