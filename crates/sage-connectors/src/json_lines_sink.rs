//! Files of JSON lines to write.

use sage_frame::BatchView;
use sage_types::Result;

use crate::json::JsonRowWriter;
use crate::output::OutputFile;
use crate::{BatchSink, SinkReport};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// Writes each record as the line that `JSON.stringify` gives.
#[derive(Debug)]
pub(crate) struct JsonLinesSink {
    file: OutputFile,
    buffer: Vec<u8>,
    records: u64,
}

impl JsonLinesSink {
    pub(crate) fn new(file: OutputFile) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4),
            records: 0,
        }
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let writer = JsonRowWriter::new(batch)?;
        for row in 0..batch.rows() {
            writer.push_row(row, &mut self.buffer);
            self.buffer.push(b'\n');
            if self.buffer.len() >= BUFFER_BYTES {
                self.flush()?;
            }
        }
        self.records += batch.rows() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl BatchSink for JsonLinesSink {
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
            replaced_strings: 0,
        })
    }

    fn abort(self: Box<Self>) {}
}
