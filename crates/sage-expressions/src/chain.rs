//! A chain of operators that each batch goes through.

use std::sync::Arc;

use sage_frame::{BatchView, Frame, LayoutRegistry};
use sage_types::{Result, SageError};

use crate::chain_spec::{OperatorKind, OperatorSpec, parse};
use crate::expression::Expression;
use crate::extract::Extract;
use crate::filter::filter;
use crate::nested::push_json;
use crate::select::Select;
use crate::source::Source;

/// Counters of a stage, as the job's result reads them: blocks of one number for each node.
const BLOCKS: usize = 5;
const DROPPED: usize = 1;
/// Longest record that an error shows, in bytes.
const SHOWN_BYTES: usize = 4096;

/// Operators by expressions, which a batch goes through one after the other.
#[derive(Debug)]
pub struct NativeChain {
    operators: Vec<(usize, Operator)>,
    nodes: usize,
    counters: Vec<f64>,
    registry: Arc<LayoutRegistry>,
}

#[derive(Debug)]
enum Operator {
    Filter(Expression),
    Select(Select),
    Extract(Extract),
}

impl NativeChain {
    /// Reads the JSON of a chain: `{"nodes":n,"operators":[...]}`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is none.
    pub fn from_json(json: &str, registry: Arc<LayoutRegistry>) -> Result<Self> {
        let (nodes, specs) = parse(json)?;
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
            };
            (node, operator)
        };
        Ok(Self {
            operators: specs.into_iter().map(operator).collect(),
            nodes,
            counters: vec![0.0; nodes * BLOCKS],
            registry,
        })
    }

    /// Counts records that entered the stage at a node.
    pub fn count_entered(&mut self, node: usize, rows: usize) {
        if let Some(counter) = self.counters.get_mut(node).filter(|_| node < self.nodes) {
            *counter += rows as f64;
        }
    }

    /// The counters so far.
    #[must_use]
    pub fn counters(&self) -> &[f64] {
        &self.counters
    }

    /// What becomes of a batch; none when no row is left.
    ///
    /// # Errors
    /// Those of the operators, with `node`, and with `record` as JSON where it is one record's.
    pub fn apply(&mut self, frame: Frame) -> Result<Option<Frame>> {
        let mut frame = frame;
        for (node, operator) in &mut self.operators {
            let meta = frame.meta();
            let view = frame.view(&self.registry)?;
            let rows = view.rows();
            let made = match operator {
                Operator::Filter(expression) => filter(expression, &view, meta),
                Operator::Select(select) => select.apply(&view, meta, &self.registry).map(Made::Batch),
                Operator::Extract(extract) => extract.apply(&view, meta, &self.registry).map(Made::Batch),
            };
            let next = match made.map_err(|error| at_record(error, &view, *node))? {
                Made::Same => continue,
                Made::Batch(next) => next,
                Made::Nothing => {
                    self.counters[DROPPED * self.nodes + *node] += rows as f64;
                    return Ok(None);
                }
            };
            self.counters[DROPPED * self.nodes + *node] += (rows - next.rows()) as f64;
            drop(view);
            frame = next;
        }
        Ok(Some(frame))
    }

    /// The layouts that frames of the chain have.
    #[must_use]
    pub const fn registry(&self) -> &Arc<LayoutRegistry> {
        &self.registry
    }
}

/// What an operator makes of a batch.
pub(crate) enum Made {
    /// It stays as it is.
    Same,
    Batch(Frame),
    Nothing,
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
