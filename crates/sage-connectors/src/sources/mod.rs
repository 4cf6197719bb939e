//! Readers of each format, and what makes sources of them.

mod arrow_reader;
mod csv_reader;
#[cfg(test)]
mod input_pieces;
mod json_lines_reader;
mod json_reader;
mod parquet_reader;
mod part_sequence;
mod text_lines_reader;

pub(crate) use arrow_reader::{ArrowReader, count_record_batches};
pub(crate) use csv_reader::CsvReader;
pub(crate) use json_lines_reader::JsonLinesSource;
pub(crate) use json_reader::JsonReader;
#[cfg(test)]
pub(crate) use json_reader::JsonRows;
pub(crate) use parquet_reader::ParquetReader;
pub(crate) use part_sequence::{PartReader, PartSequence};
pub(crate) use text_lines_reader::TextLinesSource;
