//! Casts of whole columns. Where a text cannot be read, everything is decided row by row.

use std::borrow::Cow;

use crate::date::{parse_iso_date, time_clip};
use crate::operation::Operation;
use crate::scalar::{date_text, number_text, parse_number};
use crate::text::Text;
use crate::vector::{Nulls, Texts, TextsBuilder, Vector, is_null};

/// A cast of a column.
pub(crate) fn cast(operation: Operation, value: Vector<'_>) -> Option<Vector<'_>> {
    match (operation, value) {
        (Operation::ToNumber, value @ Vector::Numbers { .. })
        | (Operation::ToText, value @ Vector::Texts { .. })
        | (Operation::ToBoolean, value @ Vector::Booleans { .. })
        | (Operation::ToDate, value @ Vector::Dates { .. }) => Some(value),
        (Operation::ToNumber, Vector::Dates { values, nulls }) => Some(Vector::Numbers { values, nulls }),
        (Operation::ToNumber, Vector::Booleans { values, nulls }) => Some(Vector::Numbers {
            values: values.iter().map(|&value| f64::from(value)).collect(),
            nulls,
        }),
        (Operation::ToNumber, Vector::Texts { texts, nulls }) => Some(Vector::Numbers {
            values: parse_all(&texts, &nulls, parse_number)?,
            nulls,
        }),
        (Operation::ToBoolean, Vector::Numbers { values, nulls }) => Some(Vector::Booleans {
            values: values
                .iter()
                .map(|&value| u8::from(!(value == 0.0 || value.is_nan())))
                .collect(),
            nulls,
        }),
        (Operation::ToDate, Vector::Numbers { values, nulls }) => Some(Vector::Dates {
            values: values.iter().map(|&value| time_clip(value)).collect(),
            nulls,
        }),
        (Operation::ToDate, Vector::Texts { texts, nulls }) => Some(Vector::Dates {
            values: parse_all(&texts, &nulls, parse_iso_date)?,
            nulls,
        }),
        (Operation::ToText, Vector::Numbers { values, nulls }) => Some(Vector::Texts {
            texts: write_all(&values, number_text),
            nulls,
        }),
        (Operation::ToText, Vector::Dates { values, nulls }) => Some(Vector::Texts {
            texts: write_all(&values, date_text),
            nulls,
        }),
        _ => None,
    }
}

/// None where one cannot be read.
fn parse_all<'r>(
    texts: &Texts<'_>,
    nulls: &Nulls<'_>,
    parse: impl Fn(&str) -> Option<f64>,
) -> Option<Cow<'r, [f64]>> {
    let parsed: Option<Vec<f64>> = (0..texts.len())
        .map(|row| {
            if is_null(nulls, row) {
                Some(0.0)
            } else {
                parse(texts.text(row))
            }
        })
        .collect();
    parsed.map(Cow::Owned)
}

fn write_all(values: &[f64], write: impl Fn(f64) -> Text<'static>) -> Texts<'static> {
    let mut texts = TextsBuilder::new(values.len(), values.len() * 8);
    for &value in values {
        if let Text::Utf8(text) = write(value) {
            texts.append(text.as_bytes());
        }
        texts.end_row();
    }
    texts.finish()
}
