//! Native readers and writers: text lines, JSON lines, CSV, JSON, Parquet.

mod batch_sink;
mod batch_source;
mod byte_window;
mod columns;
mod csv;
mod csv_sink;
mod csv_source;
mod frame_maker;
#[cfg(test)]
mod input_pieces;
mod input_range;
mod io_error;
mod json;
mod json_lines_sink;
mod json_lines_source;
mod json_sink;
mod json_source;
mod lines;
mod open_file;
mod open_sink;
mod open_source;
mod output;
mod parquet;
mod parquet_sink;
mod parquet_source;
mod source_split;
mod spec;
mod split_plan;
mod text_lines_sink;
mod text_lines_source;
mod wtf8;

pub use batch_sink::{BatchSink, SinkReport};
pub use batch_source::{BatchSource, SourceStatistics};
pub use open_sink::open_sink;
pub use open_source::open_source;
pub use source_split::SourceSplit;
pub use split_plan::{SplitPlan, pin_source, plan_splits, probe};
