//! Arrow arrays to and from batches, for the formats whose libraries speak them.

mod array_values;
mod batch_pieces;
mod column_frames;
mod column_loader;
mod column_plan;
mod field_path;
mod file_footer;
mod first_batches;
mod guarded;
mod nested_text;
mod record_batches;
mod sink_arrays;
mod sink_schema;

pub(crate) use batch_pieces::batch_pieces;
pub(crate) use column_frames::ColumnFrames;
pub(crate) use column_loader::LoadError;
pub(crate) use column_plan::{ColumnFacts, NoFacts, kept_columns};
pub(crate) use file_footer::file_footer;
pub(crate) use guarded::guarded;
pub(crate) use record_batches::RecordBatches;
