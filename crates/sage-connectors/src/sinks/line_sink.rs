//! Writers of lines as sinks.

use std::path::PathBuf;

use sage_frame::BatchView;
use sage_types::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::{LineCounts, LineOutput, OutputFile, SavedReader, SavedWriter};
use crate::sinks::{LineWriter, PartSink};
use crate::{BatchSink, Cancellation, Guarantee, SinkReport};

/// Writes the lines of a writer to a file.
#[derive(Debug)]
pub(crate) struct LineSink<W> {
    output: LineOutput,
    writer: W,
    /// The writer has written what comes behind the last record.
    finished: bool,
}

/// What another process needs beside the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LineState {
    counts: LineCounts,
    writer: Value,
}

impl<W: LineWriter> LineSink<W> {
    pub(crate) fn new(file: OutputFile, writer: W) -> Self {
        Self {
            output: LineOutput::new(file),
            writer,
            finished: false,
        }
    }

    /// Goes on with a file that was prepared.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK`
    pub(crate) fn restored(file: OutputFile, writer: W, saved: &mut SavedReader<'_>) -> Result<Self> {
        let sealed = file.is_sealed();
        let mut sink = Self::new(file, writer);
        let state: LineState = saved.json()?;
        // Another device or pipe begins anew.
        if sealed || !sink.output.is_live() {
            sink.output.restore(state.counts);
            sink.writer.restore(state.writer)?;
        }
        sink.finished = sealed;
        Ok(sink)
    }
}

impl<W: LineWriter> BatchSink for LineSink<W> {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.writer.write_rows(batch, &mut self.output);
        self.output.end_batch(written)
    }

    fn prepare(&mut self, last: bool) -> Result<Vec<u8>> {
        if last && !self.finished {
            self.writer.finish(&mut self.output)?;
            self.finished = true;
        }
        let (file, counts) = if last {
            self.output.prepare()?
        } else {
            self.output.checkpoint()?
        };
        let mut saved = SavedWriter::new();
        saved.json(&file)?;
        saved.json(&LineState {
            counts,
            writer: self.writer.state(),
        })?;
        Ok(saved.finish())
    }

    fn guarantee(&self) -> Guarantee {
        if self.output.is_live() {
            Guarantee::AtLeastOnce
        } else {
            Guarantee::ExactlyOnce
        }
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        if !self.finished {
            self.writer.finish(&mut self.output)?;
        }
        self.output.commit(self.writer.replaced_strings())
    }

    fn abort(mut self: Box<Self>) {
        self.output.file_mut().discard();
    }

    fn detach(mut self: Box<Self>) {
        self.output.file_mut().leave();
    }

    fn cancel_when(&mut self, cancellation: Cancellation) {
        self.output.cancel_when(cancellation);
    }

    fn wants_more(&self) -> bool {
        self.output.wants_more()
    }
}

impl<W: LineWriter> PartSink for LineSink<W> {
    fn paths(&self) -> Vec<PathBuf> {
        vec![self.output.path().to_owned()]
    }
}
