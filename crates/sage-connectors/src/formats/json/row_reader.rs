//! Lines of JSON straight into columns.

use std::collections::HashSet;

use sage_frame::{MAX_COLUMNS, Node, StringEncoding, presence};

use crate::columns::{ColumnData, ColumnNode, RecordColumn, TextColumn, ValueKind};
use crate::formats::json::cursor::{JsonCursor, RawString, SyntaxError};
use crate::formats::json::project_object::project_object;
use crate::formats::json::unescape::unescape;

/// A nested object with more fields than this is used as a map and becomes a `json` column.
const MAX_NESTED_FIELDS: usize = 64;
/// An object nested deeper than this becomes a `json` column.
const MAX_DEPTH: u32 = 16;
/// Names of fields that the projection leaves away which are remembered, so that they can be foreseen.
const MAX_FIELDS_LEFT_AWAY: usize = 512;

/// What reading a line gave.
#[derive(Debug)]
pub(crate) enum Line {
    /// A row was added; the cursor is at the start of the next line.
    Row,
    /// There is nothing but white space; the cursor is at the start of the next line.
    Empty,
    /// The columns cannot hold this line. Hand over the rows before, if any, and read the line again.
    Widen,
    /// The line is not JSON.
    Malformed(SyntaxError),
}

/// Reads lines of JSON into columns, and widens the columns as lines disagree.
#[derive(Debug)]
pub(crate) struct JsonRowReader {
    root: ColumnNode,
    parser: ValueParser,
}

/// What reading a value needs beside its column.
#[derive(Debug)]
struct ValueParser {
    /// Fields of the record to keep; `None` keeps all.
    projection: Option<HashSet<Box<str>>>,
    /// Columns so far, an upper bound.
    columns: usize,
    /// The whole row is to become one `json` column.
    demote_row: bool,
    open: Vec<u8>,
    scratch: Vec<u8>,
}

/// Why a line could not be read.
enum Stop {
    Syntax(SyntaxError),
    Widen,
}

impl From<SyntaxError> for Stop {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl JsonRowReader {
    pub(crate) fn new(projection: Option<&[String]>) -> Self {
        let projection = projection.map(|names| names.iter().map(|name| name.as_str().into()).collect());
        Self {
            root: ColumnNode::unknown(),
            parser: ValueParser {
                projection,
                columns: 0,
                demote_row: false,
                open: Vec::new(),
                scratch: Vec::new(),
            },
        }
    }

    /// Reads the line at the cursor.
    #[inline]
    pub(crate) fn read_line(&mut self, cursor: &mut JsonCursor<'_>) -> Line {
        let line_start = cursor.at;
        cursor.skip_white_space();
        if cursor.peek() == b'\n' {
            cursor.at += 1;
            return Line::Empty;
        }
        let rows = self.root.len();
        let stop = match self.parser.root(cursor, &mut self.root) {
            Ok(()) => {
                cursor.skip_white_space();
                if cursor.peek() == b'\n' {
                    cursor.at += 1;
                    return Line::Row;
                }
                Stop::Syntax(SyntaxError {
                    at: cursor.at,
                    what: "the line goes on behind the value",
                })
            }
            Err(stop) => stop,
        };
        cursor.at = line_start;
        self.root.truncate(rows);
        match stop {
            Stop::Syntax(error) => Line::Malformed(error),
            Stop::Widen => {
                if rows == 0 {
                    self.widen();
                }
                Line::Widen
            }
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.root.len()
    }

    /// The record's node of the layout.
    pub(crate) fn layout(&self) -> Node {
        self.root.layout()
    }

    /// The buffers and encodings in the order of the layout.
    pub(crate) fn collect<'a>(&'a self, buffers: &mut Vec<&'a [u8]>, encodings: &mut Vec<StringEncoding>) {
        self.root.collect(buffers, encodings);
    }

    /// Forgets the rows, which have been handed over.
    pub(crate) fn clear(&mut self) {
        self.root.clear();
        self.widen();
    }

    /// From the next batch on the row is one `json` column: the data have too many shapes.
    pub(crate) fn demote_row(&mut self) {
        self.parser.demote_row = true;
    }

    fn widen(&mut self) {
        if std::mem::take(&mut self.parser.demote_row) {
            self.root.demoted = true;
        }
        self.root.apply_demotions();
        self.parser.columns = self.root.columns();
    }
}

impl ValueParser {
    #[inline]
    fn root(&mut self, cursor: &mut JsonCursor<'_>, node: &mut ColumnNode) -> Result<(), Stop> {
        if let (ColumnData::Json(column), Some(projection)) = (&mut node.data, &self.projection)
            && cursor.peek() == b'{'
        {
            self.scratch.clear();
            project_object(cursor, projection, &mut self.open, &mut self.scratch)?;
            column.push_utf8(&self.scratch);
            node.mark_present();
            return Ok(());
        }
        self.value(cursor, node, 0)
    }

    #[inline]
    fn value(&mut self, cursor: &mut JsonCursor<'_>, node: &mut ColumnNode, depth: u32) -> Result<(), Stop> {
        let kind = match (cursor.peek(), &mut node.data) {
            (b'"', ColumnData::Text(column)) => {
                let raw = cursor.string()?;
                push_string(cursor, raw, column, &mut self.scratch);
                node.mark_present();
                return Ok(());
            }
            (b'-' | b'0'..=b'9', ColumnData::F64(values)) => {
                values.push(cursor.number()?);
                node.mark_present();
                return Ok(());
            }
            (b'{', ColumnData::Record(record)) => {
                self.object(cursor, record, depth)?;
                node.mark_present();
                return Ok(());
            }
            (b't', ColumnData::Bool(values)) => {
                cursor.word(b"true")?;
                values.push(1);
                node.mark_present();
                return Ok(());
            }
            (b'f', ColumnData::Bool(values)) => {
                cursor.word(b"false")?;
                values.push(0);
                node.mark_present();
                return Ok(());
            }
            (_, ColumnData::Json(column)) => {
                let start = cursor.at;
                cursor.skip_value(&mut self.open)?;
                column.push_utf8(cursor.slice(start, cursor.at));
                node.mark_present();
                return Ok(());
            }
            (b'n', _) => {
                cursor.word(b"null")?;
                node.push_absent(presence::NULL);
                return Ok(());
            }
            (b'"', _) => ValueKind::Text,
            (b'-' | b'0'..=b'9', _) => ValueKind::Number,
            (b't' | b'f', _) => ValueKind::Bool,
            (b'{', _) if depth <= MAX_DEPTH => ValueKind::Record,
            (b'{' | b'[', _) => ValueKind::Json,
            _ => return Ok(cursor.not_a_value()?),
        };
        self.other_kind(cursor, node, depth, kind)
    }

    /// A value that is not of the kind of its column.
    #[cold]
    fn other_kind(
        &mut self,
        cursor: &mut JsonCursor<'_>,
        node: &mut ColumnNode,
        depth: u32,
        kind: ValueKind,
    ) -> Result<(), Stop> {
        if matches!(node.data, ColumnData::Nil) {
            node.specialise(kind);
            return self.value(cursor, node, depth);
        }
        // A line that is not JSON is an error of its own and must not widen anything.
        let start = cursor.at;
        cursor.skip_value(&mut self.open)?;
        cursor.at = start;
        node.demoted = true;
        Err(Stop::Widen)
    }

    #[inline]
    fn object(
        &mut self,
        cursor: &mut JsonCursor<'_>,
        record: &mut RecordColumn,
        depth: u32,
    ) -> Result<(), Stop> {
        cursor.at += 1;
        cursor.skip_white_space();
        let row = record.rows();
        record.serial += 1;
        let mut seen = 0;
        let mut next = 0;
        if cursor.peek() == b'}' {
            cursor.at += 1;
        } else {
            loop {
                let index = match record.fields.get(next) {
                    Some(field) if cursor.eat_name(&field.quoted) => Some(next),
                    _ => self.name(cursor, record, next, depth)?,
                };
                cursor.colon()?;
                match index {
                    None => cursor.skip_value(&mut self.open)?,
                    Some(index) => {
                        next = index + 1;
                        let serial = record.serial;
                        let field = &mut record.fields[index];
                        let again = field.seen_in == serial;
                        field.seen_in = serial;
                        seen += usize::from(!again);
                        match &mut field.node {
                            None => cursor.skip_value(&mut self.open)?,
                            Some(node) => {
                                if again {
                                    // The last one counts.
                                    node.truncate(row);
                                }
                                self.value(cursor, node, depth + 1)?;
                            }
                        }
                    }
                }
                cursor.skip_white_space();
                match cursor.peek() {
                    b',' => {
                        cursor.at += 1;
                        cursor.skip_white_space();
                    }
                    b'}' => {
                        cursor.at += 1;
                        break;
                    }
                    _ => return Ok(cursor.not_closed(b'}')?),
                }
            }
        }
        record.end_row(seen);
        Ok(())
    }

    /// Reads a field name that is not the one that was foreseen. `None`: a field that is left away.
    fn name(
        &mut self,
        cursor: &mut JsonCursor<'_>,
        record: &mut RecordColumn,
        next: usize,
        depth: u32,
    ) -> Result<Option<usize>, Stop> {
        // The field that was foreseen is often just missing.
        if let Some(field) = record.fields.get(next + 1)
            && cursor.eat_name(&field.quoted)
        {
            return Ok(Some(next + 1));
        }
        if cursor.peek() != b'"' {
            return Ok(cursor.not_a_name()?);
        }
        let start = cursor.at;
        let raw = cursor.string()?;
        let bytes = if raw.escaped {
            self.scratch.clear();
            unescape(cursor.slice(raw.start, raw.end), &mut self.scratch);
            &self.scratch
        } else {
            cursor.slice(raw.start, raw.end)
        };
        let Ok(name) = std::str::from_utf8(bytes) else {
            // An unpaired surrogate: no layout can name it, but no projection either.
            if depth == 0 && self.projection.is_some() {
                return Ok(None);
            }
            record.demoted = true;
            return Err(Stop::Widen);
        };
        if let Some(index) = record.find(name, next) {
            return Ok(Some(index));
        }
        let kept = depth > 0 || self.projection.as_ref().is_none_or(|names| names.contains(name));
        if kept {
            if depth > 0 && record.fields.len() >= MAX_NESTED_FIELDS {
                record.demoted = true;
                return Err(Stop::Widen);
            }
            self.columns += 1;
            if self.columns > MAX_COLUMNS {
                self.demote_row = true;
                return Err(Stop::Widen);
            }
        } else if record.fields.len() >= MAX_FIELDS_LEFT_AWAY {
            return Ok(None);
        }
        let quoted = cursor.slice(start, cursor.at);
        Ok(Some(record.append(name, quoted, kept)))
    }
}

#[inline]
fn push_string(cursor: &JsonCursor<'_>, raw: RawString, column: &mut TextColumn, scratch: &mut Vec<u8>) {
    let bytes = cursor.slice(raw.start, raw.end);
    if raw.escaped {
        scratch.clear();
        unescape(bytes, scratch);
        column.push_wtf8(scratch);
    } else if raw.ascii {
        column.push_ascii(bytes);
    } else {
        column.push_utf8(bytes);
    }
}
