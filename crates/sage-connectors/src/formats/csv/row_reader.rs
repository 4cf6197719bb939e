//! Rows of CSV straight into columns.

use sage_frame::{Node, StringEncoding, presence};

use crate::columns::{ColumnData, ColumnNode, TextColumn, ValueKind};
use crate::formats::csv::column_type::{CellValue, CsvType, TypeOrigin, is_faithful};
use crate::formats::csv::dialect::{Cell, CsvDialect, RecordEnd, comment_end, line_end};
use crate::formats::csv::nulls::Nulls;
use crate::formats::json::{Number, parse_number, push_json_string};

/// A column of the file.
#[derive(Debug)]
pub(crate) struct CsvColumn {
    pub(crate) name: String,
    pub(crate) kind: CsvType,
    pub(crate) origin: TypeOrigin,
    /// `None`: nobody asked for it. A type that was given is checked all the same, so that it does not depend on what is
    /// read behind whether a row is good.
    node: Option<ColumnNode>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowFault {
    /// This many cells.
    Width(usize),
    /// Something follows the closing quote of a cell.
    BehindQuote { column: usize, at: usize },
    /// A cell that is none of its column's type.
    Value { column: usize, at: usize, end: usize },
}

impl RowFault {
    /// The same in a text before which there are `bytes` bytes.
    pub(crate) fn moved(self, bytes: usize) -> Self {
        match self {
            Self::Width(_) => self,
            Self::BehindQuote { column, at } => Self::BehindQuote {
                column,
                at: at + bytes,
            },
            Self::Value { column, at, end } => Self::Value {
                column,
                at: at + bytes,
                end: end + bytes,
            },
        }
    }
}

/// What reading a row gave.
#[derive(Debug)]
pub(crate) enum Row {
    /// It was added; the next one begins here.
    Added(usize),
    /// An empty line; the next row begins here.
    Empty(usize),
    /// A comment; the next row begins here.
    Comment(usize),
    /// The text ends before the row does.
    Incomplete,
    /// A column cannot hold it. Hand over the rows before, if any, and read the row again.
    Widen,
    /// It cannot be a record; the next row begins at `next`.
    Bad { next: usize, fault: RowFault },
}

enum Stop {
    Incomplete,
    Widen,
    Fault(RowFault),
}

/// Reads rows into columns.
#[derive(Debug)]
pub(crate) struct CsvRowReader {
    dialect: CsvDialect,
    columns: Vec<CsvColumn>,
    nulls: Nulls,
    /// Missing cells are null, and surplus ones may be empty.
    pad: bool,
    rows: usize,
    scratch: Vec<u8>,
}

impl CsvColumn {
    pub(crate) fn new(name: String, kind: CsvType, origin: TypeOrigin, kept: bool) -> Self {
        let node = kept.then(|| {
            let mut node = ColumnNode::unknown();
            node.specialise(match kind {
                CsvType::Text => ValueKind::Text,
                CsvType::Number => ValueKind::Number,
                CsvType::Bool => ValueKind::Bool,
                CsvType::Date => ValueKind::Date,
                CsvType::Json => ValueKind::Json,
            });
            node
        });
        Self {
            name,
            kind,
            origin,
            node,
        }
    }
}

impl CsvRowReader {
    pub(crate) fn new(dialect: CsvDialect, columns: Vec<CsvColumn>, nulls: Nulls, pad: bool) -> Self {
        Self {
            dialect,
            columns,
            nulls,
            pad,
            rows: 0,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn dialect(&self) -> &CsvDialect {
        &self.dialect
    }

    pub(crate) fn columns(&self) -> &[CsvColumn] {
        &self.columns
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Reads the row that begins at `start`.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8], start: usize) -> Row {
        if let Some(other) = self.no_row(text, start) {
            return other;
        }
        let stop = match self.cells(text, start) {
            Ok(next) => {
                self.rows += 1;
                return Row::Added(next);
            }
            Err(stop) => stop,
        };
        self.truncate();
        match stop {
            Stop::Incomplete => Row::Incomplete,
            Stop::Widen => {
                if self.rows == 0 {
                    self.apply_demotions();
                }
                Row::Widen
            }
            Stop::Fault(fault) => match self.dialect.record_end(text, start) {
                RecordEnd::At(next) => Row::Bad { next, fault },
                RecordEnd::Beyond { .. } => Row::Incomplete,
            },
        }
    }

    /// What begins at `start`, if it is no row.
    #[inline]
    fn no_row(&self, text: &[u8], start: usize) -> Option<Row> {
        let at = if self.dialect.trim {
            self.dialect.skip_blanks(text, start)
        } else {
            start
        };
        match text.get(at) {
            None => Some(Row::Incomplete),
            Some(b'\n' | b'\r') => Some(line_end(text, at).map_or(Row::Incomplete, Row::Empty)),
            Some(_) if self.dialect.is_comment(text, start) => {
                Some(comment_end(text, start).map_or(Row::Incomplete, Row::Comment))
            }
            Some(_) => None,
        }
    }

    #[inline]
    fn cells(&mut self, text: &[u8], start: usize) -> Result<usize, Stop> {
        let width = self.columns.len();
        let mut at = start;
        for index in 0..width {
            let terminator = self.cell(text, at, index)?;
            if text[terminator] == self.dialect.delimiter {
                at = terminator + 1;
                continue;
            }
            let next = line_end(text, terminator).ok_or(Stop::Incomplete)?;
            return self.end_row(index + 1, next);
        }
        self.surplus(text, at, width)
    }

    /// Reads a cell; gives the position of its delimiter or line end.
    #[inline]
    fn cell(&mut self, text: &[u8], at: usize, index: usize) -> Result<usize, Stop> {
        let column = &mut self.columns[index];
        // Most numbers are plain: their end is found by reading them.
        if let Some(node) = &mut column.node
            && let ColumnData::F64(values) = &mut node.data
            && !self.nulls.may_be_numbers()
            && let Number::Value { value, end } = parse_number(text, at)
            && let Some(&byte) = text.get(end)
            && self.dialect.is_terminator(byte)
            && (column.origin == TypeOrigin::Given || is_faithful(value, &text[at..end]))
        {
            values.push(value);
            node.mark_present();
            return Ok(end);
        }
        let cell = self.dialect.cell(text, at).ok_or(Stop::Incomplete)?;
        if cell.malformed {
            return Err(Stop::Fault(RowFault::BehindQuote { column: index, at }));
        }
        let raw = &text[cell.start..cell.end];
        let bytes = if cell.escaped {
            self.scratch.clear();
            self.dialect.unescape(raw, &mut self.scratch);
            &self.scratch
        } else {
            raw
        };
        match column.take(bytes, cell, &self.nulls) {
            Ok(()) => Ok(cell.terminator),
            Err(Unfit::Widen) => Err(Stop::Widen),
            Err(Unfit::Fault) => Err(Stop::Fault(RowFault::Value {
                column: index,
                at: cell.start,
                end: cell.end,
            })),
        }
    }

    /// Ends a row of `cells` cells, which may be too few.
    #[inline]
    fn end_row(&mut self, cells: usize, next: usize) -> Result<usize, Stop> {
        if cells < self.columns.len() {
            if !self.pad {
                return Err(Stop::Fault(RowFault::Width(cells)));
            }
            for column in &mut self.columns[cells..] {
                if let Some(node) = &mut column.node {
                    node.push_absent(presence::NULL);
                }
            }
        }
        Ok(next)
    }

    /// More cells than columns: where they are not empty the row is too wide.
    #[cold]
    fn surplus(&self, text: &[u8], start: usize, width: usize) -> Result<usize, Stop> {
        let mut cells = width;
        let mut at = start;
        let mut empty = true;
        loop {
            let cell = self.dialect.cell(text, at).ok_or(Stop::Incomplete)?;
            cells += 1;
            empty = empty && cell.start == cell.end && !cell.malformed;
            if text[cell.terminator] == self.dialect.delimiter {
                at = cell.terminator + 1;
                continue;
            }
            let next = line_end(text, cell.terminator).ok_or(Stop::Incomplete)?;
            return if self.pad && empty {
                Ok(next)
            } else {
                Err(Stop::Fault(RowFault::Width(cells)))
            };
        }
    }

    /// The record's node of the layout.
    pub(crate) fn layout(&self) -> Node {
        let kept = self.columns.iter().filter_map(|column| {
            let node = column.node.as_ref()?;
            Some((column.name.clone(), node.layout()))
        });
        Node::record(kept)
    }

    /// The buffers and encodings in the order of the layout.
    pub(crate) fn collect<'a>(&'a self, buffers: &mut Vec<&'a [u8]>, encodings: &mut Vec<StringEncoding>) {
        for node in self.columns.iter().filter_map(|column| column.node.as_ref()) {
            node.collect(buffers, encodings);
        }
    }

    /// Forgets the rows, which have been handed over.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        for node in self.nodes_mut() {
            node.clear();
        }
        self.apply_demotions();
    }

    /// Takes the row back that was added last.
    pub(crate) fn take_back(&mut self) {
        self.rows = self.rows.saturating_sub(1);
        self.truncate();
    }

    fn truncate(&mut self) {
        let rows = self.rows;
        for node in self.nodes_mut() {
            node.truncate(rows);
        }
    }

    fn apply_demotions(&mut self) {
        for node in self.nodes_mut() {
            node.apply_demotions();
        }
    }

    fn nodes_mut(&mut self) -> impl Iterator<Item = &mut ColumnNode> {
        self.columns.iter_mut().filter_map(|column| column.node.as_mut())
    }
}

enum Unfit {
    /// The column must become a JSON column first.
    Widen,
    /// The row is bad.
    Fault,
}

impl CsvColumn {
    /// Takes the text of a cell.
    #[inline]
    fn take(&mut self, text: &[u8], cell: Cell, nulls: &Nulls) -> Result<(), Unfit> {
        if nulls.is_null(text, cell.quoted, self.kind) {
            if let Some(node) = &mut self.node {
                node.push_absent(presence::NULL);
            }
            return Ok(());
        }
        if self.kind == CsvType::Text {
            if let Some(node) = &mut self.node
                && let ColumnData::Text(column) = &mut node.data
            {
                column.push_utf8(text);
                node.mark_present();
            }
            return Ok(());
        }
        self.take_typed(text)
    }

    fn take_typed(&mut self, text: &[u8]) -> Result<(), Unfit> {
        if self.node.is_none() && self.origin == TypeOrigin::Inferred {
            return Ok(());
        }
        let value = self.kind.value(self.origin, text);
        if value.is_none() && self.origin == TypeOrigin::Given {
            return Err(Unfit::Fault);
        }
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        match (&mut node.data, value) {
            (ColumnData::F64(values), Some(CellValue::Number(number))) => values.push(number),
            (ColumnData::Bool(values), Some(CellValue::Bool(bool))) => values.push(u8::from(bool)),
            (ColumnData::Date(values), Some(CellValue::Date(millis))) => values.push(millis),
            (ColumnData::Json(column), value) => push_json(text, value, column),
            _ => {
                node.demoted = true;
                return Err(Unfit::Widen);
            }
        }
        node.mark_present();
        Ok(())
    }
}

/// Adds a cell to a JSON column: one of JSON texts, or one in which not every cell is what the first ones were.
fn push_json(text: &[u8], value: Option<CellValue<'_>>, column: &mut TextColumn) {
    match value {
        Some(CellValue::Json(json)) => column.push_utf8(&json),
        // What is inferred to be a number is written as JSON writes it.
        Some(CellValue::Number(_)) => column.push_utf8(text),
        Some(CellValue::Bool(bool)) => column.push_ascii(if bool { b"true" } else { b"false" }),
        _ => {
            let mut string = Vec::with_capacity(text.len() + 2);
            push_json_string(text, &mut string);
            column.push_utf8(&string);
        }
    }
}
