//! Readers of each format, and what makes sources of them.

mod arrow_reader;
mod batch_reader;
mod csv_reader;
#[cfg(test)]
mod input_pieces;
mod json_lines_reader;
mod json_reader;
mod parquet_reader;
mod part_sequence;
mod reader_source;
mod source_position;
mod text_lines_reader;

pub(crate) use arrow_reader::{ArrowReader, count_record_batches};
pub(crate) use batch_reader::{BatchReader, PartReader};
pub(crate) use csv_reader::CsvReader;
pub(crate) use json_lines_reader::JsonLinesReader;
pub(crate) use json_reader::JsonReader;
pub(crate) use parquet_reader::ParquetReader;
pub(crate) use part_sequence::PartSequence;
pub(crate) use reader_source::ReaderSource;
pub(crate) use source_position::SourcePosition;
pub(crate) use text_lines_reader::TextLinesReader;
