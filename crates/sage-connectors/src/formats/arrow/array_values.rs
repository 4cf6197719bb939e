//! Values of Arrow arrays as columns have them.

use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType};

use crate::columns::TextColumn;

/// The array in another type; values that it does not hold are an error.
pub(crate) fn cast_to(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type {
        return Ok(ArrayRef::clone(array));
    }
    let options = arrow_cast::CastOptions {
        safe: false,
        ..arrow_cast::CastOptions::default()
    };
    arrow_cast::cast_with_options(array, data_type, &options)
}

/// Puts the filler where there is no value: arrays hold anything there.
pub(crate) fn clear_nulls<T: Copy>(values: &mut [T], nulls: Option<&NullBuffer>, filler: T) {
    if let Some(nulls) = nulls {
        for (row, value) in values.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *value = filler;
            }
        }
    }
}

/// Narrows to 32 bits; false when some value does not fit.
pub(crate) fn narrow(values: &[i64], nulls: Option<&NullBuffer>, small: &mut Vec<i32>) -> bool {
    small.clear();
    if nulls.is_none() {
        #[expect(clippy::cast_possible_truncation, reason = "checked below, all at once")]
        small.extend(values.iter().map(|&value| value as i32));
        return values.iter().zip(&*small).fold(true, |fits, (&value, &narrow)| {
            fits & (value == i64::from(narrow))
        });
    }
    for (row, &value) in values.iter().enumerate() {
        let value = if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            0
        } else {
            value
        };
        let Ok(value) = i32::try_from(value) else {
            return false;
        };
        small.push(value);
    }
    true
}

/// Takes the strings of an array in place of those before.
pub(crate) fn load_text<O: OffsetSizeTrait>(
    column: &mut TextColumn,
    array: &GenericStringArray<O>,
    nulls: Option<&NullBuffer>,
) {
    column.clear();
    let offsets = array.value_offsets();
    if nulls.is_none()
        && let (Some(first), Some(last)) = (offsets.first(), offsets.last())
    {
        let (first, last) = (first.as_usize(), last.as_usize());
        let bytes = array.value_data().get(first..last).unwrap_or_default();
        if bytes.is_ascii() {
            column.extend_ascii(offsets.iter().skip(1).map(|end| end.as_usize() - first), bytes);
            return;
        }
    }
    for row in 0..array.len() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            column.push_filler();
        } else {
            column.push_utf8(array.value(row).as_bytes());
        }
    }
}

/// Text that a file says is JSON must be JSON: it goes into records as it is.
pub(crate) fn check_json(
    column: &str,
    array: &GenericStringArray<i64>,
    nulls: Option<&NullBuffer>,
) -> Result<(), ArrowError> {
    for row in 0..array.len() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            continue;
        }
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(array.value(row)) {
            return Err(ArrowError::ParseError(format!(
                "the file says that column '{column}' is JSON, but a text of it is not: {error}"
            )));
        }
    }
    Ok(())
}
