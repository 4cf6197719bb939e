//! Comparisons of whole columns.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::operation::Operation;
use crate::scalar::ordering_test;
use crate::text::{Text, compare};
use crate::value::Value;
use crate::vector::{Vector, either};

/// The kind of the values, for those that can be compared; none of null.
pub(crate) fn kind_of(vector: &Vector<'_>) -> Option<u8> {
    match vector {
        Vector::Numbers { .. } | Vector::Constant(Value::Number(_)) => Some(0),
        Vector::Dates { .. } | Vector::Constant(Value::Date(_)) => Some(1),
        Vector::Booleans { .. } | Vector::Constant(Value::Boolean(_)) => Some(2),
        Vector::Texts { .. } | Vector::Constant(Value::Text(_)) => Some(3),
        Vector::Constant(_) => None,
    }
}

/// A comparison of two columns of one kind; none of other columns.
pub(crate) fn comparison<'v>(
    operation: Operation,
    left: Vector<'v>,
    right: Vector<'v>,
    rows: usize,
) -> Option<Vector<'v>> {
    if kind_of(&left)? != kind_of(&right)? {
        return None;
    }
    match (left, right) {
        (Vector::Numbers { values: a, nulls: n }, Vector::Numbers { values: b, nulls: m })
        | (Vector::Dates { values: a, nulls: n }, Vector::Dates { values: b, nulls: m }) => {
            let pairs = a.iter().copied().zip(b.iter().copied());
            Some(Vector::Booleans {
                values: compare_pairs(operation, pairs),
                nulls: either(&n, &m),
            })
        }
        (Vector::Numbers { values, nulls }, Vector::Constant(Value::Number(other)))
        | (Vector::Dates { values, nulls }, Vector::Constant(Value::Date(other))) => {
            let pairs = values.iter().map(|&value| (value, other));
            Some(Vector::Booleans {
                values: compare_pairs(operation, pairs),
                nulls,
            })
        }
        (Vector::Constant(Value::Number(other)), Vector::Numbers { values, nulls })
        | (Vector::Constant(Value::Date(other)), Vector::Dates { values, nulls }) => {
            let pairs = values.iter().map(|&value| (other, value));
            Some(Vector::Booleans {
                values: compare_pairs(operation, pairs),
                nulls,
            })
        }
        (Vector::Booleans { values: a, nulls: n }, Vector::Booleans { values: b, nulls: m }) => {
            let values = a
                .iter()
                .zip(b.iter())
                .map(|(a, b)| holds(operation, a.cmp(b)))
                .collect();
            Some(Vector::Booleans {
                values,
                nulls: either(&n, &m),
            })
        }
        (Vector::Booleans { values, nulls }, Vector::Constant(Value::Boolean(other))) => {
            let values = values
                .iter()
                .map(|value| holds(operation, value.cmp(&u8::from(other))))
                .collect();
            Some(Vector::Booleans { values, nulls })
        }
        (Vector::Texts { texts: a, nulls: n }, Vector::Texts { texts: b, nulls: m }) => {
            let order = |row| {
                if a.is_ascii && b.is_ascii {
                    a.bytes(row).cmp(b.bytes(row))
                } else {
                    compare(a.text(row), b.text(row))
                }
            };
            let values = (0..rows).map(|row| holds(operation, order(row))).collect();
            Some(Vector::Booleans {
                values,
                nulls: either(&n, &m),
            })
        }
        (Vector::Texts { texts, nulls }, Vector::Constant(Value::Text(Text::Utf8(other)))) => {
            let is_equality = matches!(operation, Operation::Eq | Operation::Ne);
            let wanted = other.as_bytes();
            let order = |row| {
                if texts.is_ascii {
                    texts.bytes(row).cmp(wanted)
                } else {
                    compare(texts.text(row), &other)
                }
            };
            let values = if is_equality {
                let differs = u8::from(operation == Operation::Ne);
                (0..rows)
                    .map(|row| u8::from(texts.bytes(row) == wanted) ^ differs)
                    .collect()
            } else {
                (0..rows).map(|row| holds(operation, order(row))).collect()
            };
            Some(Vector::Booleans { values, nulls })
        }
        _ => None,
    }
}

fn holds(operation: Operation, ordering: Ordering) -> u8 {
    u8::from(ordering_test(operation)(ordering) ^ (operation == Operation::Ne))
}

#[expect(clippy::float_cmp, reason = "equal as JavaScript means it")]
fn compare_pairs<'r>(operation: Operation, pairs: impl Iterator<Item = (f64, f64)>) -> Cow<'r, [u8]> {
    Cow::Owned(match operation {
        Operation::Gt => pairs.map(|(a, b)| u8::from(a > b)).collect(),
        Operation::Ge => pairs.map(|(a, b)| u8::from(a >= b)).collect(),
        Operation::Lt => pairs.map(|(a, b)| u8::from(a < b)).collect(),
        Operation::Le => pairs.map(|(a, b)| u8::from(a <= b)).collect(),
        Operation::Ne => pairs.map(|(a, b)| u8::from(a != b)).collect(),
        _ => pairs.map(|(a, b)| u8::from(a == b)).collect(),
    })
}
