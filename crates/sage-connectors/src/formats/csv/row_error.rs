//! A record that cannot be read, as an error that names it.

use sage_types::{ErrorCode, SageError};

use crate::formats::csv::row_reader::{CsvColumn, RowFault};
use crate::input::ByteWindow;
use crate::lines::excerpt;

/// What is wrong with the record at `start` of the window.
#[derive(Debug)]
pub(crate) enum BadRecord<'a> {
    Row(&'a RowFault),
    /// The input ends between quotes.
    OpenQuote,
    /// Byte `at` of the window is none of UTF-8.
    Utf8 {
        at: usize,
    },
}

const SKIP: &str = "mend the file, or leave such records out with onError: 'skip'";

/// The error for a bad record. The context has `file`, `line` (from 1), `byte` (in the file), and where it is one cell's fault
/// `field`, `found` and `expected`.
pub(crate) fn row_error(
    window: &ByteWindow,
    columns: &[CsvColumn],
    start: usize,
    bad: &BadRecord<'_>,
) -> SageError {
    let width = columns.len();
    let name = |column: usize| columns.get(column).map_or("", |column| column.name.as_str());
    // The window may end sooner.
    let found_at = |at: usize, end: usize| {
        let text = window.bytes();
        let found = text.get(at..end.min(text.len())).unwrap_or_default();
        excerpt(found.trim_ascii_end(), 0)
    };
    match *bad {
        BadRecord::Row(RowFault::Width(found)) => {
            let found = *found as u64;
            let what = format!(
                "the record has {found} cells, {width} are expected; {SKIP}, or with width: 'pad' take missing cells for null"
            );
            place(window, ErrorCode::FormatCsv, start, &what)
                .with("found", found)
                .with("expected", width as u64)
        }
        BadRecord::Row(&RowFault::BehindQuote { column, at }) => {
            let line = window.bytes().get(at..).unwrap_or_default();
            let end = memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
            let found = excerpt(&line[..end], 0);
            let what = format!(
                "column {}: a quote inside quotes must be doubled, and nothing may follow the closing one: {found}; {SKIP}",
                name(column)
            );
            place(window, ErrorCode::FormatCsv, at, &what)
                .with("field", name(column))
                .with("found", found)
                .with(
                    "expected",
                    "a delimiter or the end of the line behind the closing quote",
                )
        }
        BadRecord::Row(&RowFault::Value { column, at, end }) => {
            let found = found_at(at, end);
            let expected = columns.get(column).map_or("", |column| column.kind.expected());
            let what = format!(
                "column {}: expected {expected}, found {found}; {SKIP}",
                name(column)
            );
            place(window, ErrorCode::FormatCsv, at, &what)
                .with("field", name(column))
                .with("found", found)
                .with("expected", expected)
        }
        BadRecord::OpenQuote => {
            let what = format!(
                "a quote is opened and never closed: {}; {SKIP}",
                found_at(start, start + 64)
            );
            place(window, ErrorCode::FormatCsv, start, &what)
        }
        BadRecord::Utf8 { at } => {
            let what = format!(
                "these bytes are not UTF-8: {}; {SKIP}, or take U+FFFD for them with invalidUtf8: 'replace'",
                found_at(at, at + 16)
            );
            place(window, ErrorCode::FormatUtf8, at, &what)
        }
    }
}

fn place(window: &ByteWindow, code: ErrorCode, at: usize, what: &str) -> SageError {
    let path = window.path().display().to_string();
    let (line, byte) = (window.line_of(at), window.position_of(at));
    SageError::new(code, format!("{path}, line {line}: {what}"))
        .with("file", path)
        .with("line", line)
        .with("byte", byte)
}
