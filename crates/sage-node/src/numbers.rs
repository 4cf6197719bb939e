//! Numbers on their way to JavaScript.

use sage_types::Result;

use crate::guard::internal;

/// A time of JavaScript in whole milliseconds since 1970; what is before that, or no number, is 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast keeps to the range, and makes 0 of what is no number"
)]
pub(crate) const fn millis(now_ms: f64) -> u64 {
    now_ms as u64
}

/// A number that the N-API carries as an `i32`.
///
/// # Errors
/// `SAGE_INTERNAL` from 2^31 on.
pub(crate) fn small(number: usize) -> Result<i32> {
    i32::try_from(number).map_err(|_| internal(format!("{number} does not fit 31 bits")))
}
