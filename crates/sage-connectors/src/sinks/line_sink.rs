//! Writers of lines as sinks.

use sage_frame::BatchView;
use sage_types::Result;

use crate::output::{LineOutput, OutputFile};
use crate::sinks::LineWriter;
use crate::{BatchSink, Cancellation, SinkReport};

/// Writes the lines of a writer to a file.
#[derive(Debug)]
pub(crate) struct LineSink<W> {
    output: LineOutput,
    writer: W,
    /// The writer has written what comes behind the last record.
    finished: bool,
}

impl<W: LineWriter> LineSink<W> {
    pub(crate) fn new(file: OutputFile, writer: W) -> Self {
        Self {
            output: LineOutput::new(file),
            writer,
            finished: false,
        }
    }
}

impl<W: LineWriter> BatchSink for LineSink<W> {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.writer.write_rows(batch, &mut self.output);
        self.output.end_batch(written)
    }

    fn prepare(&mut self, last: bool) -> Result<Vec<u8>> {
        let _ = last;
        if !self.finished {
            self.writer.finish(&mut self.output)?;
            self.finished = true;
        }
        self.output.prepare()?;
        Ok(Vec::new())
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.prepare(true)?;
        self.output.commit(self.writer.replaced_strings())
    }

    fn abort(self: Box<Self>) {}

    fn detach(self: Box<Self>) {}

    fn cancel_when(&mut self, cancellation: Cancellation) {
        self.output.cancel_when(cancellation);
    }

    fn wants_more(&self) -> bool {
        self.output.wants_more()
    }
}
