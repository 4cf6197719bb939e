//! Sources by their specs.

use std::sync::Arc;

use sage_frame::LayoutRegistry;
use sage_types::Result;

use crate::files::{FilePart, FileParts};
use crate::sources::{
    ArrowReader, BatchReader, CsvReader, JsonLinesReader, JsonReader, ParquetReader, PartSequence,
    ReaderSource, TextLinesReader,
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
    Ok(match format {
        SourceFormat::TextLines(spec) => source(TextLinesReader::new(&spec, parts, registry)),
        SourceFormat::JsonLines(spec) => source(JsonLinesReader::new(&spec, parts, registry)),
        SourceFormat::Csv(spec) => {
            let spec = Arc::new(spec);
            source_of_parts(parts, move |part, before| {
                CsvReader::open(Arc::clone(&spec), part, before, Arc::clone(&registry))
            })
        }
        SourceFormat::Json(spec) => source_of_parts(parts, move |part, before| {
            JsonReader::open(&spec, part, before, Arc::clone(&registry))
        }),
        SourceFormat::Parquet(spec) => source_of_parts(parts, move |part, _before| {
            ParquetReader::open(&spec, part, Arc::clone(&registry))
        }),
        SourceFormat::Arrow(spec) => source_of_parts(parts, move |part, _before| {
            ArrowReader::open(&spec, part, Arc::clone(&registry))
        }),
    })
}

/// Opens a source that goes on where an earlier process was: [`BatchSource::restore`] says where, and no file is looked for
/// before.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec.
pub fn resume_source(
    spec_json: &str,
    split: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSource>> {
    open_source(spec_json, split, registry)
}

/// Refuses a source that could not go on in another process. Files are looked for; a pinned spec has them.
///
/// # Errors
/// `SAGE_CHECKPOINT_SOURCE` for the standard input and pipes, which cannot be read twice; `SAGE_PLAN_SOURCE`, `SAGE_IO_*`.
pub fn check_resumable(spec_json: &str) -> Result<()> {
    SourceSpec::parse(spec_json)?.files.check_resumable()
}

fn source(reader: impl BatchReader + 'static) -> Box<dyn BatchSource> {
    Box::new(ReaderSource::new(reader))
}

fn source_of_parts<R: BatchReader + 'static>(
    parts: FileParts,
    open: impl FnMut(&FilePart, Option<R>) -> Result<R> + Send + 'static,
) -> Box<dyn BatchSource> {
    source(PartSequence::new(parts, open))
}
