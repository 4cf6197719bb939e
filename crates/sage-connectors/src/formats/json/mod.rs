//! JSON, with the values that JavaScript gives it.

mod cursor;
mod document_scanner;
mod json_object;
mod json_rows;
mod number;
mod object_members;
mod project_object;
mod row_reader;
mod row_writer;
mod scalar_column;
mod string_text;
mod structure;
mod unescape;

pub(crate) use cursor::{JsonCursor, SyntaxError};
pub(crate) use document_scanner::{DocumentScanner, Scan};
pub(crate) use json_object::{JsonMember, json_members, one_line};
pub(crate) use json_rows::JsonRows;
pub(crate) use number::{Number, parse as parse_number};
pub(crate) use row_reader::{JsonRowReader, Line};
pub(crate) use row_writer::{JsonRowWriter, array_index_first};
pub(crate) use sage_frame::{push_integer, push_iso_date, push_json_number, push_number};
pub(crate) use scalar_column::ScalarColumn;
pub(crate) use string_text::push_json_string;
pub(crate) use unescape::unescape;
