//! The input columns of an aggregate in a batch.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, PlannedKind};
use sage_types::{ErrorCode, Result, SageError};

use crate::AggregateSpec;

/// One value a row, or none.
#[derive(Debug, Clone)]
pub(crate) enum Input<'a> {
    /// The aggregator needs no value.
    Rows,
    /// No row has a value.
    Absent,
    /// Numbers; where there is a presence buffer, only the rows with 0 count.
    Numbers {
        values: Cow<'a, [f64]>,
        presence: Option<&'a [u8]>,
    },
}

/// Finds the column of an aggregator.
///
/// # Errors
/// `SAGE_FORMAT_LAYOUT` when the row is not a tuple with this column; `SAGE_AGGREGATE_INPUT` when the column does not hold
/// numbers.
pub(crate) fn aggregate_input<'a>(view: &BatchView<'a>, spec: &AggregateSpec) -> Result<Input<'a>> {
    let (Some(index), true) = (spec.input, spec.kind != crate::AggregateKind::Count) else {
        return Ok(Input::Rows);
    };
    let layout = view.layout();
    let row = &layout.nodes()[layout.row_node()];
    // A row that may be absent as a whole would need a second presence here, and nobody sends one.
    let is_tuple = row.kind == PlannedKind::Tuple && !row.is_optional();
    let node = row.children.get(index).filter(|_| is_tuple);
    let column = node.and_then(|&node| view.node(node)).ok_or_else(|| {
        SageError::new(
            ErrorCode::FormatLayout,
            format!(
                "the batch has no column {index} for the aggregator {}",
                spec.kind.as_str()
            ),
        )
        .with("layout", &*layout.text)
    })?;
    let values = match column.data {
        ColumnData::F64(values) => Cow::Borrowed(values),
        ColumnData::I32(values) => values.iter().map(|&value| f64::from(value)).collect(),
        ColumnData::Nil => return Ok(Input::Absent),
        _ => {
            return Err(SageError::new(
                ErrorCode::AggregateInput,
                format!(
                    "the input of the aggregator {} is not a number",
                    spec.kind.as_str()
                ),
            )
            .with("layout", &*layout.text)
            .with("column", index));
        }
    };
    Ok(Input::Numbers {
        values,
        presence: column.presence,
    })
}
