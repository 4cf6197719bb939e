//! Parquet files to write.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::arrow::RecordBatches;
use crate::formats::parquet::parquet_error;
use crate::io_error::{IoAction, io_error};
use crate::output::OutputFile;
use crate::spec::{ParquetCompression, ParquetSinkSpec};
use crate::{BatchSink, SinkReport};

/// Writes records as rows. The first records, widened by the option `schema`, decide the columns.
pub(crate) struct ParquetSink {
    path: PathBuf,
    properties: WriterProperties,
    batches: RecordBatches,
    /// A row group is also ended when its encoded pages take this much memory.
    max_row_group_bytes: usize,
    state: State,
    records: u64,
}

enum State {
    /// The columns are not decided yet.
    Waiting(Box<OutputFile>),
    Writing(Box<ArrowWriter<OutputFile>>),
    /// All is in the file. The writer stays around it: to take it out is to write once more, with errors that have no kind.
    Complete(Box<ArrowWriter<OutputFile>>),
    Failed,
}

impl ParquetSink {
    /// A sink that writes to `file`.
    ///
    /// # Errors
    /// `SAGE_PLAN_SINK` when the option `schema` is not one.
    pub(crate) fn new(file: OutputFile, spec: &ParquetSinkSpec, max_row_group_bytes: usize) -> Result<Self> {
        let compression = match spec.compression {
            ParquetCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
            ParquetCompression::Snappy => Compression::SNAPPY,
            ParquetCompression::None => Compression::UNCOMPRESSED,
        };
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(spec.row_group_rows))
            .set_created_by(concat!("sage-kernel ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            path: file.path().to_owned(),
            properties,
            batches: RecordBatches::new(&spec.schema, spec.invalid_strings)?,
            max_row_group_bytes,
            state: State::Waiting(Box::new(file)),
            records: 0,
        })
    }

    fn write_batches(&mut self, batches: &[RecordBatch]) -> Result<()> {
        if let (State::Waiting(_), Some(schema)) = (&self.state, self.batches.schema()) {
            let schema = Arc::clone(schema);
            if let State::Waiting(file) = std::mem::replace(&mut self.state, State::Failed) {
                let writer = ArrowWriter::try_new(*file, schema, Some(self.properties.clone()))
                    .map_err(|error| self.failed(&error))?;
                self.state = State::Writing(Box::new(writer));
            }
        }
        for batch in batches {
            let State::Writing(writer) = &mut self.state else {
                return Err(used_after_an_error());
            };
            let written = writer.write(batch).and_then(|()| {
                if writer.memory_size() > self.max_row_group_bytes {
                    writer.flush()
                } else {
                    Ok(())
                }
            });
            written.map_err(|error| parquet_error(IoAction::Write, &self.path, &error))?;
            self.records += batch.num_rows() as u64;
        }
        Ok(())
    }

    fn take(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if matches!(self.state, State::Failed | State::Complete(_)) {
            return Err(used_after_an_error());
        }
        let batches = self.batches.take(batch)?;
        self.write_batches(&batches)
    }

    fn complete(&mut self) -> Result<()> {
        let kept = self.batches.decide()?;
        self.write_batches(&kept)?;
        let mut writer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Writing(mut writer) => {
                writer.finish().map_err(|error| self.failed(&error))?;
                let flushed = writer.sync();
                flushed.map_err(|error| io_error(IoAction::Write, &self.path, &error))?;
                writer
            }
            State::Complete(writer) => writer,
            State::Waiting(_) | State::Failed => return Err(used_after_an_error()),
        };
        writer.inner_mut().sync()?;
        self.state = State::Complete(writer);
        Ok(())
    }

    /// The error, of this file.
    fn in_file(&mut self, error: SageError) -> SageError {
        // What is there is not the result.
        self.state = State::Failed;
        if error.context.contains_key("file") {
            error
        } else {
            error.with("file", self.path.display().to_string())
        }
    }

    fn failed(&self, error: &ParquetError) -> SageError {
        parquet_error(IoAction::Write, &self.path, error)
    }
}

fn used_after_an_error() -> SageError {
    SageError::new(ErrorCode::Internal, "a Parquet sink was used after an error")
}

impl BatchSink for ParquetSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.take(batch).map_err(|error| self.in_file(error))
    }

    fn prepare(&mut self) -> Result<()> {
        self.complete().map_err(|error| self.in_file(error))
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.prepare()?;
        let State::Complete(writer) = &mut self.state else {
            return Err(used_after_an_error());
        };
        let bytes = writer.inner_mut().commit()?;
        Ok(SinkReport {
            path: self.path.display().to_string(),
            files: 1,
            records: self.records,
            bytes,
            replaced_strings: self.batches.replaced_strings(),
            unread_records: 0,
        })
    }

    fn abort(self: Box<Self>) {}
}
