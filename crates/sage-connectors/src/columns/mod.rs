//! Columns that native readers fill row by row.

mod column_node;
mod frame_maker;
mod quoted_name;
mod record_column;
mod text_column;

pub(crate) use column_node::{ColumnData, ColumnNode, ValueKind};
pub(crate) use frame_maker::FrameMaker;
pub(crate) use quoted_name::QuotedName;
pub(crate) use record_column::RecordColumn;
pub(crate) use text_column::TextColumn;
