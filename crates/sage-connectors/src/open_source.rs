//! Sources by their specs.

use std::sync::Arc;

use sage_frame::LayoutRegistry;
use sage_types::Result;

use crate::csv_source::CsvSource;
use crate::json_lines_source::JsonLinesSource;
use crate::json_source::JsonSource;
use crate::parquet_source::ParquetSource;
use crate::spec::SourceSpec;
use crate::text_lines_source::TextLinesSource;
use crate::{BatchSource, SourceSplit};

/// Opens the part of a source that belongs to `split`; layouts of its frames are those of `registry`.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec, `SAGE_IO_*` and `SAGE_FORMAT_*` when the file cannot be opened.
pub fn open_source(
    spec_json: &str,
    split: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSource>> {
    split.check()?;
    Ok(match SourceSpec::parse(spec_json)? {
        SourceSpec::TextLines(spec) => Box::new(TextLinesSource::open(&spec, split, registry)?),
        SourceSpec::JsonLines(spec) => Box::new(JsonLinesSource::open(&spec, split, registry)?),
        SourceSpec::Csv(spec) => Box::new(CsvSource::open(&spec, split, registry)?),
        SourceSpec::Json(spec) => Box::new(JsonSource::open(&spec, split, registry)?),
        SourceSpec::Parquet(spec) => Box::new(ParquetSource::open(&spec, split, registry)?),
    })
}
