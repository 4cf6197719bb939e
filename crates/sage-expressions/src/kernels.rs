//! Operations on whole columns. A kernel that cannot take its operands gives none; so does one whose result could depend on
//! which rows fail: then everything is decided row by row.

use std::borrow::Cow;

use crate::cast_kernels::cast;
use crate::choice_kernels::{coalesce, cond, is_null_kernel, logic};
use crate::comparison_kernels::{comparison, kind_of};
use crate::date::{DateUnit, truncate};
use crate::expression::{Call, Node};
use crate::operation::Operation;
use crate::scalar::{apply, arithmetic, part_of_date};
use crate::source::{Source, SourceData};
use crate::text::{Text, len_units};
use crate::text_kernels;
use crate::value::Value;
use crate::vector::{Nulls, Texts, Vector, either};

/// The values of an expression; none where they have to be found row by row.
pub(crate) fn evaluate<'v>(node: &'v Node, sources: &'v [Source<'_>], rows: usize) -> Option<Vector<'v>> {
    match node {
        Node::Column { index, .. } => load(sources.get(*index)?),
        Node::Literal { value, .. } => Some(Vector::Constant(value.clone())),
        Node::Call(call) => {
            let operands = call
                .operands
                .iter()
                .map(|operand| evaluate(operand, sources, rows))
                .collect::<Option<Vec<_>>>()?;
            call_kernel(call, operands, rows)
        }
    }
}

fn load<'v>(source: &'v Source<'_>) -> Option<Vector<'v>> {
    let nulls = source.absent.as_deref().map(Cow::Borrowed);
    Some(match &source.data {
        SourceData::Numbers(values) => Vector::Numbers {
            values: Cow::Borrowed(values),
            nulls,
        },
        SourceData::Whole(values) => Vector::Numbers {
            values: values.iter().map(|&value| f64::from(value)).collect(),
            nulls,
        },
        SourceData::Dates(values) => Vector::Dates {
            values: Cow::Borrowed(values),
            nulls,
        },
        SourceData::Booleans(values) => Vector::Booleans {
            values: Cow::Borrowed(values),
            nulls,
        },
        SourceData::Texts { column, rows } if rows.is_well_formed() => Vector::Texts {
            texts: Texts {
                ends: Cow::Borrowed(rows.ends()),
                data: Cow::Borrowed(rows.data()),
                is_ascii: column.encoding == sage_frame::StringEncoding::Ascii,
            },
            nulls,
        },
        SourceData::Nothing => Vector::Constant(Value::Null),
        SourceData::Texts { .. } | SourceData::Json { .. } | SourceData::Nested { .. } => return None,
    })
}

fn call_kernel<'v>(call: &'v Call, operands: Vec<Vector<'v>>, rows: usize) -> Option<Vector<'v>> {
    if let Some(constants) = constants(&operands) {
        // A constant that fails, fails only in rows that come to it.
        return apply(call, constants).ok().map(Vector::Constant);
    }
    let operation = call.operation;
    match operation {
        Operation::And => logic(&operands, rows, false),
        Operation::Or => logic(&operands, rows, true),
        Operation::Between => {
            let [value, low, high] = <[Vector<'v>; 3]>::try_from(operands).ok()?;
            // All three are of one kind, also where one has no part in it.
            let same = |a: &Vector<'_>, b: &Vector<'_>| {
                kind_of(a) == kind_of(b) || kind_of(a).is_none() || kind_of(b).is_none()
            };
            if !same(&low, &high) {
                return None;
            }
            let at_least = comparison(Operation::Ge, value.clone(), low, rows)?;
            let at_most = comparison(Operation::Le, value, high, rows)?;
            logic(&[at_least, at_most], rows, false)
        }
        Operation::IsNull => operands
            .into_iter()
            .next()
            .map(|value| is_null_kernel(&value, rows)),
        Operation::Coalesce => coalesce(operands, rows),
        Operation::Cond => cond(operands, rows),
        Operation::Filter => {
            let Vector::Booleans { values, nulls } = operands.into_iter().next()? else {
                return None;
            };
            let values = match nulls {
                None => values,
                Some(nulls) => values
                    .iter()
                    .zip(nulls.iter())
                    .map(|(&value, &null)| value & u8::from(null == 0))
                    .collect(),
            };
            Some(Vector::Booleans { values, nulls: None })
        }
        // Strict operations: of a null constant nothing is left, as long as the others are of the right kinds.
        _ if operands
            .iter()
            .any(|operand| matches!(operand, Vector::Constant(Value::Null))) =>
        {
            None
        }
        Operation::Eq | Operation::Ne | Operation::Gt | Operation::Ge | Operation::Lt | Operation::Le => {
            let [left, right] = <[Vector<'v>; 2]>::try_from(operands).ok()?;
            comparison(operation, left, right, rows)
        }
        Operation::In => text_kernels::member(&operands),
        Operation::Not => {
            let Vector::Booleans { values, nulls } = operands.into_iter().next()? else {
                return None;
            };
            Some(Vector::Booleans {
                values: values.iter().map(|&value| value ^ 1).collect(),
                nulls,
            })
        }
        Operation::ToNumber | Operation::ToText | Operation::ToBoolean | Operation::ToDate => {
            cast(operation, operands.into_iter().next()?)
        }
        _ => typed(operation, operands, rows),
    }
}

/// Operations that want operands of one kind.
fn typed(operation: Operation, operands: Vec<Vector<'_>>, rows: usize) -> Option<Vector<'_>> {
    match operands.first()? {
        Vector::Dates { values, nulls } => {
            if operation == Operation::Truncate {
                let Some(Vector::Constant(Value::Text(Text::Utf8(name)))) = operands.get(1) else {
                    return None;
                };
                let unit = DateUnit::from_name(name)?;
                let values = values.iter().map(|&millis| truncate(millis, unit)).collect();
                return Some(Vector::Dates {
                    values,
                    nulls: nulls.clone(),
                });
            }
            let is_part = matches!(
                operation,
                Operation::Year
                    | Operation::Month
                    | Operation::Day
                    | Operation::Hour
                    | Operation::Minute
                    | Operation::Second
                    | Operation::Weekday
                    | Operation::EpochMs
            );
            let values = values
                .iter()
                .map(|&millis| part_of_date(operation, millis))
                .collect();
            is_part.then(|| Vector::Numbers {
                values,
                nulls: nulls.clone(),
            })
        }
        Vector::Texts { .. } | Vector::Constant(Value::Text(_)) => {
            text_kernels::of_texts(operation, &operands, rows)
        }
        _ => numbers(operation, operands),
    }
}

/// The values of operands that are all constants.
fn constants<'v>(operands: &[Vector<'v>]) -> Option<Vec<Value<'v>>> {
    operands
        .iter()
        .map(|operand| {
            if let Vector::Constant(value) = operand {
                Some(value.clone())
            } else {
                None
            }
        })
        .collect()
}

/// Two numbers a row, or one; constants are not spread.
enum Numbers<'a> {
    Column(Cow<'a, [f64]>, Nulls<'a>),
    Constant(f64),
}

fn as_numbers(vector: Vector<'_>) -> Option<Numbers<'_>> {
    match vector {
        Vector::Numbers { values, nulls } => Some(Numbers::Column(values, nulls)),
        Vector::Constant(Value::Number(number)) => Some(Numbers::Constant(number)),
        _ => None,
    }
}

fn numbers(operation: Operation, operands: Vec<Vector<'_>>) -> Option<Vector<'_>> {
    let is_binary = matches!(
        operation,
        Operation::Add | Operation::Sub | Operation::Mul | Operation::Div | Operation::Mod
    );
    let is_unary = matches!(
        operation,
        Operation::Neg | Operation::Abs | Operation::Floor | Operation::Ceil | Operation::Round
    );
    if !is_binary && !is_unary {
        return None;
    }
    let mut operands = operands.into_iter();
    let first = as_numbers(operands.next()?)?;
    if is_unary {
        let Numbers::Column(values, nulls) = first else {
            return None;
        };
        return Some(Vector::Numbers {
            values: map_numbers(operation, &values),
            nulls,
        });
    }
    match (first, as_numbers(operands.next()?)?) {
        (Numbers::Column(left, left_nulls), Numbers::Column(right, right_nulls)) => {
            let nulls = either(&left_nulls, &right_nulls);
            let pairs = left.iter().copied().zip(right.iter().copied());
            Some(Vector::Numbers {
                values: map_pairs(operation, pairs),
                nulls,
            })
        }
        (Numbers::Column(left, nulls), Numbers::Constant(right)) => {
            let pairs = left.iter().map(|&left| (left, right));
            Some(Vector::Numbers {
                values: map_pairs(operation, pairs),
                nulls,
            })
        }
        (Numbers::Constant(left), Numbers::Column(right, nulls)) => {
            let pairs = right.iter().map(|&right| (left, right));
            Some(Vector::Numbers {
                values: map_pairs(operation, pairs),
                nulls,
            })
        }
        (Numbers::Constant(_), Numbers::Constant(_)) => None,
    }
}

/// One loop for each operation: what is done is then known outside of it.
fn map_pairs<'r>(operation: Operation, pairs: impl Iterator<Item = (f64, f64)>) -> Cow<'r, [f64]> {
    Cow::Owned(match operation {
        Operation::Add => pairs.map(|(a, b)| a + b).collect(),
        Operation::Sub => pairs.map(|(a, b)| a - b).collect(),
        Operation::Mul => pairs.map(|(a, b)| a * b).collect(),
        Operation::Div => pairs.map(|(a, b)| a / b).collect(),
        _ => pairs.map(|(a, b)| arithmetic(operation, a, b)).collect(),
    })
}

fn map_numbers<'r>(operation: Operation, values: &[f64]) -> Cow<'r, [f64]> {
    Cow::Owned(match operation {
        Operation::Neg => values.iter().map(|&a| -a).collect(),
        Operation::Abs => values.iter().map(|&a| a.abs()).collect(),
        _ => values.iter().map(|&a| arithmetic(operation, a, 0.0)).collect(),
    })
}

/// UTF-16 code units of each text.
pub(crate) fn lengths(texts: &Texts<'_>) -> Vec<f64> {
    (0..texts.len())
        .map(|row| {
            if texts.is_ascii {
                texts.bytes(row).len() as f64
            } else {
                len_units(texts.text(row)) as f64
            }
        })
        .collect()
}
