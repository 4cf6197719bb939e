//! Files and streams of Arrow IPC to write.

use std::io::BufWriter;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::arrow::RecordBatches;
use crate::io_error::{IoAction, io_error};
use crate::output::OutputFile;
use crate::spec::{ArrowCompression, ArrowFormat, ArrowSinkSpec};
use crate::{BatchSink, SinkReport};

/// Rows of a record batch, which is what parallel readers share ...
const BATCH_ROWS: usize = 65_536;
/// ... unless it has this many bytes before, or those that it may have.
const BATCH_BYTES: usize = 16 << 20;

/// Writes records as rows. The first records, widened by the option `schema`, decide the columns.
pub(crate) struct ArrowSink {
    path: PathBuf,
    format: ArrowFormat,
    compression: Option<CompressionType>,
    batches: RecordBatches,
    max_batch_bytes: usize,
    /// Collected for the next record batch.
    rows: Vec<RecordBatch>,
    state: State,
    records: u64,
}

enum State {
    /// The columns are not decided yet.
    Waiting(Box<OutputFile>),
    Writing(Writer),
    Complete(Writer),
    Failed,
}

enum Writer {
    File(Box<FileWriter<BufWriter<OutputFile>>>),
    Stream(Box<StreamWriter<BufWriter<OutputFile>>>),
}

impl Writer {
    fn write(&mut self, batch: &RecordBatch) -> std::result::Result<(), ArrowError> {
        match self {
            Self::File(writer) => writer.write(batch),
            Self::Stream(writer) => writer.write(batch),
        }
    }

    fn finish(&mut self) -> std::result::Result<(), ArrowError> {
        match self {
            Self::File(writer) => writer.finish().and_then(|()| writer.flush()),
            Self::Stream(writer) => writer.finish().and_then(|()| writer.flush()),
        }
    }

    fn file(&mut self) -> &mut OutputFile {
        match self {
            Self::File(writer) => writer.get_mut().get_mut(),
            Self::Stream(writer) => writer.get_mut().get_mut(),
        }
    }
}

impl ArrowSink {
    /// A sink that writes to `file`.
    ///
    /// # Errors
    /// `SAGE_PLAN_SINK` when the option `schema` is not one.
    pub(crate) fn new(file: OutputFile, spec: &ArrowSinkSpec, max_batch_bytes: usize) -> Result<Self> {
        Ok(Self {
            path: file.path().to_owned(),
            format: spec.format,
            compression: match spec.compression {
                ArrowCompression::None => None,
                ArrowCompression::Lz4 => Some(CompressionType::LZ4_FRAME),
                ArrowCompression::Zstd => Some(CompressionType::ZSTD),
            },
            batches: RecordBatches::new(&spec.schema, spec.invalid_strings)?,
            max_batch_bytes: max_batch_bytes.min(BATCH_BYTES),
            rows: Vec::new(),
            state: State::Waiting(Box::new(file)),
            records: 0,
        })
    }

    fn take(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if matches!(self.state, State::Failed | State::Complete(_)) {
            return Err(used_after_an_error());
        }
        let batches = self.batches.take(batch)?;
        self.collect(batches)
    }

    /// Collects rows until there are enough for a record batch.
    fn collect(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        for batch in batches {
            self.rows.push(batch);
            let rows: usize = self.rows.iter().map(RecordBatch::num_rows).sum();
            let bytes: usize = self.rows.iter().map(RecordBatch::get_array_memory_size).sum();
            if rows >= BATCH_ROWS || bytes >= self.max_batch_bytes {
                self.write_rows()?;
            }
        }
        Ok(())
    }

    fn write_rows(&mut self) -> Result<()> {
        let Some(schema) = self.batches.schema().cloned() else {
            return Ok(());
        };
        if let State::Waiting(_) = &self.state
            && let State::Waiting(file) = std::mem::replace(&mut self.state, State::Failed)
        {
            let writer = self.writer(*file, &schema).map_err(|error| self.failed(&error))?;
            self.state = State::Writing(writer);
        }
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let State::Writing(writer) = &mut self.state else {
            return Err(used_after_an_error());
        };
        let batch = concat_batches(&schema, &rows);
        let written = batch.and_then(|batch| writer.write(&batch).map(|()| batch.num_rows()));
        self.records += written.map_err(|error| self.failed(&error))? as u64;
        Ok(())
    }

    fn writer(&self, file: OutputFile, schema: &SchemaRef) -> std::result::Result<Writer, ArrowError> {
        let file = BufWriter::new(file);
        let options = IpcWriteOptions::default().try_with_compression(self.compression)?;
        Ok(match self.format {
            ArrowFormat::File => {
                Writer::File(Box::new(FileWriter::try_new_with_options(file, schema, options)?))
            }
            ArrowFormat::Stream => Writer::Stream(Box::new(StreamWriter::try_new_with_options(
                file, schema, options,
            )?)),
        })
    }

    fn complete(&mut self) -> Result<()> {
        let kept = self.batches.decide()?;
        self.collect(kept)?;
        if !matches!(self.state, State::Complete(_)) {
            self.write_rows()?;
        }
        let mut writer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Writing(mut writer) => {
                writer.finish().map_err(|error| self.failed(&error))?;
                writer
            }
            State::Complete(writer) => writer,
            State::Waiting(_) | State::Failed => return Err(used_after_an_error()),
        };
        writer.file().sync()?;
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

    fn failed(&self, error: &ArrowError) -> SageError {
        if let ArrowError::IoError(_, cause) = error {
            return io_error(IoAction::Write, &self.path, cause);
        }
        let path = self.path.display().to_string();
        SageError::new(ErrorCode::IoWrite, format!("cannot write {path}: {error}"))
            .with("file", path)
            .caused_by(error)
    }
}

fn used_after_an_error() -> SageError {
    SageError::new(ErrorCode::Internal, "an Arrow sink was used after an error")
}

impl BatchSink for ArrowSink {
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
        let bytes = writer.file().commit()?;
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
