//! Which rows of a batch pass.

use sage_frame::{BatchView, FrameMeta, partition};
use sage_types::Result;

use crate::chain::Made;
use crate::evaluate::{Evaluated, Evaluation};
use crate::expression::Expression;
use crate::value::Value;
use crate::vector::Vector;

/// The rows for which the expression is true.
///
/// # Errors
/// `SAGE_EXPRESSION_VALUE` with `row`; `SAGE_LIMIT_BATCH`.
pub(crate) fn filter(expression: &Expression, view: &BatchView<'_>, meta: FrameMeta) -> Result<Made> {
    let evaluation = Evaluation::new(expression, view);
    let rows = passing(evaluation.evaluate()?, view.rows());
    if rows.len() == view.rows() {
        return Ok(Made::Same);
    }
    if rows.is_empty() {
        return Ok(Made::Nothing);
    }
    partition::take(view, &rows, meta).map(Made::Batch)
}

fn passing(evaluated: Evaluated<'_>, rows: usize) -> Vec<u32> {
    match evaluated {
        Evaluated::Vector(Vector::Booleans { values, nulls: None }) => {
            numbers_of(values.iter().map(|&value| value != 0))
        }
        Evaluated::Vector(Vector::Booleans {
            values,
            nulls: Some(nulls),
        }) => numbers_of(
            values
                .iter()
                .zip(nulls.iter())
                .map(|(&value, &null)| value != 0 && null == 0),
        ),
        Evaluated::Vector(Vector::Constant(Value::Boolean(true))) => {
            numbers_of(std::iter::repeat_n(true, rows))
        }
        // The planner makes sure that the expression gives booleans.
        Evaluated::Vector(_) => Vec::new(),
        Evaluated::Values(values) => numbers_of(values.iter().map(|value| *value == Value::Boolean(true))),
    }
}

/// The numbers of the rows that pass; without a branch for each, as which ones do cannot be foreseen.
fn numbers_of(passes: impl ExactSizeIterator<Item = bool>) -> Vec<u32> {
    let mut rows = vec![0; passes.len()];
    let mut count = 0;
    for (row, passes) in (0_u32..).zip(passes) {
        rows[count] = row;
        count += usize::from(passes);
    }
    rows.truncate(count);
    rows
}
