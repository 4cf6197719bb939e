//! Parquet files.

mod array_values;
mod column_loader;
mod column_plan;
mod column_statistics;
mod field_path;
mod file_error;
mod first_batches;
mod guarded;
mod nested_text;
mod sink_arrays;
mod sink_schema;

pub(crate) use column_loader::{ColumnLoader, LoadError};
pub(crate) use column_plan::plan_columns;
pub(crate) use column_statistics::ColumnStatistics;
pub(crate) use file_error::{corrupt, parquet_error};
pub(crate) use first_batches::FirstBatches;
pub(crate) use guarded::guarded;
pub(crate) use sink_arrays::SinkArrays;
pub(crate) use sink_schema::SinkColumn;
