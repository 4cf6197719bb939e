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

fn source(reader: impl BatchReader + 'static) -> Box<dyn BatchSource> {
    Box::new(ReaderSource::new(reader))
}

fn source_of_parts<R: BatchReader + 'static>(
    parts: FileParts,
    open: impl FnMut(&FilePart, Option<R>) -> Result<R> + Send + 'static,
) -> Box<dyn BatchSource> {
    source(PartSequence::new(parts, open))
}
