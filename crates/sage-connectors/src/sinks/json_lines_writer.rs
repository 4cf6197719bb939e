//! Files of JSON lines to write.

use sage_frame::BatchView;
use sage_types::Result;

use crate::formats::json::JsonRowWriter;
use crate::output::{LineOutput, OutputFile};
use crate::{BatchSink, Cancellation, SinkReport};

/// Writes each record as the line that `JSON.stringify` gives.
#[derive(Debug)]
pub(crate) struct JsonLinesSink {
    output: LineOutput,
}

impl JsonLinesSink {
    pub(crate) fn new(file: OutputFile) -> Self {
        Self {
            output: LineOutput::new(file),
        }
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let writer = JsonRowWriter::new(batch)?;
        for row in 0..batch.rows() {
            writer.push_row(row, self.output.buffer());
            self.output.end_line()?;
        }
        Ok(())
    }
}

impl BatchSink for JsonLinesSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.write_rows(batch);
        self.output.end_batch(written)
    }

    fn prepare(&mut self) -> Result<()> {
        self.output.prepare()
    }

    fn commit(self: Box<Self>) -> Result<SinkReport> {
        self.output.commit(0)
    }

    fn abort(self: Box<Self>) {}

    fn cancel_when(&mut self, cancellation: Cancellation) {
        self.output.cancel_when(cancellation);
    }

    fn wants_more(&self) -> bool {
        self.output.wants_more()
    }
}
