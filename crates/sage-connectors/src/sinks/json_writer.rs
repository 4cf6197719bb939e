//! Files of one JSON array to write.

use sage_frame::BatchView;
use sage_types::Result;

use crate::formats::json::JsonRowWriter;
use crate::output::{LineOutput, OutputFile};
use crate::{BatchSink, Cancellation, SinkReport};

/// Writes all records as one array, each on a line of its own, as `JSON.stringify` writes it.
#[derive(Debug)]
pub(crate) struct JsonSink {
    output: LineOutput,
    /// The bracket at the end is written.
    closed: bool,
}

impl JsonSink {
    pub(crate) fn new(file: OutputFile) -> Self {
        Self {
            output: LineOutput::new(file),
            closed: false,
        }
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let writer = JsonRowWriter::new(batch)?;
        for row in 0..batch.rows() {
            let before: &[u8] = if self.output.records() == 0 {
                b"[\n"
            } else {
                b",\n"
            };
            self.output.buffer().extend_from_slice(before);
            writer.push_row(row, self.output.buffer());
            self.output.end_record()?;
        }
        Ok(())
    }
}

impl BatchSink for JsonSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.write_rows(batch);
        self.output.end_batch(written)
    }

    fn prepare(&mut self) -> Result<()> {
        if !self.closed {
            self.closed = true;
            let end: &[u8] = if self.output.records() == 0 {
                b"[]\n"
            } else {
                b"\n]\n"
            };
            self.output.buffer().extend_from_slice(end);
        }
        self.output.prepare()
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.prepare()?;
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
