//! Sources by their specs.

use std::sync::Arc;

use sage_frame::LayoutRegistry;
use sage_types::Result;

use crate::files::{FilePart, FileParts};
use crate::sources::{
    ArrowReader, BatchReader, CsvReader, JsonLinesReader, JsonReader, ParquetReader, PartReader,
    PartSequence, ReaderSource, TextLinesReader,
};
use crate::spec::{SourceFormat, SourceSpec};
use crate::{BatchSource, SourceSplit};

/// Opens the part of a source that belongs to `split`; layouts of its frames are those of `registry`.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec; `SAGE_IO_*` when files cannot be listed. Files are opened when it is their turn.
pub fn open_source(
    spec_json: &str,
    split: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSource>> {
    split.check()?;
    let SourceSpec { files, format } = SourceSpec::parse(spec_json)?;
    let parts = files.parts(split, format.is_divisible())?;
    Ok(open_parts(format, parts, split, registry))
}

/// Opens a source that goes on where an earlier process was: [`BatchSource::restore`] says where, and no file is looked for
/// before.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec; `SAGE_IO_*` when a directory to be watched is not there.
pub fn resume_source(
    spec_json: &str,
    split: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSource>> {
    split.check()?;
    let SourceSpec { files, format } = SourceSpec::parse(spec_json)?;
    let parts = files.parts_to_restore(split)?;
    Ok(open_parts(format, parts, split, registry))
}

/// Refuses a source that could not go on in another process. Files are looked for; a pinned spec has them.
///
/// # Errors
/// `SAGE_CHECKPOINT_SOURCE` for the standard input and pipes, which cannot be read twice; `SAGE_PLAN_SOURCE`, `SAGE_IO_*`.
pub fn check_resumable(spec_json: &str) -> Result<()> {
    SourceSpec::parse(spec_json)?.files.check_resumable()
}

fn open_parts(
    format: SourceFormat,
    parts: FileParts,
    split: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Box<dyn BatchSource> {
    let is_stream = format.is_stream();
    match format {
        SourceFormat::TextLines(spec) => lines(split, TextLinesReader::new(&spec, parts, registry)),
        SourceFormat::JsonLines(spec) => lines(split, JsonLinesReader::new(&spec, parts, registry)),
        SourceFormat::Csv(spec) => {
            let spec = Arc::new(spec);
            source_of_parts(split, is_stream, parts, move |part, before| {
                CsvReader::open(Arc::clone(&spec), part, before, Arc::clone(&registry))
            })
        }
        SourceFormat::Json(spec) => source_of_parts(split, is_stream, parts, move |part, before| {
            JsonReader::open(&spec, part, before, Arc::clone(&registry))
        }),
        SourceFormat::Parquet(spec) => source_of_parts(split, is_stream, parts, move |part, _before| {
            ParquetReader::open(&spec, part, Arc::clone(&registry))
        }),
        SourceFormat::Arrow(spec) => source_of_parts(split, is_stream, parts, move |part, _before| {
            ArrowReader::open(&spec, part, Arc::clone(&registry))
        }),
    }
}

fn lines(split: SourceSplit, reader: impl BatchReader + 'static) -> Box<dyn BatchSource> {
    Box::new(ReaderSource::new(reader, split, true))
}

fn source_of_parts<R: PartReader + 'static>(
    split: SourceSplit,
    is_stream: bool,
    parts: FileParts,
    open: impl FnMut(&FilePart, Option<R>) -> Result<R> + Send + 'static,
) -> Box<dyn BatchSource> {
    Box::new(ReaderSource::new(
        PartSequence::new(parts, open),
        split,
        is_stream,
    ))
}
