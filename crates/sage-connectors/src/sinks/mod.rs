//! Writers of each format, and what makes sinks of them.

mod arrow_writer;
mod csv_writer;
mod directory;
mod json_lines_writer;
mod json_writer;
mod parquet_writer;
mod text_lines_writer;

pub(crate) use arrow_writer::ArrowSink;
pub(crate) use csv_writer::CsvSink;
pub(crate) use directory::{DirectorySink, PartFiles};
pub(crate) use json_lines_writer::JsonLinesSink;
pub(crate) use json_writer::JsonSink;
pub(crate) use parquet_writer::ParquetSink;
pub(crate) use text_lines_writer::{TextLinesSink, well_formed};
