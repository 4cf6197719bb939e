//! An expression over a batch: by kernels where all columns are of kinds that these take, else row by row.

use sage_frame::BatchView;
use sage_types::Result;

use crate::expression::{Call, Expression, Node};
use crate::kernels;
use crate::operation::Operation;
use crate::scalar::apply;
use crate::source::Source;
use crate::value::Value;
use crate::vector::Vector;

/// What an expression gives for the rows of a batch.
#[derive(Debug)]
pub(crate) enum Evaluated<'v> {
    /// Values of one kind, in columns.
    Vector(Vector<'v>),
    /// One value a row, of any kinds.
    Values(Vec<Value<'v>>),
}

/// An expression in one batch.
#[derive(Debug)]
pub(crate) struct Evaluation<'e, 'a> {
    expression: &'e Expression,
    sources: Vec<Source<'a>>,
    rows: usize,
}

impl<'e, 'a> Evaluation<'e, 'a> {
    pub(crate) fn new(expression: &'e Expression, view: &BatchView<'a>) -> Self {
        let sources = expression
            .columns
            .iter()
            .map(|path| Source::find(view, path))
            .collect();
        Self {
            expression,
            sources,
            rows: view.rows(),
        }
    }

    /// The values of all rows.
    ///
    /// # Errors
    /// `SAGE_EXPRESSION_VALUE` with `row`, for the first row that has a value which the expression cannot take.
    pub(crate) fn evaluate(&self) -> Result<Evaluated<'_>> {
        // Kernels give up where a row might fail: which one does, and whether its value is needed at all, is decided by row.
        if let Some(vector) = kernels::evaluate(&self.expression.root, &self.sources, self.rows) {
            return Ok(Evaluated::Vector(vector));
        }
        let values = (0..self.rows).map(|row| self.value(row)).collect::<Result<_>>()?;
        Ok(Evaluated::Values(values))
    }

    /// The value of one row.
    ///
    /// # Errors
    /// `SAGE_EXPRESSION_VALUE` with `row`.
    pub(crate) fn value(&self, row: usize) -> Result<Value<'_>> {
        node_value(&self.expression.root, &self.sources, row).map_err(|error| error.with("row", row))
    }
}

/// As `linkExpression` in TypeScript: what decides comes first, and what it leaves out is not looked at.
fn node_value<'v>(node: &'v Node, sources: &'v [Source<'_>], row: usize) -> Result<Value<'v>> {
    let call = match node {
        Node::Column { index, .. } => {
            return Ok(sources
                .get(*index)
                .map_or(Value::Null, |source| source.value(row)));
        }
        Node::Literal { value, .. } => return Ok(value.clone()),
        Node::Call(call) => call,
    };
    let value = |operand: &'v Node| node_value(operand, sources, row);
    match (call.operation, &call.operands[..]) {
        (Operation::And, [left, right]) => decided(call, value(left)?, false, || value(right)),
        (Operation::Or, [left, right]) => decided(call, value(left)?, true, || value(right)),
        (Operation::Cond, [when, then, otherwise]) => {
            let chosen = apply(
                call,
                vec![value(when)?, Value::Boolean(true), Value::Boolean(false)],
            )?;
            value(if chosen == Value::Boolean(true) {
                then
            } else {
                otherwise
            })
        }
        (Operation::Coalesce, operands) => {
            for operand in operands {
                let value = value(operand)?;
                if value != Value::Null {
                    return Ok(value);
                }
            }
            Ok(Value::Null)
        }
        (_, operands) => apply(call, operands.iter().map(value).collect::<Result<_>>()?),
    }
}

fn decided<'v>(
    call: &Call,
    left: Value<'v>,
    decisive: bool,
    right: impl FnOnce() -> Result<Value<'v>>,
) -> Result<Value<'v>> {
    if left == Value::Boolean(decisive) {
        return Ok(left);
    }
    apply(call, vec![left, right()?])
}
