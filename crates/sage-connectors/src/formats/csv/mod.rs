//! CSV: records of cells, with quotes as in RFC 4180.

mod cell_quoting;
mod column_type;
mod column_writer;
mod date_cell;
mod dialect;
mod head;
mod inference;
mod json_fields;
mod nulls;
mod record_start;
mod row_error;
mod row_reader;

pub(crate) use cell_quoting::CellQuoting;
pub(crate) use column_type::CsvType;
pub(crate) use column_writer::{ColumnWriter, push_json_cell};
use date_cell::parse_date;
pub(crate) use dialect::{CsvDialect, RecordEnd};
pub(crate) use head::HeadReader;
pub(crate) use json_fields::json_fields;
pub(crate) use nulls::Nulls;
pub(crate) use row_error::{BadRecord, row_error};
pub(crate) use row_reader::{CsvRowReader, Row};
