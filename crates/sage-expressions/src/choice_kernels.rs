//! Operations on whole columns that say themselves what null means: logic, and choices between columns.

use std::borrow::Cow;

use crate::comparison_kernels::kind_of;
use crate::text::Text;
use crate::value::Value;
use crate::vector::{Nulls, TextsBuilder, Vector, is_null};

/// Three values: 0 false, 1 true, 2 null.
fn thirds(vector: &Vector<'_>, rows: usize) -> Option<Vec<u8>> {
    Some(match vector {
        Vector::Booleans { values, nulls: None } => values.to_vec(),
        Vector::Booleans {
            values,
            nulls: Some(nulls),
        } => values
            .iter()
            .zip(nulls.iter())
            .map(|(&value, &null)| if null == 0 { value } else { 2 })
            .collect(),
        Vector::Constant(Value::Boolean(value)) => vec![u8::from(*value); rows],
        Vector::Constant(Value::Null) => vec![2; rows],
        _ => return None,
    })
}

/// `and`, and with `decisive` `or`.
pub(crate) fn logic<'v>(operands: &[Vector<'v>], rows: usize, decisive: bool) -> Option<Vector<'v>> {
    let [left, right] = operands else { return None };
    if let (
        Vector::Booleans {
            values: a,
            nulls: None,
        },
        Vector::Booleans {
            values: b,
            nulls: None,
        },
    ) = (left, right)
    {
        let values = if decisive {
            a.iter().zip(b.iter()).map(|(a, b)| a | b).collect()
        } else {
            a.iter().zip(b.iter()).map(|(a, b)| a & b).collect()
        };
        return Some(Vector::Booleans { values, nulls: None });
    }
    let (left, right) = (thirds(left, rows)?, thirds(right, rows)?);
    let decisive = u8::from(decisive);
    let both: Vec<u8> = left
        .into_iter()
        .zip(right)
        .map(|(a, b)| {
            if a == decisive || b == decisive {
                decisive
            } else if a == 2 || b == 2 {
                2
            } else {
                1 - decisive
            }
        })
        .collect();
    let nulls = both.iter().map(|&third| third >> 1).collect();
    Some(Vector::Booleans {
        values: both.iter().map(|&third| third & 1).collect(),
        nulls: Some(nulls),
    })
}

/// `isNull`.
pub(crate) fn is_null_kernel<'v>(value: &Vector<'_>, rows: usize) -> Vector<'v> {
    let nulls = match value {
        Vector::Numbers { nulls, .. }
        | Vector::Dates { nulls, .. }
        | Vector::Booleans { nulls, .. }
        | Vector::Texts { nulls, .. } => nulls,
        Vector::Constant(value) => return Vector::Constant(Value::Boolean(*value == Value::Null)),
    };
    let values = nulls.as_ref().map_or_else(
        || vec![0; rows],
        |nulls| nulls.iter().map(|&null| u8::from(null != 0)).collect(),
    );
    Vector::Booleans {
        values: Cow::Owned(values),
        nulls: None,
    }
}

/// `coalesce`, of columns of one kind.
pub(crate) fn coalesce(operands: Vec<Vector<'_>>, rows: usize) -> Option<Vector<'_>> {
    let mut operands = operands.into_iter();
    let mut result = operands.next()?;
    for operand in operands {
        let is_missing: Vec<u8> = match &result {
            Vector::Constant(Value::Null) => {
                result = operand;
                continue;
            }
            Vector::Constant(_) => return Some(result),
            Vector::Numbers { nulls, .. }
            | Vector::Dates { nulls, .. }
            | Vector::Booleans { nulls, .. }
            | Vector::Texts { nulls, .. } => match nulls {
                None => return Some(result),
                Some(nulls) => nulls.iter().map(|&null| u8::from(null != 0)).collect(),
            },
        };
        result = choose(&is_missing, &operand, &result, rows)?;
    }
    Some(result)
}

/// `cond`, of columns of one kind.
pub(crate) fn cond<'v>(operands: Vec<Vector<'v>>, rows: usize) -> Option<Vector<'v>> {
    let [when, then, otherwise] = <[Vector<'v>; 3]>::try_from(operands).ok()?;
    let choices: Vec<u8> = thirds(&when, rows)?
        .into_iter()
        .map(|third| u8::from(third == 1))
        .collect();
    choose(&choices, &then, &otherwise, rows)
}

/// The first where a choice is 1, else the second; both of one kind, or null.
fn choose<'v>(choices: &[u8], then: &Vector<'v>, otherwise: &Vector<'v>, rows: usize) -> Option<Vector<'v>> {
    let kind = match (kind_of(then), kind_of(otherwise)) {
        (Some(a), Some(b)) if a == b => a,
        (Some(a), None) if matches!(otherwise, Vector::Constant(Value::Null)) => a,
        (None, Some(b)) if matches!(then, Vector::Constant(Value::Null)) => b,
        _ => return None,
    };
    let nulls = chosen_nulls(choices, then, otherwise);
    let fixed = |pick: fn(&Vector<'_>, usize) -> f64| {
        choices
            .iter()
            .enumerate()
            .map(|(row, &choice)| pick(if choice == 1 { then } else { otherwise }, row))
            .collect()
    };
    Some(match kind {
        0 => Vector::Numbers {
            values: fixed(number_at),
            nulls,
        },
        1 => Vector::Dates {
            values: fixed(number_at),
            nulls,
        },
        2 => Vector::Booleans {
            values: choices
                .iter()
                .enumerate()
                .map(|(row, &choice)| boolean_at(if choice == 1 { then } else { otherwise }, row))
                .collect(),
            nulls,
        },
        _ => {
            let mut texts = TextsBuilder::new(rows, rows * 8);
            for (row, &choice) in choices.iter().enumerate() {
                texts.push(text_at(if choice == 1 { then } else { otherwise }, row)?);
            }
            Vector::Texts {
                texts: texts.finish(),
                nulls,
            }
        }
    })
}

fn chosen_nulls<'v>(choices: &[u8], then: &Vector<'_>, otherwise: &Vector<'_>) -> Nulls<'v> {
    if !may_be_null(then) && !may_be_null(otherwise) {
        return None;
    }
    let at = |vector: &Vector<'_>, row: usize| match vector {
        Vector::Numbers { nulls, .. }
        | Vector::Dates { nulls, .. }
        | Vector::Booleans { nulls, .. }
        | Vector::Texts { nulls, .. } => u8::from(is_null(nulls, row)),
        Vector::Constant(value) => u8::from(*value == Value::Null),
    };
    Some(
        choices
            .iter()
            .enumerate()
            .map(|(row, &choice)| at(if choice == 1 { then } else { otherwise }, row))
            .collect(),
    )
}

fn may_be_null(vector: &Vector<'_>) -> bool {
    match vector {
        Vector::Numbers { nulls, .. }
        | Vector::Dates { nulls, .. }
        | Vector::Booleans { nulls, .. }
        | Vector::Texts { nulls, .. } => nulls.is_some(),
        Vector::Constant(value) => *value == Value::Null,
    }
}

fn number_at(vector: &Vector<'_>, row: usize) -> f64 {
    match vector {
        Vector::Numbers { values, .. } | Vector::Dates { values, .. } => values[row],
        Vector::Constant(Value::Number(value) | Value::Date(value)) => *value,
        _ => 0.0,
    }
}

fn boolean_at(vector: &Vector<'_>, row: usize) -> u8 {
    match vector {
        Vector::Booleans { values, .. } => values[row],
        Vector::Constant(Value::Boolean(value)) => u8::from(*value),
        _ => 0,
    }
}

/// None of a constant that is not well-formed.
fn text_at<'t>(vector: &'t Vector<'_>, row: usize) -> Option<&'t str> {
    match vector {
        Vector::Texts { texts, .. } => Some(texts.text(row)),
        Vector::Constant(Value::Text(Text::Utf8(text))) => Some(text),
        Vector::Constant(Value::Null) => Some(""),
        _ => None,
    }
}
