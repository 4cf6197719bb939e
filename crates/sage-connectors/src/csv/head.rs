//! Names and types of the columns, from the beginning of a file.

use std::borrow::Cow;
use std::collections::HashSet;

use sage_frame::MAX_COLUMNS;
use sage_types::{ErrorCode, Result, SageError};

use crate::byte_window::ByteWindow;
use crate::csv::column_type::{CsvType, TypeOrigin};
use crate::csv::dialect::{CsvDialect, RecordEnd, line_end};
use crate::csv::inference::Inference;
use crate::csv::nulls::Nulls;
use crate::csv::row_reader::CsvColumn;
use crate::spec::{CsvAllTypes, CsvHeader, CsvSourceSpec, CsvTypes, InvalidUtf8};

/// Records that end behind this many bytes decide nothing about types.
const SAMPLE_BYTES: usize = 1 << 20;

/// Reads names and decides types; the window is then at the first record. `None`: the file has neither names nor records.
///
/// It depends on the first bytes of the file only, never on how they come in: all instances that read the file come to the same
/// columns.
///
/// # Errors
/// `SAGE_IO_*`, `SAGE_FORMAT_CSV` for a header that names no columns, `SAGE_FORMAT_UTF8`, `SAGE_FORMAT_COLUMN_MISSING`.
pub(crate) fn read_head(
    window: &mut ByteWindow,
    spec: &CsvSourceSpec,
    dialect: &CsvDialect,
    nulls: &Nulls,
) -> Result<Option<Vec<CsvColumn>>> {
    window.skip_byte_order_mark()?;
    skip_lines(window, spec.skip_lines)?;
    let Some((start, end)) = next_record(window, dialect, 0)? else {
        return Ok(None);
    };
    window.consume(start);
    let names = match &spec.header {
        CsvHeader::Names(names) => names.clone(),
        CsvHeader::InFile(false) => {
            let width = cells_of(dialect, window.bytes()).len();
            (0..width).map(|index| format!("column{index}")).collect()
        }
        CsvHeader::InFile(true) => {
            let names = header_names(window, spec, dialect)?;
            window.consume(end - start);
            names
        }
    };
    check_names(window, spec, &names)?;
    let given: Vec<Option<CsvType>> = names.iter().map(|name| given_type(&spec.types, name)).collect();
    let inferred = if given.contains(&None) {
        infer(window, spec, dialect, nulls, names.len())?
    } else {
        Vec::new()
    };
    let wanted: Option<HashSet<&str>> = spec
        .columns
        .as_ref()
        .map(|columns| columns.iter().map(String::as_str).collect());
    let columns: Vec<CsvColumn> = names
        .into_iter()
        .enumerate()
        .map(|(index, name)| {
            let kept = wanted
                .as_ref()
                .is_none_or(|wanted| wanted.contains(name.as_str()));
            match given[index] {
                Some(kind) => CsvColumn::new(name, kind, TypeOrigin::Given, kept),
                None => CsvColumn::new(name, inferred[index], TypeOrigin::Inferred, kept),
            }
        })
        .collect();
    let kept = columns.iter().filter(|column| column.is_kept()).count();
    if kept > MAX_COLUMNS {
        let what = format!(
            "has {kept} columns, and a record may have {MAX_COLUMNS}; name those to read with the option columns"
        );
        return Err(head_error(window, ErrorCode::FormatCsv, &what));
    }
    Ok(Some(columns))
}

fn given_type(types: &CsvTypes, name: &str) -> Option<CsvType> {
    match types {
        CsvTypes::All(CsvAllTypes::Infer) => None,
        CsvTypes::All(CsvAllTypes::String) => Some(CsvType::Text),
        CsvTypes::ByName(types) => types.get(name).map(|name| name.kind()),
    }
}

fn skip_lines(window: &mut ByteWindow, lines: u64) -> Result<()> {
    for _ in 0..lines {
        loop {
            let text = window.bytes();
            let found = memchr::memchr2(b'\n', b'\r', text);
            if let Some(end) = found.and_then(|found| line_end(text, found)) {
                window.consume(end);
                break;
            }
            if !window.read_more(0)? && !window.close_last_line() {
                window.consume(window.bytes().len());
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Start and end of the first record at or behind `at` in the window, comments and empty lines left away.
fn next_record(
    window: &mut ByteWindow,
    dialect: &CsvDialect,
    mut at: usize,
) -> Result<Option<(usize, usize)>> {
    loop {
        let text = window.bytes();
        match dialect.record_end(text, at) {
            RecordEnd::At(end) if dialect.is_comment(text, at) || is_empty_line(dialect, text, at) => {
                at = end;
            }
            RecordEnd::At(end) => return Ok(Some((at, end))),
            RecordEnd::Beyond { .. } => {
                if !window.read_more(at)? && !window.close_last_line() {
                    // What is left, if anything, is a quote that is not closed: reading on says so.
                    return Ok(None);
                }
            }
        }
    }
}

fn is_empty_line(dialect: &CsvDialect, text: &[u8], start: usize) -> bool {
    let at = if dialect.trim {
        dialect.skip_blanks(text, start)
    } else {
        start
    };
    matches!(text.get(at), Some(b'\n' | b'\r'))
}

/// The cells of the record at the start of `text`.
fn cells_of<'a>(dialect: &CsvDialect, text: &'a [u8]) -> Vec<Cow<'a, [u8]>> {
    let mut cells = Vec::new();
    let mut at = 0;
    while let Some(cell) = dialect.cell(text, at) {
        let raw = &text[cell.start..cell.end];
        cells.push(if cell.escaped {
            let mut bytes = Vec::new();
            dialect.unescape(raw, &mut bytes);
            Cow::Owned(bytes)
        } else {
            Cow::Borrowed(raw)
        });
        if text[cell.terminator] != dialect.delimiter {
            break;
        }
        at = cell.terminator + 1;
    }
    cells
}

/// The names of a header at the start of the window; an empty one is that of its number.
fn header_names(window: &ByteWindow, spec: &CsvSourceSpec, dialect: &CsvDialect) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (index, cell) in cells_of(dialect, window.bytes()).iter().enumerate() {
        let name = match std::str::from_utf8(cell) {
            Ok(name) => name.to_owned(),
            Err(_) if spec.invalid_utf8 == InvalidUtf8::Replace => String::from_utf8_lossy(cell).into_owned(),
            Err(_) => {
                let what = format!(
                    "the name of column {} is not UTF-8; the option invalidUtf8: 'replace' goes on",
                    index + 1
                );
                return Err(head_error(window, ErrorCode::FormatUtf8, &what));
            }
        };
        names.push(if name.is_empty() {
            format!("column{index}")
        } else {
            name
        });
    }
    Ok(names)
}

/// Each name once, and those that the user named are there.
fn check_names(window: &ByteWindow, spec: &CsvSourceSpec, names: &[String]) -> Result<()> {
    let mut known = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
        let what = format!(
            "two columns have the name {twice}; give names of your own: header: ['a', 'b' ...], skipLines: {}",
            window.line_of(0) - 1
        );
        return Err(head_error(window, ErrorCode::FormatCsv, &what).with("field", twice.as_str()));
    }
    let typed: Vec<&str> = match &spec.types {
        CsvTypes::All(_) => Vec::new(),
        CsvTypes::ByName(types) => types.keys().map(String::as_str).collect(),
    };
    let wanted = spec.columns.iter().flatten().map(String::as_str);
    let Some(absent) = wanted.chain(typed).find(|name| !known.contains(name)) else {
        return Ok(());
    };
    let what = format!("there is no column {absent}; the file has {}", names.join(", "));
    Err(head_error(window, ErrorCode::FormatColumnMissing, &what).with("field", absent))
}

/// Types by the first records of the window, which stay in it.
fn infer(
    window: &mut ByteWindow,
    spec: &CsvSourceSpec,
    dialect: &CsvDialect,
    nulls: &Nulls,
    width: usize,
) -> Result<Vec<CsvType>> {
    let mut columns = vec![Inference::new(); width];
    let mut at = 0;
    for _ in 0..spec.infer_rows {
        let Some((start, end)) = next_record(window, dialect, at)? else {
            break;
        };
        if end > SAMPLE_BYTES && at > 0 {
            break;
        }
        let cells = cells_of(dialect, &window.bytes()[start..end]);
        for (column, cell) in columns.iter_mut().zip(&cells) {
            // As in a column of numbers: what is null there says nothing about the type.
            if !nulls.is_null(cell, false, CsvType::Number) {
                column.see(cell);
            }
        }
        at = end;
    }
    Ok(columns.into_iter().map(Inference::conclusion).collect())
}

fn head_error(window: &ByteWindow, code: ErrorCode, what: &str) -> SageError {
    let path = window.path().display().to_string();
    let line = window.line_of(0);
    SageError::new(code, format!("{path}, line {line}: {what}"))
        .with("file", path)
        .with("line", line)
}
