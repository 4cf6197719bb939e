//! Sinks by their specs.

use std::sync::Arc;

use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, Result, SageError};

use crate::spec::SinkSpec;
use crate::{BatchSink, SourceSplit};

/// Opens the part of a sink that `part` writes.
///
/// # Errors
/// `SAGE_PLAN_SINK` for a malformed spec, `SAGE_PLAN_OUTPUT_PATH` when several instances would write one file, and
/// `SAGE_IO_*` when the file cannot be created.
pub fn open_sink(
    spec_json: &str,
    _part: SourceSplit,
    _registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSink>> {
    let _ = SinkSpec::parse(spec_json)?;
    Err(SageError::new(ErrorCode::PlanUnsupported, "not yet"))
}
