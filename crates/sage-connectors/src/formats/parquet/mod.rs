//! Parquet files.

mod column_statistics;
mod file_error;

pub(crate) use column_statistics::ColumnStatistics;
pub(crate) use file_error::{corrupt, parquet_error};
