//! Native readers and writers: text lines, JSON lines, Parquet.

mod batch_sink;
mod batch_source;
mod columns;
mod compression;
mod files;
mod frame_maker;
mod input;
mod io_error;
mod json;
mod json_lines_sink;
mod json_lines_source;
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
pub use open_sink::open_sink;
pub use open_source::open_source;
pub use source_split::SourceSplit;
pub use split_plan::{SplitPlan, pin_source, plan_splits, probe};
