//! Values that an expression cannot take.

use sage_types::{ErrorCode, SageError};

use crate::expression::Call;
use crate::text::Text;
use crate::value::Kind;

/// Longest part of a text that a message has, in UTF-16 code units.
const SHOWN_UNITS: u8 = 40;

/// The error of a record whose value an operation cannot take; in the words of JavaScript.
pub(crate) fn value_failure(call: &Call, place: usize, found: Kind, needed: &str) -> SageError {
    let operand = call.operands.get(place).map_or("", |operand| operand.text());
    SageError::new(
        ErrorCode::ExpressionValue,
        format!(
            "{operand} is {}, and {} needs {needed}",
            found.described(),
            call.text
        ),
    )
}

/// The error of a record with a text that a cast cannot read.
pub(crate) fn cast_failure(call: &Call, text: &Text<'_>, what: &str) -> SageError {
    let operand = call.operands.first().map_or("", |operand| operand.text());
    let is_long = text.len_units() > usize::from(SHOWN_UNITS);
    let shown = text.slice(0.0, Some(f64::from(SHOWN_UNITS)));
    SageError::new(
        ErrorCode::ExpressionValue,
        format!(
            "{operand} is the text '{}{}', of which {} can make no {what}",
            shown.to_message(),
            if is_long { "..." } else { "" },
            call.text
        ),
    )
}
