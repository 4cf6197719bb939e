//! Which rows of a batch pass.

use sage_frame::BatchView;
use sage_types::Result;

use crate::evaluate::{Evaluated, Evaluation};
use crate::expression::Expression;
use crate::value::Value;
use crate::vector::Vector;

/// The rows for which the expression is true.
///
/// # Errors
/// `SAGE_EXPRESSION_VALUE` with `row`.
pub(crate) fn filter(expression: &Expression, view: &BatchView<'_>) -> Result<Vec<u32>> {
    let evaluation = Evaluation::new(expression, view);
    Ok(passing(evaluation.evaluate()?, view.rows()))
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
