//! CSV to write.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, Wtf8Column, presence};
use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::formats::csv::{CellQuoting, ColumnWriter, CsvDialect, json_fields, push_json_cell};
use crate::formats::json::array_index_first;
use crate::formats::{UNPAIRED_SURROGATE, well_formed};
use crate::output::{LineOutput, OutputFile, malformed};
use crate::sinks::LineWriter;
use crate::spec::{CsvSinkSpec, InvalidStrings};

/// The names of the columns of a file to append to end within so many bytes.
const HEADER_BYTES: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Writes each record, an object, as a line of cells.
#[derive(Debug)]
pub(crate) struct CsvWriter {
    quoting: CellQuoting,
    /// The fields to write, once they are known.
    columns: Option<Vec<String>>,
    origin: ColumnOrigin,
    /// What is still to be written before the first record.
    prologue: Option<Prologue>,
    eol: &'static [u8],
    invalid_strings: InvalidStrings,
    scratch: Vec<u8>,
    replaced_strings: u64,
}

/// What another process must know.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CsvState {
    columns: Option<Vec<String>>,
    origin: ColumnOrigin,
    prologue: Option<Prologue>,
    replaced_strings: u64,
}

/// Who decided on the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ColumnOrigin {
    /// The user: whatever else a record has is left away.
    Chosen,
    /// The file that is appended to.
    File,
    FirstRecord,
}

/// What a file begins with.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Prologue {
    header: bool,
    bom: bool,
}

impl CsvWriter {
    /// # Errors
    /// `SAGE_PLAN_SINK`; `SAGE_FORMAT_CSV` when the file to append to has other columns than those to write.
    pub(crate) fn new(file: &OutputFile, spec: &CsvSinkSpec) -> Result<Self> {
        let delimiter = spec
            .check()
            .map_err(|what| SageError::new(ErrorCode::PlanSink, what))?;
        let before = columns_before(file, delimiter)?;
        let begins = before.is_none();
        let (columns, origin) = match (&spec.columns, before.filter(|_| spec.header)) {
            (Some(wanted), Some(there)) if *wanted != there => {
                return Err(other_columns(file, &there, wanted));
            }
            (Some(wanted), _) => (Some(wanted.clone()), ColumnOrigin::Chosen),
            (None, Some(there)) => (Some(there), ColumnOrigin::File),
            (None, None) => (None, ColumnOrigin::FirstRecord),
        };
        Ok(Self {
            quoting: CellQuoting::new(delimiter, spec.quote, &spec.null_text),
            columns,
            origin,
            prologue: Some(Prologue {
                header: spec.header && begins,
                bom: spec.bom && begins,
            }),
            eol: if spec.eol == "\n" { b"\n" } else { b"\r\n" },
            invalid_strings: spec.invalid_strings,
            scratch: Vec::new(),
            replaced_strings: 0,
        })
    }

    /// Writes records whose fields are columns.
    fn write_columns(
        &mut self,
        batch: &BatchView<'_>,
        there: impl Fn(usize) -> bool,
        output: &mut LineOutput,
    ) -> Result<()> {
        let layout = batch.layout();
        let mut fields = Vec::new();
        for &child in &layout.nodes()[layout.row_node()].children {
            let name = layout.nodes()[child].name.as_deref().unwrap_or_default();
            fields.push((name, ColumnWriter::new(batch, child, &self.quoting)?));
        }
        if !there(0) {
            return Err(output.unfit("is null or undefined"));
        }
        let first = fields
            .iter()
            .filter(|(_, column)| column.presence_of(0) != presence::MISSING);
        self.begin(first.map(|&(name, _)| name.to_owned()).collect(), output)?;
        let columns = self.columns.take().unwrap_or_default();
        let position = |wanted: &String| fields.iter().position(|(name, _)| name == wanted);
        let cells: Vec<Option<usize>> = columns.iter().map(position).collect();
        let surplus: Vec<usize> = (0..fields.len())
            .filter(|index| self.origin != ColumnOrigin::Chosen && !cells.contains(&Some(*index)))
            .collect();
        self.columns = Some(columns);
        for row in 0..batch.rows() {
            if !there(row) {
                return Err(output.unfit("is null or undefined"));
            }
            for &index in &surplus {
                let (name, column) = &fields[index];
                if column.presence_of(row) <= presence::NULL {
                    return Err(self.unknown_field(output, name));
                }
            }
            let start = output.buffer().len();
            for (index, cell) in cells.iter().enumerate() {
                if index > 0 {
                    output.buffer().push(self.quoting.delimiter());
                }
                match cell {
                    Some(cell) => {
                        let (_, column) = &fields[*cell];
                        column.push(row, &self.quoting, &mut self.scratch, output.buffer());
                    }
                    None => self.quoting.push_null(output.buffer()),
                }
            }
            self.end_record(start, output)?;
        }
        Ok(())
    }

    /// Writes records that are there as JSON, because they have too many shapes for columns.
    fn write_json(
        &mut self,
        texts: &Wtf8Column<'_>,
        rows: usize,
        there: impl Fn(usize) -> bool,
        output: &mut LineOutput,
    ) -> Result<()> {
        for row in 0..rows {
            let fields = if there(row) {
                json_fields(texts.row(row))
            } else {
                None
            };
            let Some(fields) = fields else {
                return Err(output.unfit("is not an object; map() the records to objects first"));
            };
            let name_of = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
            self.begin(fields.iter().map(|(name, _)| name_of(name)).collect(), output)?;
            let columns = self.columns.take().unwrap_or_default();
            let surplus = fields.iter().find(|(name, _)| {
                self.origin != ColumnOrigin::Chosen
                    && !columns.iter().any(|column| column.as_bytes() == name.as_slice())
            });
            let start = output.buffer().len();
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    output.buffer().push(self.quoting.delimiter());
                }
                match fields.iter().find(|(name, _)| name == column.as_bytes()) {
                    Some((_, json)) => {
                        push_json_cell(json, &self.quoting, &mut self.scratch, output.buffer());
                    }
                    None => self.quoting.push_null(output.buffer()),
                }
            }
            self.columns = Some(columns);
            if let Some((name, _)) = surplus {
                return Err(self.unknown_field(output, &name_of(name)));
            }
            self.end_record(start, output)?;
        }
        Ok(())
    }

    /// Writes what comes before the first record, whose fields are these.
    fn begin(&mut self, mut fields: Vec<String>, output: &mut LineOutput) -> Result<()> {
        let Some(Prologue { header, bom }) = self.prologue.take() else {
            return Ok(());
        };
        if bom {
            output.buffer().extend_from_slice(BYTE_ORDER_MARK);
        }
        if self.columns.is_none() {
            if fields.is_empty() {
                return Err(output.unfit("has no fields"));
            }
            array_index_first(&mut fields);
            self.columns = Some(fields);
        }
        let columns = self.columns.take().unwrap_or_default();
        if header {
            for (index, name) in columns.iter().enumerate() {
                if index > 0 {
                    output.buffer().push(self.quoting.delimiter());
                }
                // A name is no null, whatever it is.
                self.quoting.push(name.as_bytes(), output.buffer());
            }
            output.buffer().extend_from_slice(self.eol);
        }
        self.columns = Some(columns);
        Ok(())
    }

    /// Ends the line of the record whose cells begin at `start` of the buffer.
    fn end_record(&mut self, start: usize, output: &mut LineOutput) -> Result<()> {
        if output.buffer().len() == start {
            // A record of one cell without a text: an empty line would be none.
            output.buffer().extend_from_slice(b"\"\"");
        }
        match well_formed(&output.buffer()[start..], self.invalid_strings) {
            Some(Cow::Borrowed(_)) => {}
            Some(Cow::Owned(mended)) => {
                self.replaced_strings += 1;
                output.buffer().truncate(start);
                output.buffer().extend_from_slice(&mended);
            }
            None => {
                return Err(output.unfit(UNPAIRED_SURROGATE));
            }
        }
        output.buffer().extend_from_slice(self.eol);
        output.end_record()
    }

    #[cold]
    fn unknown_field(&self, output: &LineOutput, name: &str) -> SageError {
        let columns = self.columns.as_deref().unwrap_or_default().join(", ");
        let who = match self.origin {
            ColumnOrigin::File => "the file has",
            _ => "the first record decided on",
        };
        output.unfit(&format!(
            "has the field {name}, for which there is no column: {who} {columns}; name all fields to write with the option columns"
        ))
        .with("field", name)
    }
}

/// The names in the first record of what is there to append to; `None` when nothing is there.
fn columns_before(file: &OutputFile, delimiter: u8) -> Result<Option<Vec<String>>> {
    let mut text = file.first_bytes_before(HEADER_BYTES)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    if text.is_empty() {
        return Ok(None);
    }
    // It may be all that is there, and without a line end.
    text.push(b'\n');
    let dialect = CsvDialect::new(delimiter, Some(b'"'), None, None, false);
    let name_of = |cell: &Cow<'_, [u8]>| String::from_utf8_lossy(cell).into_owned();
    Ok(Some(dialect.cells(&text).iter().map(name_of).collect()))
}

fn other_columns(file: &OutputFile, there: &[String], wanted: &[String]) -> SageError {
    let path = file.path().display().to_string();
    let (there, wanted) = (there.join(", "), wanted.join(", "));
    let message = format!(
        "cannot append to {path}: its columns are {there}, and those to write are {wanted}; give the option columns in the order of the file, or another path"
    );
    SageError::new(ErrorCode::FormatCsv, message)
        .with("file", path)
        .with("found", there)
        .with("expected", wanted)
}

impl LineWriter for CsvWriter {
    fn write_rows(&mut self, batch: &BatchView<'_>, output: &mut LineOutput) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let Some(row) = batch.node(batch.layout().row_node()) else {
            return Err(output.unfit("is not an object"));
        };
        match row.data {
            ColumnData::Record => {
                let there = |at: usize| row.presence_of(at) == presence::VALUE;
                self.write_columns(batch, there, output)
            }
            ColumnData::Json(texts) => {
                let there = |at: usize| row.presence_of(at) == presence::VALUE;
                self.write_json(&texts.wtf8(), batch.rows(), there, output)
            }
            _ => Err(output.unfit("is not an object; map() the records to objects first")),
        }
    }

    fn finish(&mut self, output: &mut LineOutput) -> Result<()> {
        // Without any record the names are known only when the user gave them.
        if self.origin == ColumnOrigin::Chosen {
            self.begin(Vec::new(), output)?;
        }
        Ok(())
    }

    fn state(&self) -> Value {
        let state = CsvState {
            columns: self.columns.clone(),
            origin: self.origin,
            prologue: self.prologue,
            replaced_strings: self.replaced_strings,
        };
        serde_json::to_value(state).unwrap_or_default()
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let state: CsvState = serde_json::from_value(state).map_err(|error| malformed(&error.to_string()))?;
        (self.columns, self.origin) = (state.columns, state.origin);
        (self.prologue, self.replaced_strings) = (state.prologue, state.replaced_strings);
        Ok(())
    }

    fn replaced_strings(&self) -> u64 {
        self.replaced_strings
    }
}
