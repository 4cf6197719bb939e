//! Parquet to write.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sage_types::Result;

use crate::formats::parquet::parquet_error;
use crate::io_error::{IoAction, io_error};
use crate::output::OutputFile;
use crate::sinks::RecordBatchWriter;
use crate::spec::{ParquetCompression, ParquetSinkSpec};

/// Writes record batches as row groups.
pub(crate) struct ParquetWriter {
    path: PathBuf,
    writer: ArrowWriter<OutputFile>,
    /// A row group is also ended when its encoded pages take this much memory.
    max_row_group_bytes: usize,
}

impl ParquetWriter {
    /// # Errors
    /// `SAGE_IO_*`
    pub(crate) fn open(
        file: OutputFile,
        schema: SchemaRef,
        spec: &ParquetSinkSpec,
        max_row_group_bytes: usize,
    ) -> Result<Self> {
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
        let path = file.path().to_owned();
        let writer = ArrowWriter::try_new(file, schema, Some(properties))
            .map_err(|error| parquet_error(IoAction::Write, &path, &error))?;
        Ok(Self {
            path,
            writer,
            max_row_group_bytes,
        })
    }

    fn written<T>(&self, result: std::result::Result<T, ParquetError>) -> Result<T> {
        result.map_err(|error| parquet_error(IoAction::Write, &self.path, &error))
    }
}

impl RecordBatchWriter for ParquetWriter {
    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let written = self.writer.write(&batch);
        self.written(written)?;
        if self.writer.memory_size() > self.max_row_group_bytes {
            let flushed = self.writer.flush();
            self.written(flushed)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let finished = self.writer.finish();
        self.written(finished)?;
        let flushed = self.writer.sync();
        flushed.map_err(|error| io_error(IoAction::Write, &self.path, &error))
    }

    fn output(&mut self) -> &mut OutputFile {
        self.writer.inner_mut()
    }
}
