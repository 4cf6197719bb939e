//! Documents of one JSON array to write.

use sage_frame::BatchView;
use sage_types::Result;

use crate::formats::json::JsonRowWriter;
use crate::output::LineOutput;
use crate::sinks::LineWriter;

/// Writes all records as one array, each on a line of its own, as `JSON.stringify` writes it.
#[derive(Debug)]
pub(crate) struct JsonWriter;

impl LineWriter for JsonWriter {
    fn write_rows(&mut self, batch: &BatchView<'_>, output: &mut LineOutput) -> Result<()> {
        let writer = JsonRowWriter::new(batch)?;
        for row in 0..batch.rows() {
            let before: &[u8] = if output.records() == 0 { b"[\n" } else { b",\n" };
            output.buffer().extend_from_slice(before);
            writer.push_row(row, output.buffer());
            output.end_record()?;
        }
        Ok(())
    }

    fn finish(&mut self, output: &mut LineOutput) -> Result<()> {
        let end: &[u8] = if output.records() == 0 { b"[]\n" } else { b"\n]\n" };
        output.buffer().extend_from_slice(end);
        Ok(())
    }
}
