//! Parquet files to read.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use sage_frame::{Frame, LayoutRegistry};
use sage_types::{Result, SageError};
use serde_json::json;

use crate::files::{FilePart, PartStart, open_seekable};
use crate::formats::arrow::{ColumnFrames, LoadError, batch_pieces, guarded, kept_columns};
use crate::formats::parquet::{ColumnStatistics, corrupt, parquet_error};
use crate::input::Interrupt;
use crate::io_error::IoAction;
use crate::sources::{BatchReader, PartReader};
use crate::spec::ColumnarSourceSpec;

/// Rows are read until their columns have about this many bytes: long strings make short batches.
const READ_BYTES: u64 = 4 << 20;

/// Reads the rows of a Parquet file as objects. A part has whole row groups.
///
/// Types: whole numbers of up to 32 bits, and of 64 bits when the statistics of all row groups say that they fit, are `i32`
/// columns; other numbers `f64` (see the option `int64` for what doubles do not hold); timestamps and dates `Date`s, cut
/// off to milliseconds, those without a zone read as UTC; times of day and durations milliseconds; decimals of up to
/// 15 digits numbers, longer ones strings (option `decimal`); structs objects; lists arrays; maps objects (arrays of pairs
/// when the keys are not strings). Null is `null`.
pub(crate) struct ParquetReader {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    frames: ColumnFrames,
    /// What was read and is not yet in a frame.
    batches: VecDeque<RecordBatch>,
    /// Number in the file, and rows, of the row groups that are not yet delivered in full.
    row_groups: VecDeque<(usize, u64)>,
    /// Row groups of the file.
    all_row_groups: usize,
    /// Rows delivered of the first of them.
    row: u64,
}

impl ParquetReader {
    /// Opens the file and reads its footer.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_PARQUET`, `SAGE_FORMAT_COLUMN_MISSING`, `SAGE_FORMAT_COLUMN_TYPE`.
    pub(crate) fn open(
        spec: &ColumnarSourceSpec,
        part: &FilePart,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let path = part.file.path.as_path();
        let (file, _) = open_seekable(path, "Parquet")?;
        let failed = |error: &ParquetError| parquet_error(IoAction::Open, path, error);
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::<File>::try_new(file))
            .map_err(|panic| corrupt(path, panic))?
            .map_err(|error| failed(&error))?;
        let schema = Arc::clone(builder.schema());
        let kept = kept_columns(path, spec.columns.as_deref(), &schema)?;
        let metadata = Arc::clone(builder.metadata());
        let facts = ColumnStatistics::new(&metadata);
        let frames = ColumnFrames::new(path, &schema, &kept, &facts, spec.forms(), registry)?;
        let (row_groups, row) = match part.start {
            PartStart::Blocks { from, to, row } => (row_groups_in(&metadata, from, to), row),
            _ => (row_groups_of(&metadata, part), 0),
        };
        let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
        let batch_rows = rows_of_a_read(&metadata, builder.parquet_schema(), &mask, spec.batch_rows);
        let reader = guarded(|| {
            builder
                .with_projection(mask)
                .with_row_groups(row_groups.iter().map(|&(index, _)| index).collect())
                .with_batch_size(batch_rows)
                .with_offset(usize::try_from(row).unwrap_or(usize::MAX))
                .build()
        })
        .map_err(|panic| corrupt(path, panic))?
        .map_err(|error| failed(&error))?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            frames,
            batches: VecDeque::new(),
            row_groups,
            all_row_groups: metadata.num_row_groups(),
            row,
        })
    }

    fn frame_of(&mut self, batch: &RecordBatch) -> Result<Frame> {
        let frame = match self.frames.frame_of(batch) {
            Ok(frame) => frame,
            Err((LoadError::Arrow(error), column)) => return Err(self.broken(error).with("field", column)),
            Err((LoadError::Unfit(error), _)) => {
                return Err(error.with("file", self.path.display().to_string()));
            }
        };
        self.advance(batch.num_rows() as u64);
        Ok(frame)
    }

    fn advance(&mut self, rows: u64) {
        self.row += rows;
        while let Some(&(_, group_rows)) = self.row_groups.front()
            && self.row >= group_rows
        {
            self.row -= group_rows;
            self.row_groups.pop_front();
        }
    }

    fn broken(&self, error: ArrowError) -> SageError {
        let error = parquet_error(
            IoAction::Read,
            &self.path,
            &ParquetError::External(Box::new(error)),
        );
        match self.row_groups.front() {
            Some(&(row_group, _)) => error.with("rowGroup", row_group),
            None => error,
        }
    }
}

/// The row groups from one number up to another, with their rows.
fn row_groups_in(metadata: &ParquetMetaData, from: u64, to: u64) -> VecDeque<(usize, u64)> {
    let index = |at: u64| {
        usize::try_from(at).map_or(metadata.num_row_groups(), |at| at.min(metadata.num_row_groups()))
    };
    let rows = |index: usize| u64::try_from(metadata.row_group(index).num_rows()).unwrap_or(0);
    (index(from)..index(to))
        .map(|index| (index, rows(index)))
        .filter(|&(_, rows)| rows > 0)
        .collect()
}

/// The row groups of a part, in order: those whose middle byte lies in its share of the bytes of all row groups.
fn row_groups_of(metadata: &ParquetMetaData, part: &FilePart) -> VecDeque<(usize, u64)> {
    let group = |index: usize| metadata.row_group(index);
    let rows = |index: usize| u64::try_from(group(index).num_rows()).unwrap_or(0);
    let bytes = |index: usize| u64::try_from(group(index).compressed_size()).unwrap_or(0).max(1);
    let all = (0..metadata.num_row_groups())
        .map(bytes)
        .fold(0_u64, u64::saturating_add);
    // Twice the bytes, so that the middle of a group is a whole number.
    let share = part.share_of(u128::from(all) * 2);
    let mut before = 0_u128;
    let mut kept = VecDeque::new();
    for index in 0..metadata.num_row_groups() {
        let group_bytes = u128::from(bytes(index));
        if rows(index) > 0 && share.contains(&(2 * before + group_bytes)) {
            kept.push_back((index, rows(index)));
        }
        before += group_bytes;
    }
    kept
}

/// Rows to read at once, so that they need memory of about [`READ_BYTES`].
fn rows_of_a_read(
    metadata: &ParquetMetaData,
    schema: &parquet::schema::types::SchemaDescriptor,
    mask: &ProjectionMask,
    batch_rows: usize,
) -> usize {
    let mut most = 1;
    for group in metadata.row_groups() {
        let bytes: i64 = (0..schema.num_columns())
            .filter(|&leaf| mask.leaf_included(leaf))
            .filter_map(|leaf| group.columns().get(leaf))
            .map(parquet::file::metadata::ColumnChunkMetaData::uncompressed_size)
            .sum();
        let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
        most = most.max(u64::try_from(bytes).unwrap_or(0) / rows);
    }
    usize::try_from(READ_BYTES / most)
        .unwrap_or(usize::MAX)
        .clamp(1, batch_rows)
}

impl BatchReader for ParquetReader {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        while self.batches.is_empty() {
            let reader = &mut self.reader;
            let batch = guarded(|| reader.next()).map_err(|panic| corrupt(&self.path, panic))?;
            match batch {
                None => return Ok(false),
                Some(Ok(batch)) => self.batches.extend(batch_pieces(&batch, usize::MAX)),
                Some(Err(error)) => return Err(self.broken(error).into()),
            }
        }
        Ok(true)
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        let Some(batch) = self.batches.pop_front() else {
            return Ok(None);
        };
        self.frame_of(&batch).map(Some)
    }

    fn place(&self) -> String {
        let row_group = self
            .row_groups
            .front()
            .map_or(self.all_row_groups, |&(row_group, _)| row_group);
        json!({ "file": self.path.to_string_lossy(), "rowGroup": row_group, "row": self.row }).to_string()
    }
}

impl PartReader for ParquetReader {
    fn rest(&self, part: &FilePart) -> Option<FilePart> {
        let (&(from, _), &(last, _)) = (self.row_groups.front()?, self.row_groups.back()?);
        Some(FilePart {
            start: PartStart::Blocks {
                from: from as u64,
                to: last as u64 + 1,
                row: self.row,
            },
            ..part.clone()
        })
    }
}
