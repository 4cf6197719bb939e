//! Files and streams of Arrow IPC to write.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use sage_types::{ErrorCode, Result, SageError};

use crate::io_error::{IoAction, io_error};
use crate::output::OutputFile;
use crate::sinks::RecordBatchWriter;
use crate::spec::{ArrowCompression, ArrowFormat, ArrowSinkSpec};

/// Rows of a record batch, which is what parallel readers share ...
const BATCH_ROWS: usize = 65_536;
/// ... unless it has this many bytes before, or those that it may have.
const BATCH_BYTES: usize = 16 << 20;

/// Writes larger record batches made of those that come.
pub(crate) struct ArrowWriter {
    path: PathBuf,
    schema: SchemaRef,
    writer: Writer,
    max_batch_bytes: usize,
    /// Collected for the next record batch.
    rows: Vec<RecordBatch>,
}

enum Writer {
    File(FileWriter<BufWriter<OutputFile>>),
    Stream(StreamWriter<BufWriter<OutputFile>>),
}

impl Writer {
    fn open(
        file: OutputFile,
        schema: &SchemaRef,
        spec: &ArrowSinkSpec,
    ) -> std::result::Result<Self, ArrowError> {
        let file = BufWriter::new(file);
        let options = IpcWriteOptions::default().try_with_compression(match spec.compression {
            ArrowCompression::None => None,
            ArrowCompression::Lz4 => Some(CompressionType::LZ4_FRAME),
            ArrowCompression::Zstd => Some(CompressionType::ZSTD),
        })?;
        Ok(match spec.format {
            ArrowFormat::File => Self::File(FileWriter::try_new_with_options(file, schema, options)?),
            ArrowFormat::Stream => Self::Stream(StreamWriter::try_new_with_options(file, schema, options)?),
        })
    }

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
}

impl ArrowWriter {
    /// # Errors
    /// `SAGE_IO_*`
    pub(crate) fn open(
        file: OutputFile,
        schema: SchemaRef,
        spec: &ArrowSinkSpec,
        max_batch_bytes: usize,
    ) -> Result<Self> {
        let path = file.path().to_owned();
        let writer = Writer::open(file, &schema, spec).map_err(|error| failed(&path, &error))?;
        Ok(Self {
            path,
            schema,
            writer,
            max_batch_bytes: max_batch_bytes.min(BATCH_BYTES),
            rows: Vec::new(),
        })
    }

    fn write_rows(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let batch = concat_batches(&self.schema, &rows);
        let written = batch.and_then(|batch| self.writer.write(&batch));
        written.map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &ArrowError) -> SageError {
    if let ArrowError::IoError(_, cause) = error {
        return io_error(IoAction::Write, path, cause);
    }
    let path = path.display().to_string();
    SageError::new(ErrorCode::IoWrite, format!("cannot write {path}: {error}"))
        .with("file", path)
        .caused_by(error)
}

impl RecordBatchWriter for ArrowWriter {
    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows.push(batch);
        let rows: usize = self.rows.iter().map(RecordBatch::num_rows).sum();
        let bytes: usize = self.rows.iter().map(RecordBatch::get_array_memory_size).sum();
        if rows >= BATCH_ROWS || bytes >= self.max_batch_bytes {
            self.write_rows()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.write_rows()?;
        self.writer.finish().map_err(|error| failed(&self.path, &error))
    }

    fn output(&mut self) -> &mut OutputFile {
        match &mut self.writer {
            Writer::File(writer) => writer.get_mut().get_mut(),
            Writer::Stream(writer) => writer.get_mut().get_mut(),
        }
    }
}
