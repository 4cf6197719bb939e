//! Native readers and writers: text lines, JSON lines, CSV, JSON, Parquet, Arrow.

mod arrow;
mod arrow_reader;
mod arrow_sink;
mod batch_sink;
mod batch_source;
mod byte_window;
mod cancellation;
mod columns;
mod compression;
mod csv;
mod csv_reader;
mod csv_sink;
mod directory;
mod files;
mod frame_maker;
mod input;
#[cfg(test)]
mod input_pieces;
mod io_error;
mod json;
mod json_lines_sink;
mod json_lines_source;
mod json_reader;
mod json_sink;
mod lines;
mod open_file;
mod open_sink;
mod open_source;
mod output;
mod parquet;
mod parquet_reader;
mod parquet_sink;
mod part_sequence;
mod source_split;
mod spec;
mod split_plan;
mod text_lines_sink;
mod text_lines_source;
mod wtf8;

pub use batch_sink::{BatchSink, SinkReport};
pub use batch_source::{BatchSource, NextBatch, SourceStatistics};
pub use cancellation::Cancellation;
pub use open_sink::open_sink;
pub use open_source::open_source;
pub use source_split::SourceSplit;
pub use split_plan::{SplitPlan, pin_source, plan_splits, probe};
