//! Text lines to write.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, presence};
use sage_types::Result;
use serde_json::Value;

use crate::formats::json::ScalarColumn;
use crate::formats::{UNPAIRED_SURROGATE, well_formed};
use crate::output::LineOutput;
use crate::sinks::LineWriter;
use crate::spec::InvalidStrings;

/// Writes each record, a string, number or boolean, as a line: what `String(record)` gives. Line breaks inside a string
/// are written as they are.
#[derive(Debug)]
pub(crate) struct TextLinesWriter {
    invalid_strings: InvalidStrings,
    replaced_strings: u64,
}

impl TextLinesWriter {
    pub(crate) fn new(invalid_strings: InvalidStrings) -> Self {
        Self {
            invalid_strings,
            replaced_strings: 0,
        }
    }

    fn push_string(&mut self, string: &[u8], output: &mut LineOutput) -> Result<()> {
        let string =
            well_formed(string, self.invalid_strings).ok_or_else(|| output.unfit(UNPAIRED_SURROGATE))?;
        self.replaced_strings += u64::from(matches!(string, Cow::Owned(_)));
        output.buffer().extend_from_slice(&string);
        Ok(())
    }
}

impl LineWriter for TextLinesWriter {
    fn write_rows(&mut self, batch: &BatchView<'_>, output: &mut LineOutput) -> Result<()> {
        const NEED: &str = "is not a string, number or boolean; map() the records first";
        let Some(column) = batch.node(batch.layout().row_node()) else {
            return Err(output.unfit(NEED));
        };
        let strings = match column.data {
            ColumnData::Str(strings) => Some(strings.wtf8()),
            _ => None,
        };
        let scalars =
            ScalarColumn::of(&column.data).filter(|values| !matches!(values, ScalarColumn::Date(_)));
        for row in 0..batch.rows() {
            if column.presence_of(row) != presence::VALUE {
                return Err(output.unfit("is null or undefined"));
            }
            match (&strings, &scalars) {
                (Some(strings), _) => self.push_string(strings.row(row), output)?,
                (_, Some(values)) => {
                    values.push_text(row, output.buffer());
                }
                _ => return Err(output.unfit(NEED)),
            }
            output.end_line()?;
        }
        Ok(())
    }

    fn state(&self) -> Value {
        self.replaced_strings.into()
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        self.replaced_strings = state.as_u64().unwrap_or(0);
        Ok(())
    }

    fn replaced_strings(&self) -> u64 {
        self.replaced_strings
    }
}
