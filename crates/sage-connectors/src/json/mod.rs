//! JSON, with the values that JavaScript gives it.

mod cursor;
mod number;
mod row_reader;
mod unescape;

pub(crate) use cursor::{JsonCursor, SyntaxError};
pub(crate) use row_reader::{JsonRowReader, Line};
