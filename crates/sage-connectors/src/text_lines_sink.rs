//! Files of text lines to write.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::json::{push_integer, push_number};
use crate::output::OutputFile;
use crate::spec::InvalidStrings;
use crate::wtf8;
use crate::{BatchSink, SinkReport};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// Writes each record, a string, number or boolean, as a line: what `String(record)` gives. Line breaks inside a string
/// are written as they are.
#[derive(Debug)]
pub(crate) struct TextLinesSink {
    file: OutputFile,
    buffer: Vec<u8>,
    invalid_strings: InvalidStrings,
    records: u64,
    replaced_strings: u64,
}

impl TextLinesSink {
    pub(crate) fn new(file: OutputFile, invalid_strings: InvalidStrings) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            invalid_strings,
            records: 0,
            replaced_strings: 0,
        }
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        const NEED: &str = "is not a string, number or boolean; map() the records first";
        let Some(column) = batch.node(batch.layout().row_node()) else {
            return Err(self.unfit(self.records, NEED));
        };
        let strings = match column.data {
            ColumnData::Str(strings) => Some(strings.wtf8()),
            _ => None,
        };
        for row in 0..batch.rows() {
            let number = self.records + 1;
            if column.presence_of(row) != presence::VALUE {
                return Err(self.unfit(number, "is null or undefined"));
            }
            match (&column.data, &strings) {
                (_, Some(strings)) => self.push_string(strings.row(row), number)?,
                (ColumnData::F64(values), _) => push_number(values[row], &mut self.buffer),
                (ColumnData::I32(values), _) => push_integer(i64::from(values[row]), &mut self.buffer),
                (ColumnData::Bool(values), _) => {
                    self.buffer
                        .extend_from_slice(if values[row] == 1 { b"true" } else { b"false" });
                }
                _ => return Err(self.unfit(number, NEED)),
            }
            self.buffer.push(b'\n');
            self.records = number;
            if self.buffer.len() >= BUFFER_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn push_string(&mut self, string: &[u8], row: u64) -> Result<()> {
        let string = well_formed(string, self.invalid_strings)
            .ok_or_else(|| self.unfit(row, "has an unpaired surrogate, which UTF-8 cannot hold; the option invalidStrings: 'replace' writes U+FFFD instead"))?;
        self.replaced_strings += u64::from(matches!(string, Cow::Owned(_)));
        self.buffer.extend_from_slice(&string);
        Ok(())
    }

    #[cold]
    fn unfit(&self, row: u64, what: &str) -> SageError {
        let path = self.file.path().display().to_string();
        SageError::new(
            ErrorCode::FormatRecord,
            format!("cannot write {path}: record {row} {what}"),
        )
        .with("file", path)
        .with("record", row)
    }
}

/// The string in UTF-8; `None` when it is not and nothing is to be replaced.
pub(crate) fn well_formed(string: &[u8], invalid_strings: InvalidStrings) -> Option<Cow<'_, [u8]>> {
    if wtf8::find_surrogate(string).is_none() {
        return Some(Cow::Borrowed(string));
    }
    if invalid_strings == InvalidStrings::Error {
        return None;
    }
    // Three bytes for three: U+FFFD has as many as a surrogate.
    let mut text = string.to_vec();
    while let Some(at) = wtf8::find_surrogate(&text) {
        text[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
    }
    Some(Cow::Owned(text))
}

impl BatchSink for TextLinesSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.write_rows(batch);
        if written.is_err() {
            self.file.mark_incomplete();
        }
        written
    }

    fn prepare(&mut self) -> Result<()> {
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
