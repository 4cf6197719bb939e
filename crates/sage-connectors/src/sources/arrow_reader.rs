//! Files and streams of Arrow IPC to read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use sage_frame::{Frame, LayoutRegistry};
use sage_types::{ErrorCode, Result, SageError};
use serde_json::json;

use crate::files::{FilePart, OPEN_END, PartStart, open_seekable};
use crate::formats::arrow::{ColumnFrames, LoadError, NoFacts, batch_pieces, guarded, kept_columns};
use crate::input::Interrupt;
use crate::io_error::{IoAction, io_error};
use crate::sources::{BatchReader, PartReader};
use crate::spec::ColumnarSourceSpec;

/// What a file of Arrow IPC begins with; a stream does not.
const FILE_MAGIC: &[u8] = b"ARROW1";
/// What a stream ends with. The library takes an end of the file for it, also one that comes too early.
const STREAM_END: &[u8] = &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

/// Reads the rows of record batches as objects, with the types that [`crate::sources::ParquetReader`] gives. A part
/// of a file has whole record batches; the first part of a stream has all of it.
pub(crate) struct ArrowReader {
    path: PathBuf,
    reader: Reader,
    frames: ColumnFrames,
    batch_rows: usize,
    /// What was read and is not yet in a frame.
    pieces: VecDeque<RecordBatch>,
    /// Record batches of this part that are not yet delivered in full.
    batches: Range<usize>,
    /// Rows delivered of the first of them, and rows that it has.
    row: usize,
    rows: usize,
    /// Record batches of a stream that an earlier process has read.
    read_before: usize,
    /// Rows of the first record batch that it has read.
    rows_before: usize,
}

enum Reader {
    File(Box<FileReader<BufReader<File>>>),
    /// A stream says only at its end how many record batches it has.
    Stream(Box<StreamReader<BufReader<File>>>),
    /// Other instances read the stream.
    Nothing,
}

impl ArrowReader {
    /// Opens the file and reads its schema.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_ARROW`, `SAGE_FORMAT_COLUMN_MISSING`, `SAGE_FORMAT_COLUMN_TYPE`.
    pub(crate) fn open(
        spec: &ColumnarSourceSpec,
        part: &FilePart,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let path = part.file.path.as_path();
        let (read_before, rows_before) = match part.start {
            PartStart::Blocks { from, row, .. } => (index_of(from), index_of(row)),
            _ => (0, 0),
        };
        let projection = |schema: &SchemaRef| kept_columns(path, spec.columns.as_deref(), schema);
        let (reader, schema, batches) = if is_file(path)? {
            let (schema, count) = file_schema(path)?;
            let kept = projection(&schema)?;
            let mut reader = open_ipc(path, |file| FileReader::try_new(file, Some(kept)))?;
            let batches = match part.start {
                PartStart::Blocks { from, to, .. } => index_of(from).min(count)..index_of(to).min(count),
                _ => batches_of(count, part),
            };
            let moved = guarded(|| reader.set_index(batches.start.min(count.saturating_sub(1))));
            if count > 0 {
                moved
                    .map_err(|panic| corrupt(path, panic))?
                    .map_err(|error| arrow_error(path, &error))?;
            }
            (Reader::File(Box::new(reader)), schema, batches)
        } else if part.range.as_ref().is_some_and(|range| range.start > 0) {
            let schema = open_ipc(path, |file| StreamReader::try_new(file, None))?.schema();
            (Reader::Nothing, schema, 0..0)
        } else {
            let schema = open_ipc(path, |file| StreamReader::try_new(file, None))?.schema();
            let kept = projection(&schema)?;
            let reader = open_ipc(path, |file| StreamReader::try_new(file, Some(kept)))?;
            (Reader::Stream(Box::new(reader)), schema, read_before..usize::MAX)
        };
        let is_stream = matches!(reader, Reader::Stream(_));
        let kept = projection(&schema)?;
        let frames = ColumnFrames::new(path, &schema, &kept, &NoFacts, spec.forms(), registry)?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            frames,
            batch_rows: spec.batch_rows,
            pieces: VecDeque::new(),
            batches,
            row: 0,
            rows: 0,
            read_before: if is_stream { read_before } else { 0 },
            rows_before,
        })
    }

    /// Refuses the end of a stream that was cut off between two messages, and what is behind the end of one.
    fn check_end(&mut self) -> Result<()> {
        let Reader::Stream(reader) = &mut self.reader else {
            return Ok(());
        };
        let file = reader.get_mut();
        let read = |error: std::io::Error| io_error(IoAction::Read, &self.path, &error);
        let metadata = file.get_ref().metadata().map_err(read)?;
        let end = file.stream_position().map_err(read)?;
        let path = self.path.display().to_string();
        if end < metadata.len() {
            let message = format!(
                "{path} goes on at byte {end}, behind the end of its stream of Arrow; write each stream to a file of its own"
            );
            let error = SageError::new(ErrorCode::FormatArrow, message);
            return Err(error.with("file", path).with("byte", end));
        }
        if !ends_with(&self.path, STREAM_END)? {
            let message =
                format!("{path} ends without the end marker of an Arrow stream: it is not complete");
            return Err(SageError::new(ErrorCode::IoTruncated, message).with("file", path));
        }
        Ok(())
    }

    fn frame_of(&mut self, piece: &RecordBatch) -> Result<Frame> {
        let frame = self
            .frames
            .frame_of(piece)
            .map_err(|(error, column)| match error {
                LoadError::Arrow(error) => self
                    .in_batch(arrow_error(&self.path, &error))
                    .with("field", column),
                LoadError::Unfit(error) => self.in_batch(error.with("file", self.path.display().to_string())),
            })?;
        self.row += piece.num_rows();
        Ok(frame)
    }

    /// The record batch, and the row in it, that comes behind the frames that were taken.
    fn next_row(&self) -> (usize, usize) {
        if self.rows > 0 && self.row >= self.rows {
            (self.batches.start + 1, 0)
        } else if self.rows == 0 {
            (self.batches.start, self.rows_before)
        } else {
            (self.batches.start, self.row)
        }
    }

    fn in_batch(&self, error: SageError) -> SageError {
        error.with("batch", self.batches.start)
    }
}

fn index_of(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// The record batches of a part: those whose middle lies in its share of them.
fn batches_of(count: usize, part: &FilePart) -> Range<usize> {
    // Twice as many, so that the middle of one is a whole number.
    let share = part.share_of(2 * count as u128);
    let index = |bound: u128| usize::try_from(bound / 2).unwrap_or(count).min(count);
    index(share.start)..index(share.end)
}

/// How many record batches a file has, for instances to share; 1 for a stream.
///
/// # Errors
/// `SAGE_IO_*`, `SAGE_FORMAT_ARROW`.
pub(crate) fn count_record_batches(path: &Path) -> Result<u64> {
    if is_file(path)? {
        Ok(file_schema(path)?.1 as u64)
    } else {
        Ok(1)
    }
}

/// Whether it has the form of a file, and not of a stream.
///
/// # Errors
/// `SAGE_IO_*`
fn is_file(path: &Path) -> Result<bool> {
    let (mut file, _) = open_seekable(path, "Arrow IPC")?;
    let mut head = Vec::new();
    let read = file.by_ref().take(FILE_MAGIC.len() as u64).read_to_end(&mut head);
    read.map_err(|error| io_error(IoAction::Read, path, &error))?;
    Ok(head == FILE_MAGIC)
}

/// Whether these are the last bytes of a file.
fn ends_with(path: &Path, end: &[u8]) -> Result<bool> {
    let (mut file, metadata) = open_seekable(path, "Arrow IPC")?;
    let mut last = Vec::new();
    let from = metadata.len().saturating_sub(end.len() as u64);
    let read = file
        .seek(SeekFrom::Start(from))
        .and_then(|_| file.read_to_end(&mut last));
    read.map_err(|error| io_error(IoAction::Read, path, &error))?;
    Ok(last == end)
}

/// The schema of a file, and how many record batches it has.
///
/// # Errors
/// `SAGE_IO_*`, `SAGE_FORMAT_ARROW`.
fn file_schema(path: &Path) -> Result<(SchemaRef, usize)> {
    let reader = open_ipc(path, |file| FileReader::try_new(file, None))?;
    Ok((reader.schema(), reader.num_batches()))
}

fn open_ipc<R>(
    path: &Path,
    open: impl FnOnce(BufReader<File>) -> std::result::Result<R, ArrowError>,
) -> Result<R> {
    let (mut file, _) = open_seekable(path, "Arrow IPC")?;
    file.rewind()
        .map_err(|error| io_error(IoAction::Read, path, &error))?;
    guarded(|| open(BufReader::new(file)))
        .map_err(|panic| corrupt(path, panic))?
        .map_err(|error| arrow_error(path, &error))
}

fn arrow_error(path: &Path, error: &ArrowError) -> SageError {
    match error {
        // An end that comes too early, and a place before the start, are defects of the file.
        ArrowError::IoError(_, cause)
            if !matches!(
                cause.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
            ) =>
        {
            io_error(IoAction::Read, path, cause)
        }
        _ => corrupt(path, error),
    }
}

fn corrupt(path: &Path, cause: impl std::fmt::Display) -> SageError {
    let path = path.display().to_string();
    SageError::new(
        ErrorCode::FormatArrow,
        format!("{path} is corrupt or neither a file nor a stream of Arrow IPC: {cause}"),
    )
    .with("file", path)
    .caused_by(cause)
}

impl BatchReader for ArrowReader {
    fn fill(&mut self) -> Result<bool, Interrupt> {
        while self.pieces.is_empty() {
            if self.rows > 0 || self.batches.is_empty() {
                // The record batch before is delivered.
                self.batches.start = self.batches.start.saturating_add(usize::from(self.rows > 0));
                (self.row, self.rows) = (0, 0);
            }
            if self.batches.is_empty() {
                return Ok(false);
            }
            let reader = &mut self.reader;
            let batch = guarded(|| match reader {
                Reader::File(reader) => reader.next(),
                Reader::Stream(reader) => reader.next(),
                Reader::Nothing => None,
            });
            match batch.map_err(|panic| self.in_batch(corrupt(&self.path, panic)))? {
                Some(Ok(_)) if self.read_before > 0 => self.read_before -= 1,
                Some(Ok(mut batch)) => {
                    self.rows = batch.num_rows();
                    let before = std::mem::take(&mut self.rows_before).min(self.rows);
                    if before > 0 {
                        self.row = before;
                        batch = batch.slice(before, self.rows - before);
                    }
                    if self.rows == 0 {
                        self.batches.start += 1;
                    }
                    self.pieces.extend(batch_pieces(&batch, self.batch_rows));
                }
                Some(Err(error)) => return Err(self.in_batch(arrow_error(&self.path, &error)).into()),
                None => {
                    self.check_end()?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn take_frame(&mut self) -> Result<Option<Frame>> {
        let Some(piece) = self.pieces.pop_front() else {
            return Ok(None);
        };
        self.frame_of(&piece).map(Some)
    }

    fn place(&self) -> String {
        let (batch, row) = self.next_row();
        json!({ "file": self.path.to_string_lossy(), "batch": batch, "row": row }).to_string()
    }
}

impl PartReader for ArrowReader {
    fn rest(&self, part: &FilePart) -> Option<FilePart> {
        let (batch, row) = self.next_row();
        let to = match self.reader {
            Reader::Nothing => return None,
            Reader::Stream(_) => OPEN_END,
            Reader::File(_) => self.batches.end as u64,
        };
        let start = PartStart::Blocks {
            from: batch as u64,
            to,
            row: row as u64,
        };
        (batch as u64 != to).then(|| FilePart {
            start,
            ..part.clone()
        })
    }
}
