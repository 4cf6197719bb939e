//! Files of text lines to write.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::json::{push_integer, push_number};
use crate::output::{LineOutput, OutputFile};
use crate::spec::InvalidStrings;
use crate::wtf8;
use crate::{BatchSink, Cancellation, SinkReport};

/// Writes each record, a string, number or boolean, as a line: what `String(record)` gives. Line breaks inside a string
/// are written as they are.
#[derive(Debug)]
pub(crate) struct TextLinesSink {
    output: LineOutput,
    invalid_strings: InvalidStrings,
    replaced_strings: u64,
}

impl TextLinesSink {
    pub(crate) fn new(file: OutputFile, invalid_strings: InvalidStrings) -> Self {
        Self {
            output: LineOutput::new(file),
            invalid_strings,
            replaced_strings: 0,
        }
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        const NEED: &str = "is not a string, number or boolean; map() the records first";
        let Some(column) = batch.node(batch.layout().row_node()) else {
            return Err(self.unfit(self.output.records() + 1, NEED));
        };
        let strings = match column.data {
            ColumnData::Str(strings) => Some(strings.wtf8()),
            _ => None,
        };
        for row in 0..batch.rows() {
            let number = self.output.records() + 1;
            if column.presence_of(row) != presence::VALUE {
                return Err(self.unfit(number, "is null or undefined"));
            }
            match (&column.data, &strings) {
                (_, Some(strings)) => self.push_string(strings.row(row), number)?,
                (ColumnData::F64(values), _) => push_number(values[row], self.output.buffer()),
                (ColumnData::I32(values), _) => push_integer(i64::from(values[row]), self.output.buffer()),
                (ColumnData::Bool(values), _) => {
                    self.output
                        .buffer()
                        .extend_from_slice(if values[row] == 1 { b"true" } else { b"false" });
                }
                _ => return Err(self.unfit(number, NEED)),
            }
            self.output.end_line()?;
        }
        Ok(())
    }

    fn push_string(&mut self, string: &[u8], row: u64) -> Result<()> {
        let string = well_formed(string, self.invalid_strings)
            .ok_or_else(|| self.unfit(row, "has an unpaired surrogate, which UTF-8 cannot hold; the option invalidStrings: 'replace' writes U+FFFD instead"))?;
        self.replaced_strings += u64::from(matches!(string, Cow::Owned(_)));
        self.output.buffer().extend_from_slice(&string);
        Ok(())
    }

    #[cold]
    fn unfit(&self, row: u64, what: &str) -> SageError {
        let path = self.output.path().display().to_string();
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
        self.output.end_batch(written)
    }

    fn prepare(&mut self) -> Result<()> {
        self.output.prepare()
    }

    fn commit(self: Box<Self>) -> Result<SinkReport> {
        self.output.commit(self.replaced_strings)
    }

    fn abort(self: Box<Self>) {}

    fn cancel_when(&mut self, cancellation: Cancellation) {
        self.output.cancel_when(cancellation);
    }

    fn wants_more(&self) -> bool {
        self.output.wants_more()
    }
}
