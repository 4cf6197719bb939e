//! JSON lines to write.

use sage_frame::BatchView;
use sage_types::Result;

use crate::formats::json::JsonRowWriter;
use crate::output::LineOutput;
use crate::sinks::LineWriter;

/// Writes each record as the line that `JSON.stringify` gives.
#[derive(Debug)]
pub(crate) struct JsonLinesWriter;

impl LineWriter for JsonLinesWriter {
    fn write_rows(&mut self, batch: &BatchView<'_>, output: &mut LineOutput) -> Result<()> {
        let writer = JsonRowWriter::new(batch)?;
        for row in 0..batch.rows() {
            writer.push_row(row, output.buffer());
            output.end_line()?;
        }
        Ok(())
    }
}
