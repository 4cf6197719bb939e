//! What files hold: the values of each format, to columns and back.

pub(crate) mod arrow;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod parquet;
