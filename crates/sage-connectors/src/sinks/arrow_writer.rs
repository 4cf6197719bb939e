//! Files and streams of Arrow IPC to write.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::arrow::file_footer;
use crate::io_error::{IoAction, io_error};
use crate::output::OutputFile;
use crate::sinks::RecordBatchWriter;
use crate::sinks::segment::Segment;
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
    File(FileWriter<BufWriter<Segment>>),
    Stream(StreamWriter<BufWriter<Segment>>),
    /// A file that an earlier process began: its record batches are those of a stream, and the footer is made of what is in the
    /// file in the end.
    Rest(StreamWriter<BufWriter<Segment>>),
}

impl Writer {
    fn open(
        file: OutputFile,
        schema: &SchemaRef,
        spec: &ArrowSinkSpec,
        begun: bool,
    ) -> std::result::Result<Self, ArrowError> {
        let options = IpcWriteOptions::default().try_with_compression(match spec.compression {
            ArrowCompression::None => None,
            ArrowCompression::Lz4 => Some(CompressionType::LZ4_FRAME),
            ArrowCompression::Zstd => Some(CompressionType::ZSTD),
        })?;
        let mut segment = Segment::new(file, 0);
        segment.mute(begun);
        let file = BufWriter::new(segment);
        if !begun && spec.format == ArrowFormat::File {
            return Ok(Self::File(FileWriter::try_new_with_options(
                file, schema, options,
            )?));
        }
        let mut writer = StreamWriter::try_new_with_options(file, schema, options)?;
        if begun {
            // The schema is in the file already.
            writer.flush()?;
            writer.get_mut().get_mut().mute(false);
        }
        Ok(match spec.format {
            ArrowFormat::File => Self::Rest(writer),
            ArrowFormat::Stream => Self::Stream(writer),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> std::result::Result<(), ArrowError> {
        match self {
            Self::File(writer) => writer.write(batch),
            Self::Stream(writer) | Self::Rest(writer) => writer.write(batch),
        }
    }

    fn flush(&mut self) -> std::result::Result<(), ArrowError> {
        match self {
            Self::File(writer) => writer.flush(),
            Self::Stream(writer) | Self::Rest(writer) => writer.flush(),
        }
    }

    fn finish(&mut self, schema: &SchemaRef) -> std::result::Result<(), ArrowError> {
        match self {
            Self::File(writer) => writer.finish().and_then(|()| writer.flush()),
            Self::Stream(writer) => writer.finish().and_then(|()| writer.flush()),
            Self::Rest(writer) => {
                writer.finish().and_then(|()| writer.flush())?;
                let file = &mut writer.get_mut().get_mut().file;
                let footer = file_footer(file.written_to(), schema)?;
                file.write_all(&footer)?;
                Ok(file.flush()?)
            }
        }
    }
}

impl ArrowWriter {
    /// `begun`: an earlier process has begun the file.
    ///
    /// # Errors
    /// `SAGE_IO_*`
    pub(crate) fn open(
        file: OutputFile,
        schema: SchemaRef,
        spec: &ArrowSinkSpec,
        max_batch_bytes: usize,
        begun: bool,
    ) -> Result<Self> {
        let path = file.path().to_owned();
        let writer = Writer::open(file, &schema, spec, begun).map_err(|error| failed(&path, &error))?;
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

    /// Ends the record batch. All that there is to know is in the file.
    fn cut(&mut self) -> Result<Vec<u8>> {
        self.write_rows()?;
        self.writer.flush().map_err(|error| failed(&self.path, &error))?;
        Ok(Vec::new())
    }

    fn finish(&mut self) -> Result<()> {
        self.write_rows()?;
        let finished = self.writer.finish(&self.schema);
        finished.map_err(|error| failed(&self.path, &error))
    }

    fn output(&mut self) -> &mut OutputFile {
        match &mut self.writer {
            Writer::File(writer) => &mut writer.get_mut().get_mut().file,
            Writer::Stream(writer) | Writer::Rest(writer) => &mut writer.get_mut().get_mut().file,
        }
    }
}
