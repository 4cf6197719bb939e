//! Files of CSV to write.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, Wtf8Column, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::csv::{CellQuoting, ColumnWriter, json_fields, push_json_cell};
use crate::json::array_index_first;
use crate::output::OutputFile;
use crate::spec::{CsvSinkSpec, InvalidStrings};
use crate::text_lines_sink::well_formed;
use crate::{BatchSink, SinkReport};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Writes each record, an object, as a line of cells.
#[derive(Debug)]
pub(crate) struct CsvSink {
    file: OutputFile,
    quoting: CellQuoting,
    /// The fields to write, once they are known.
    columns: Option<Vec<String>>,
    /// The user named them: whatever else a record has is left away.
    chosen: bool,
    /// What is still to be written before the first record.
    prologue: Option<Prologue>,
    eol: &'static [u8],
    invalid_strings: InvalidStrings,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    records: u64,
    replaced_strings: u64,
}

/// What a file begins with.
#[derive(Debug, Clone, Copy)]
struct Prologue {
    header: bool,
    bom: bool,
}

impl CsvSink {
    pub(crate) fn new(file: OutputFile, spec: &CsvSinkSpec) -> Result<Self> {
        let delimiter = spec
            .check()
            .map_err(|what| SageError::new(ErrorCode::PlanSink, what))?;
        Ok(Self {
            file,
            quoting: CellQuoting::new(delimiter, spec.quote, &spec.null_text),
            columns: spec.columns.clone(),
            chosen: spec.columns.is_some(),
            prologue: Some(Prologue {
                header: spec.header,
                bom: spec.bom,
            }),
            eol: if spec.eol == "\n" { b"\n" } else { b"\r\n" },
            invalid_strings: spec.invalid_strings,
            buffer: Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4),
            scratch: Vec::new(),
            records: 0,
            replaced_strings: 0,
        })
    }

    fn write_batch(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let Some(row) = batch.node(batch.layout().row_node()) else {
            return Err(self.unfit("is not an object"));
        };
        match row.data {
            ColumnData::Record => {
                let there = |at: usize| row.presence_of(at) == presence::VALUE;
                self.write_columns(batch, there)
            }
            ColumnData::Json(texts) => {
                let there = |at: usize| row.presence_of(at) == presence::VALUE;
                self.write_json(&texts.wtf8(), batch.rows(), there)
            }
            _ => Err(self.unfit("is not an object; map() the records to objects first")),
        }
    }

    /// Writes records whose fields are columns.
    fn write_columns(&mut self, batch: &BatchView<'_>, there: impl Fn(usize) -> bool) -> Result<()> {
        let layout = batch.layout();
        let mut fields = Vec::new();
        for &child in &layout.nodes()[layout.row_node()].children {
            let name = layout.nodes()[child].name.as_deref().unwrap_or_default();
            fields.push((name, ColumnWriter::new(batch, child, &self.quoting)?));
        }
        if !there(0) {
            return Err(self.unfit("is null or undefined"));
        }
        let first = fields
            .iter()
            .filter(|(_, column)| column.presence_of(0) != presence::MISSING);
        self.begin(first.map(|&(name, _)| name.to_owned()).collect())?;
        let columns = self.columns.take().unwrap_or_default();
        let position = |wanted: &String| fields.iter().position(|(name, _)| name == wanted);
        let cells: Vec<Option<usize>> = columns.iter().map(position).collect();
        let surplus: Vec<usize> = (0..fields.len())
            .filter(|index| !self.chosen && !cells.contains(&Some(*index)))
            .collect();
        self.columns = Some(columns);
        for row in 0..batch.rows() {
            if !there(row) {
                return Err(self.unfit("is null or undefined"));
            }
            for &index in &surplus {
                let (name, column) = &fields[index];
                if column.presence_of(row) <= presence::NULL {
                    return Err(self.unknown_field(name));
                }
            }
            let start = self.buffer.len();
            for (index, cell) in cells.iter().enumerate() {
                if index > 0 {
                    self.buffer.push(self.quoting.delimiter());
                }
                match cell {
                    Some(cell) => {
                        let (_, column) = &fields[*cell];
                        column.push(row, &self.quoting, &mut self.scratch, &mut self.buffer);
                    }
                    None => self.quoting.push_null(&mut self.buffer),
                }
            }
            self.end_record(start)?;
        }
        Ok(())
    }

    /// Writes records that are there as JSON, because they have too many shapes for columns.
    fn write_json(
        &mut self,
        texts: &Wtf8Column<'_>,
        rows: usize,
        there: impl Fn(usize) -> bool,
    ) -> Result<()> {
        for row in 0..rows {
            let fields = if there(row) {
                json_fields(texts.row(row))
            } else {
                None
            };
            let Some(fields) = fields else {
                return Err(self.unfit("is not an object; map() the records to objects first"));
            };
            let name_of = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
            self.begin(fields.iter().map(|(name, _)| name_of(name)).collect())?;
            let columns = self.columns.take().unwrap_or_default();
            let surplus = fields.iter().find(|(name, _)| {
                !self.chosen && !columns.iter().any(|column| column.as_bytes() == name.as_slice())
            });
            let start = self.buffer.len();
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    self.buffer.push(self.quoting.delimiter());
                }
                match fields.iter().find(|(name, _)| name == column.as_bytes()) {
                    Some((_, json)) => {
                        push_json_cell(json, &self.quoting, &mut self.scratch, &mut self.buffer);
                    }
                    None => self.quoting.push_null(&mut self.buffer),
                }
            }
            self.columns = Some(columns);
            if let Some((name, _)) = surplus {
                return Err(self.unknown_field(&name_of(name)));
            }
            self.end_record(start)?;
        }
        Ok(())
    }

    /// Writes what comes before the first record, whose fields are these.
    fn begin(&mut self, mut fields: Vec<String>) -> Result<()> {
        let Some(Prologue { header, bom }) = self.prologue.take() else {
            return Ok(());
        };
        if bom {
            self.buffer.extend_from_slice(BYTE_ORDER_MARK);
        }
        if self.columns.is_none() {
            if fields.is_empty() {
                return Err(self.unfit("has no fields"));
            }
            array_index_first(&mut fields);
            self.columns = Some(fields);
        }
        let columns = self.columns.take().unwrap_or_default();
        if header {
            for (index, name) in columns.iter().enumerate() {
                if index > 0 {
                    self.buffer.push(self.quoting.delimiter());
                }
                // A name is no null, whatever it is.
                self.quoting.push(name.as_bytes(), &mut self.buffer);
            }
            self.buffer.extend_from_slice(self.eol);
        }
        self.columns = Some(columns);
        Ok(())
    }

    /// Ends the line of the record whose cells begin at `start` of the buffer.
    fn end_record(&mut self, start: usize) -> Result<()> {
        if self.buffer.len() == start {
            // A record of one cell without a text: an empty line would be none.
            self.buffer.extend_from_slice(b"\"\"");
        }
        let line = &self.buffer[start..];
        if let Cow::Owned(mended) = well_formed(line, self.invalid_strings).ok_or_else(|| {
            self.unfit("has an unpaired surrogate, which UTF-8 cannot hold; the option invalidStrings: 'replace' writes U+FFFD instead")
        })? {
            self.replaced_strings += 1;
            self.buffer.truncate(start);
            self.buffer.extend_from_slice(&mended);
        }
        self.buffer.extend_from_slice(self.eol);
        self.records += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    #[cold]
    fn unfit(&self, what: &str) -> SageError {
        let path = self.file.path().display().to_string();
        let number = self.records + 1;
        SageError::new(
            ErrorCode::FormatRecord,
            format!("cannot write {path}: record {number} {what}"),
        )
        .with("file", path)
        .with("record", number)
    }

    #[cold]
    fn unknown_field(&self, name: &str) -> SageError {
        let columns = self.columns.as_deref().unwrap_or_default().join(", ");
        self.unfit(&format!(
            "has the field {name}, for which there is no column: the first record decided on {columns}; name all fields to write with the option columns"
        ))
        .with("field", name)
    }
}

impl BatchSink for CsvSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.write_batch(batch);
        if written.is_err() {
            self.file.mark_incomplete();
        }
        written
    }

    fn prepare(&mut self) -> Result<()> {
        // Without any record the names are known only when the user gave them.
        if self.chosen {
            self.begin(Vec::new())?;
        }
        self.flush()?;
        self.file.sync()
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.prepare()?;
        let path = self.file.path().display().to_string();
        let bytes = self.file.commit()?;
        Ok(SinkReport {
            path,
            records: self.records,
            bytes,
            replaced_strings: self.replaced_strings,
        })
    }

    fn abort(self: Box<Self>) {}
}
