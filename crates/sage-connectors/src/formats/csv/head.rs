//! Names and types of the columns, from the beginning of a file.

use std::collections::HashSet;
use std::sync::Arc;

use sage_frame::MAX_COLUMNS;
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::csv::column_type::{CsvType, TypeOrigin};
use crate::formats::csv::dialect::{CsvDialect, RecordEnd, line_end};
use crate::formats::csv::inference::Inference;
use crate::formats::csv::nulls::Nulls;
use crate::formats::csv::record_start::skip_to_record;
use crate::formats::csv::row_reader::CsvColumn;
use crate::input::{ByteWindow, Interrupt};
use crate::spec::{CsvAllTypes, CsvHeader, CsvSourceSpec, CsvTypes, InvalidUtf8};

/// Records that end behind this many bytes decide nothing about types.
const SAMPLE_BYTES: usize = 1 << 20;

/// Reads names and decides types, and goes to the first record of a range.
///
/// What it finds depends on the first bytes of the file only, never on how they come in: all instances that read the file come to
/// the same columns.
#[derive(Debug)]
pub(crate) struct HeadReader {
    spec: Arc<CsvSourceSpec>,
    dialect: CsvDialect,
    nulls: Nulls,
    /// Records that begin before this byte belong to others.
    range_start: u64,
    stage: Stage,
}

/// What comes next. What was before is used up, so that reading can pause anywhere.
#[derive(Debug)]
enum Stage {
    ByteOrderMark,
    /// So many lines that are no part of the table.
    Lines(u64),
    Names,
    Types(Vec<String>),
    Records(Vec<CsvColumn>),
}

impl HeadReader {
    pub(crate) fn new(spec: Arc<CsvSourceSpec>, dialect: CsvDialect, nulls: Nulls, range_start: u64) -> Self {
        Self {
            spec,
            dialect,
            nulls,
            range_start,
            stage: Stage::ByteOrderMark,
        }
    }

    pub(crate) fn dialect(&self) -> &CsvDialect {
        &self.dialect
    }

    /// Reads up to the first record of the range; the columns, or `None` when the file has neither names nor records. Called
    /// again after it had to wait, and not after it gave them.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_CSV` for a header that names no columns, `SAGE_FORMAT_UTF8`, `SAGE_FORMAT_COLUMN_MISSING`.
    pub(crate) fn read(&mut self, window: &mut ByteWindow) -> Result<Option<Vec<CsvColumn>>, Interrupt> {
        loop {
            self.stage = match &mut self.stage {
                Stage::ByteOrderMark => {
                    window.skip_byte_order_mark()?;
                    Stage::Lines(self.spec.skip_lines)
                }
                Stage::Lines(left) => {
                    skip_lines(window, left)?;
                    Stage::Names
                }
                Stage::Names => match read_names(window, &self.spec, &self.dialect)? {
                    Some(names) => Stage::Types(names),
                    None => return Ok(None),
                },
                Stage::Types(names) => {
                    let columns = decide_types(window, &self.spec, &self.dialect, &self.nulls, names)?;
                    Stage::Records(columns)
                }
                Stage::Records(columns) => {
                    skip_to_record(window, &self.dialect, self.range_start)?;
                    return Ok(Some(std::mem::take(columns)));
                }
            };
        }
    }
}

/// The names of the columns; the window is then behind them.
fn read_names(
    window: &mut ByteWindow,
    spec: &CsvSourceSpec,
    dialect: &CsvDialect,
) -> Result<Option<Vec<String>>, Interrupt> {
    let first = next_record(window, dialect, 0)?;
    let (start, end) = match first {
        NextRecord::At { start, end } => (start, Some(end)),
        NextRecord::Open { start } => (start, None),
        NextRecord::None => return Ok(None),
    };
    window.consume(start);
    let line = window.line_of(0);
    let names = match (&spec.header, end) {
        (CsvHeader::Names(names), _) => names.clone(),
        (CsvHeader::InFile(false), _) => {
            // The cell that is not closed is one too.
            let width = dialect.cells(window.bytes()).len() + usize::from(end.is_none());
            (0..width).map(|index| format!("column{index}")).collect()
        }
        (CsvHeader::InFile(true), Some(end)) => {
            let names = header_names(window, spec, dialect)?;
            window.consume(end - start);
            names
        }
        (CsvHeader::InFile(true), None) => {
            let what = "the names of the columns have a quote that is opened and never closed; mend the file, or give the option quote: false if quotes are text";
            return Err(head_error(window, line, ErrorCode::FormatCsv, what).into());
        }
    };
    check_names(window, spec, &names, line)?;
    Ok(Some(names))
}

/// The columns of these names, with types by the first records, which stay in the window.
fn decide_types(
    window: &mut ByteWindow,
    spec: &CsvSourceSpec,
    dialect: &CsvDialect,
    nulls: &Nulls,
    names: &[String],
) -> Result<Vec<CsvColumn>, Interrupt> {
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
    let columns = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let kept = wanted
                .as_ref()
                .is_none_or(|wanted| wanted.contains(name.as_str()));
            match given[index] {
                Some(kind) => CsvColumn::new(name.clone(), kind, TypeOrigin::Given, kept),
                None => CsvColumn::new(name.clone(), inferred[index], TypeOrigin::Inferred, kept),
            }
        })
        .collect();
    Ok(columns)
}

fn given_type(types: &CsvTypes, name: &str) -> Option<CsvType> {
    match types {
        CsvTypes::All(CsvAllTypes::Infer) => None,
        CsvTypes::All(CsvAllTypes::String) => Some(CsvType::Text),
        CsvTypes::ByName(types) => types.get(name).map(|name| name.kind()),
    }
}

/// Uses up lines, and counts them down.
fn skip_lines(window: &mut ByteWindow, left: &mut u64) -> Result<(), Interrupt> {
    while *left > 0 {
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
        *left -= 1;
    }
    Ok(())
}

/// What follows a position of the window, comments and empty lines left away.
enum NextRecord {
    At {
        start: usize,
        end: usize,
    },
    /// A record with a quote that the input does not close.
    Open {
        start: usize,
    },
    None,
}

/// The first record at or behind `at` in the window.
fn next_record(
    window: &mut ByteWindow,
    dialect: &CsvDialect,
    mut at: usize,
) -> Result<NextRecord, Interrupt> {
    loop {
        let text = window.bytes();
        match dialect.record_end(text, at) {
            RecordEnd::At(end) if dialect.is_comment(text, at) || is_empty_line(dialect, text, at) => {
                at = end;
            }
            RecordEnd::At(end) => return Ok(NextRecord::At { start: at, end }),
            RecordEnd::Beyond { .. } => {
                if !window.read_more(at)? && !window.close_last_line() {
                    return Ok(if at < window.bytes().len() {
                        NextRecord::Open { start: at }
                    } else {
                        NextRecord::None
                    });
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

/// The names of a header at the start of the window; an empty one is that of its number.
fn header_names(window: &ByteWindow, spec: &CsvSourceSpec, dialect: &CsvDialect) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (index, cell) in dialect.cells(window.bytes()).iter().enumerate() {
        let name = match std::str::from_utf8(cell) {
            Ok(name) => name.to_owned(),
            Err(_) if spec.invalid_utf8 == InvalidUtf8::Replace => String::from_utf8_lossy(cell).into_owned(),
            Err(_) => {
                let fix = if begins_as_utf16(window.bytes()) {
                    "the table begins as UTF-16 does, convert the file to UTF-8"
                } else {
                    "the option invalidUtf8: 'replace' goes on"
                };
                let what = format!("the name of column {} is not UTF-8; {fix}", index + 1);
                return Err(head_error(
                    window,
                    window.line_of(0),
                    ErrorCode::FormatUtf8,
                    &what,
                ));
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

/// Each name once, those that the user named are there, and no more than a record may have. The names are those of `line`, and the
/// window is behind them.
fn check_names(window: &ByteWindow, spec: &CsvSourceSpec, names: &[String], line: u64) -> Result<()> {
    let mut known = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
        let what = format!(
            "two columns have the name {twice}; give names of your own: header: ['a', 'b' ...], skipLines: {}",
            window.line_of(0) - 1
        );
        return Err(head_error(window, line, ErrorCode::FormatCsv, &what).with("field", twice.as_str()));
    }
    let kept = spec.columns.as_ref().map_or(names.len(), Vec::len);
    if kept > MAX_COLUMNS {
        let what = format!(
            "the table has {kept} columns, and a record may have {MAX_COLUMNS}; name those to read with the option columns"
        );
        return Err(head_error(window, line, ErrorCode::FormatCsv, &what));
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
    Err(head_error(window, line, ErrorCode::FormatColumnMissing, &what).with("field", absent))
}

/// Types by the first records of the window, which stay in it.
fn infer(
    window: &mut ByteWindow,
    spec: &CsvSourceSpec,
    dialect: &CsvDialect,
    nulls: &Nulls,
    width: usize,
) -> Result<Vec<CsvType>, Interrupt> {
    let mut columns = vec![Inference::new(); width];
    let mut at = 0;
    for _ in 0..spec.infer_rows {
        // A quote that is not closed: reading on says so.
        let NextRecord::At { start, end } = next_record(window, dialect, at)? else {
            break;
        };
        if end > SAMPLE_BYTES && at > 0 {
            break;
        }
        let cells = dialect.cells(&window.bytes()[start..end]);
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

/// With a byte order mark of it.
fn begins_as_utf16(text: &[u8]) -> bool {
    text.starts_with(&[0xFF, 0xFE]) || text.starts_with(&[0xFE, 0xFF])
}

fn head_error(window: &ByteWindow, line: u64, code: ErrorCode, what: &str) -> SageError {
    let path = window.path().display().to_string();
    SageError::new(code, format!("{path}, line {line}: {what}"))
        .with("file", path)
        .with("line", line)
}
