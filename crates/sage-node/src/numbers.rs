//! Numbers on their way to JavaScript.

use sage_types::Result;

use crate::guard::internal;

/// A number that the N-API carries as an `i32`.
///
/// # Errors
/// `SAGE_INTERNAL` from 2^31 on.
pub(crate) fn small(number: usize) -> Result<i32> {
    i32::try_from(number).map_err(|_| internal(format!("{number} does not fit 31 bits")))
}
