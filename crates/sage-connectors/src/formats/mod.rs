//! What files hold: the values of each format, to columns and back.

pub(crate) mod arrow;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod parquet;
mod row_presence;
mod well_formed;

pub(crate) use row_presence::RowPresence;
pub(crate) use well_formed::{UNPAIRED_SURROGATE, well_formed};
