//! Parquet to write.

use std::io::Write;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use parquet::file::properties::WriterProperties;
use sage_types::Result;

use crate::formats::parquet::parquet_error;
use crate::io_error::{IoAction, io_error};
use crate::output::{OutputFile, malformed};
use crate::sinks::RecordBatchWriter;
use crate::sinks::segment::Segment;
use crate::spec::{ParquetCompression, ParquetSinkSpec};

/// What a file begins with, and ends with.
const MAGIC_BYTES: usize = 4;
/// Behind the metadata: their length, and the magic.
const TRAILER_BYTES: usize = 8;

/// Writes record batches as row groups.
///
/// A file that an earlier process began is gone on with by a writer of its own, which believes to be at the beginning: the
/// offsets in its metadata are moved, and the footer is written here, for the row groups of both. It has no page index, which
/// readers can do without.
pub(crate) struct ParquetWriter {
    path: PathBuf,
    writer: ArrowWriter<Segment>,
    /// A row group is also ended when its encoded pages take this much memory.
    max_row_group_bytes: usize,
    before: Option<Before>,
}

/// What an earlier process wrote.
struct Before {
    row_groups: Vec<RowGroupMetaData>,
    /// What is to be added to the offsets of the writer.
    moved: i64,
}

impl ParquetWriter {
    /// `saved`: what [`RecordBatchWriter::cut`] gave, when the file was begun.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_CHECKPOINT_SINK`
    pub(crate) fn open(
        file: OutputFile,
        schema: SchemaRef,
        spec: &ParquetSinkSpec,
        max_row_group_bytes: usize,
        saved: Option<&[u8]>,
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
        let before = match saved {
            Some(saved) => Some(Before {
                row_groups: row_groups_of(saved)?,
                moved: i64::try_from(file.written()).unwrap_or(i64::MAX)
                    - i64::try_from(MAGIC_BYTES).unwrap_or(0),
            }),
            None => None,
        };
        let segment = Segment::new(file, if before.is_some() { MAGIC_BYTES } else { 0 });
        let writer = ArrowWriter::try_new(segment, schema, Some(properties))
            .map_err(|error| parquet_error(IoAction::Write, &path, &error))?;
        Ok(Self {
            path,
            writer,
            max_row_group_bytes,
            before,
        })
    }

    fn written<T>(&self, result: std::result::Result<T, ParquetError>) -> Result<T> {
        result.map_err(|error| parquet_error(IoAction::Write, &self.path, &error))
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = self.writer.flush();
        self.written(flushed)?;
        let flushed = self.writer.sync();
        flushed.map_err(|error| io_error(IoAction::Write, &self.path, &error))
    }

    /// All row groups that are in the file.
    fn row_groups(&self) -> std::result::Result<Vec<RowGroupMetaData>, ParquetError> {
        let own = self.writer.flushed_row_groups();
        let Some(before) = &self.before else {
            return Ok(own.to_vec());
        };
        let own = own.iter().map(|group| moved(group, before.moved));
        before.row_groups.iter().cloned().map(Ok).chain(own).collect()
    }

    /// Writes the footer for all row groups.
    fn finish_both(&mut self) -> Result<()> {
        let row_groups = self.row_groups();
        let row_groups = self.written(row_groups)?;
        self.writer.inner_mut().mute(true);
        let finished = self.writer.finish();
        let own = self.written(finished)?;
        let synced = self.writer.sync();
        synced.map_err(|error| io_error(IoAction::Write, &self.path, &error))?;
        self.writer.inner_mut().mute(false);
        let own = own.file_metadata();
        let file = FileMetaData::new(
            own.version(),
            row_groups.iter().map(RowGroupMetaData::num_rows).sum(),
            own.created_by().map(str::to_owned),
            own.key_value_metadata().cloned(),
            own.schema_descr_ptr(),
            own.column_orders().cloned(),
        );
        let footer = footer_of(file, row_groups);
        let footer = self.written(footer)?;
        let written = self.writer.inner_mut().file.write_all(&footer);
        written.map_err(|error| io_error(IoAction::Write, &self.path, &error))
    }
}

fn footer_of(
    file: FileMetaData,
    row_groups: Vec<RowGroupMetaData>,
) -> std::result::Result<Vec<u8>, ParquetError> {
    let metadata = ParquetMetaData::new(file, row_groups);
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &metadata)
        .with_preserve_page_index_locations(false)
        .finish()?;
    Ok(footer)
}

/// A row group as it is with so many bytes before its file.
fn moved(group: &RowGroupMetaData, by: i64) -> std::result::Result<RowGroupMetaData, ParquetError> {
    let columns = group.columns().iter().map(|column: &ColumnChunkMetaData| {
        column
            .clone()
            .into_builder()
            .set_data_page_offset(column.data_page_offset() + by)
            .set_dictionary_page_offset(column.dictionary_page_offset().map(|at| at + by))
            .set_index_page_offset(column.index_page_offset().map(|at| at + by))
            .build()
    });
    let columns: Vec<_> = columns.collect::<std::result::Result<_, _>>()?;
    let mut builder = group.clone().into_builder().set_column_metadata(columns);
    if let Some(offset) = group.file_offset() {
        builder = builder.set_file_offset(offset + by);
    }
    builder.build()
}

/// The row groups of the bytes that [`RecordBatchWriter::cut`] gives.
fn row_groups_of(saved: &[u8]) -> Result<Vec<RowGroupMetaData>> {
    let Some(end) = saved.len().checked_sub(TRAILER_BYTES) else {
        return Ok(Vec::new());
    };
    let metadata = ParquetMetaDataReader::decode_metadata(&saved[..end]);
    let metadata = metadata.map_err(|error| malformed(&error.to_string()))?;
    Ok(metadata.row_groups().to_vec())
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

    /// Ends the row group. What is given is the footer of those so far, or nothing when there are none.
    fn cut(&mut self) -> Result<Vec<u8>> {
        self.flush()?;
        let row_groups = self.row_groups();
        let row_groups = self.written(row_groups)?;
        let Some(first) = row_groups.first() else {
            return Ok(Vec::new());
        };
        let file = FileMetaData::new(2, 0, None, None, first.schema_descr_ptr(), None);
        let footer = footer_of(file, row_groups);
        self.written(footer)
    }

    fn finish(&mut self) -> Result<()> {
        if self.before.is_some() {
            self.flush()?;
            return self.finish_both();
        }
        let finished = self.writer.finish();
        self.written(finished)?;
        let flushed = self.writer.sync();
        flushed.map_err(|error| io_error(IoAction::Write, &self.path, &error))
    }

    fn output(&mut self) -> &mut OutputFile {
        &mut self.writer.inner_mut().file
    }
}
