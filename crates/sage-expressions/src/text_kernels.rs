//! Operations on columns of well-formed texts. Where a result might not be well-formed, everything is decided row by row.

use std::borrow::Cow;

use crate::kernels::lengths;
use crate::operation::Operation;
use crate::text::{Text, slice, trim};
use crate::value::Value;
use crate::vector::{Nulls, Texts, TextsBuilder, Vector, either};

/// Operations that begin with a text.
pub(crate) fn of_texts<'v>(operation: Operation, operands: &[Vector<'v>], rows: usize) -> Option<Vector<'v>> {
    if operation == Operation::Concat {
        return concat(operands, rows);
    }
    let [Vector::Texts { texts, nulls }, rest @ ..] = operands else {
        return None;
    };
    match operation {
        Operation::Length => Some(Vector::Numbers {
            values: Cow::Owned(lengths(texts)),
            nulls: nulls.clone(),
        }),
        Operation::Lower => Some(mapped(texts, nulls, |text| Cow::Owned(text.to_lowercase()))),
        Operation::Upper => Some(mapped(texts, nulls, |text| Cow::Owned(text.to_uppercase()))),
        Operation::Trim => Some(mapped(texts, nulls, |text| Cow::Borrowed(trim(text)))),
        Operation::StartsWith => test(texts, nulls, rest, <[u8]>::starts_with),
        Operation::EndsWith => test(texts, nulls, rest, <[u8]>::ends_with),
        Operation::Contains => {
            let finder = memchr::memmem::Finder::new(constant(rest.first()?)?);
            let values = (0..texts.len())
                .map(|row| u8::from(finder.find(texts.bytes(row)).is_some()))
                .collect();
            Some(Vector::Booleans {
                values,
                nulls: nulls.clone(),
            })
        }
        Operation::Slice => {
            let number = |vector: &Vector<'_>| {
                if let Vector::Constant(Value::Number(number)) = vector {
                    Some(*number)
                } else {
                    None
                }
            };
            let (start, end) = match rest {
                [start] => (number(start)?, None),
                [start, end] => (number(start)?, Some(number(end)?)),
                _ => return None,
            };
            // Elsewhere a slice could cut a pair of surrogates.
            texts.is_ascii.then(|| {
                mapped(texts, nulls, |text| match slice(text, start, end) {
                    Text::Utf8(part) => Cow::Owned(part.into_owned()),
                    Text::Utf16(_) => Cow::Borrowed(""),
                })
            })
        }
        Operation::Replace => {
            let [search, replacement] = rest else { return None };
            let (search, replacement) = (constant_text(search)?, constant_text(replacement)?);
            Some(mapped(texts, nulls, |text| {
                Cow::Owned(text.replace(search, replacement))
            }))
        }
        _ => None,
    }
}

fn constant_text<'t>(vector: &'t Vector<'_>) -> Option<&'t str> {
    match vector {
        Vector::Constant(Value::Text(Text::Utf8(text))) => Some(text),
        _ => None,
    }
}

fn constant<'t>(vector: &'t Vector<'_>) -> Option<&'t [u8]> {
    constant_text(vector).map(str::as_bytes)
}

fn mapped<'v>(texts: &Texts<'_>, nulls: &Nulls<'v>, map: impl Fn(&str) -> Cow<'_, str>) -> Vector<'v> {
    let mut built = TextsBuilder::new(texts.len(), texts.data.len());
    for row in 0..texts.len() {
        built.push(&map(texts.text(row)));
    }
    Vector::Texts {
        texts: built.finish(),
        nulls: nulls.clone(),
    }
}

fn test<'v>(
    texts: &Texts<'_>,
    nulls: &Nulls<'v>,
    rest: &[Vector<'_>],
    test: fn(&[u8], &[u8]) -> bool,
) -> Option<Vector<'v>> {
    let wanted = constant(rest.first()?)?;
    let values = (0..texts.len())
        .map(|row| u8::from(test(texts.bytes(row), wanted)))
        .collect();
    Some(Vector::Booleans {
        values,
        nulls: nulls.clone(),
    })
}

fn concat<'v>(operands: &[Vector<'v>], rows: usize) -> Option<Vector<'v>> {
    let mut nulls: Nulls<'v> = None;
    let mut bytes = 0;
    for operand in operands {
        match operand {
            Vector::Texts { texts, nulls: own } => {
                nulls = either(&nulls, own);
                bytes += texts.data.len();
            }
            constant => bytes += constant_text(constant)?.len() * rows,
        }
    }
    let mut built = TextsBuilder::new(rows, bytes);
    for row in 0..rows {
        for operand in operands {
            match operand {
                Vector::Texts { texts, .. } => built.append(texts.bytes(row)),
                other => built.append(constant(other)?),
            }
        }
        built.end_row();
    }
    Some(Vector::Texts {
        texts: built.finish(),
        nulls,
    })
}

/// `in`: whether a value is one of several constants.
pub(crate) fn member<'v>(operands: &[Vector<'v>]) -> Option<Vector<'v>> {
    let (value, items) = operands.split_first()?;
    match value {
        Vector::Numbers { values, nulls } => {
            let items = items
                .iter()
                .map(|item| {
                    if let Vector::Constant(Value::Number(number)) = item {
                        Some(*number)
                    } else {
                        None
                    }
                })
                .collect::<Option<Vec<_>>>()?;
            #[expect(clippy::float_cmp, reason = "equal as JavaScript means it")]
            let values = values
                .iter()
                .map(|value| u8::from(items.iter().any(|item| item == value)))
                .collect();
            Some(Vector::Booleans {
                values,
                nulls: nulls.clone(),
            })
        }
        Vector::Texts { texts, nulls } => {
            let mut wanted = items.iter().map(constant).collect::<Option<Vec<_>>>()?;
            wanted.sort_unstable();
            let values = (0..texts.len())
                .map(|row| u8::from(wanted.binary_search(&texts.bytes(row)).is_ok()))
                .collect();
            Some(Vector::Booleans {
                values,
                nulls: nulls.clone(),
            })
        }
        _ => None,
    }
}
