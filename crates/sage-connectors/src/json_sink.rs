//! Files of one JSON array to write.

use sage_frame::BatchView;
use sage_types::Result;

use crate::json::JsonRowWriter;
use crate::output::OutputFile;
use crate::{BatchSink, SinkReport};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// Writes all records as one array, each on a line of its own, as `JSON.stringify` writes it.
#[derive(Debug)]
pub(crate) struct JsonSink {
    file: OutputFile,
    buffer: Vec<u8>,
    records: u64,
    /// The bracket at the end is written.
    closed: bool,
}

impl JsonSink {
    pub(crate) fn new(file: OutputFile) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4),
            records: 0,
            closed: false,
        }
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let writer = JsonRowWriter::new(batch)?;
        for row in 0..batch.rows() {
            self.buffer
                .extend_from_slice(if self.records == 0 { b"[\n" } else { b",\n" });
            writer.push_row(row, &mut self.buffer);
            self.records += 1;
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
}

impl BatchSink for JsonSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let written = self.write_rows(batch);
        if written.is_err() {
            self.file.mark_incomplete();
        }
        written
    }

    fn prepare(&mut self) -> Result<()> {
        if !self.closed {
            self.closed = true;
            self.buffer
                .extend_from_slice(if self.records == 0 { b"[]\n" } else { b"\n]\n" });
        }
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
