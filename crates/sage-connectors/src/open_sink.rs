//! Sinks by their specs.

use std::sync::Arc;

use sage_frame::LayoutRegistry;
use sage_types::Result;

use crate::csv_sink::CsvSink;
use crate::json_lines_sink::JsonLinesSink;
use crate::json_sink::JsonSink;
use crate::output::{OutputFile, part_path};
use crate::parquet_sink::ParquetSink;
use crate::spec::SinkSpec;
use crate::text_lines_sink::TextLinesSink;
use crate::{BatchSink, SourceSplit};

/// Opens the part of a sink that instance `part` writes: `{part}` in the path becomes its number, a directory gets
/// a file for each part.
///
/// The registry is not needed by the sinks that there are: a batch knows its layout. It is part of the call because a sink
/// that decodes frames by itself will need it.
///
/// # Errors
/// `SAGE_PLAN_SINK` for a malformed spec, `SAGE_PLAN_OUTPUT_PATH` when several instances would write one file, and
/// `SAGE_IO_*` when the file cannot be created.
#[expect(
    clippy::needless_pass_by_value,
    reason = "see the documentation: a sink that needs it keeps it"
)]
pub fn open_sink(
    spec_json: &str,
    part: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSink>> {
    let _ = registry;
    part.check()?;
    let spec = SinkSpec::parse(spec_json)?;
    let extension = match &spec {
        SinkSpec::TextLines(_) => "txt",
        SinkSpec::JsonLines(_) => "jsonl",
        SinkSpec::Csv(_) => "csv",
        SinkSpec::Json(_) => "json",
        SinkSpec::Parquet(_) => "parquet",
    };
    let path = part_path(spec.path(), part, extension)?;
    let file = OutputFile::create(&path, spec.mkdir())?;
    Ok(match spec {
        SinkSpec::TextLines(spec) => Box::new(TextLinesSink::new(file, spec.invalid_strings)),
        SinkSpec::JsonLines(_) => Box::new(JsonLinesSink::new(file)),
        SinkSpec::Csv(spec) => Box::new(CsvSink::new(file, &spec)?),
        SinkSpec::Json(_) => Box::new(JsonSink::new(file)),
        SinkSpec::Parquet(spec) => Box::new(ParquetSink::new(file, &spec)?),
    })
}
