//! Writers of each format, and what makes sinks of them.

mod arrow_writer;
mod csv_writer;
mod directory;
mod json_lines_writer;
mod json_writer;
mod line_sink;
mod line_writer;
mod parquet_writer;
mod part_sink;
mod parts_sink;
mod record_batch_sink;
mod record_batch_writer;
mod saved_parts;
mod segment;
mod text_lines_writer;

pub(crate) use arrow_writer::ArrowWriter;
pub(crate) use csv_writer::CsvWriter;
pub(crate) use directory::{DirectorySink, OpenFile, PartFiles};
pub(crate) use json_lines_writer::JsonLinesWriter;
pub(crate) use json_writer::JsonWriter;
pub(crate) use line_sink::LineSink;
pub(crate) use line_writer::LineWriter;
pub(crate) use parquet_writer::ParquetWriter;
pub(crate) use part_sink::{Beginning, PartSink};
pub(crate) use parts_sink::{OpenPart, PartsSink};
pub(crate) use record_batch_sink::RecordBatchSink;
pub(crate) use record_batch_writer::RecordBatchWriter;
pub(crate) use text_lines_writer::TextLinesWriter;
