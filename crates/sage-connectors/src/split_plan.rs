//! How a source can be divided.

use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use sage_types::Result;
use serde::Serialize;
use serde_json::Value;

use crate::io_error::IoAction;
use crate::open_file::open_file;
use crate::parquet::{corrupt, guarded, parquet_error};
use crate::spec::SourceSpec;

/// Bytes of lines below which one more instance is not worth its start.
const MIN_SPLIT_BYTES: u64 = 1 << 20;

/// How a source can be divided among instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SplitPlan {
    /// Size of the file. Give it to all instances as the option `bytes` when the file may grow meanwhile.
    pub bytes: u64,
    /// Number of row groups of a Parquet file, 0 for other files.
    pub row_groups: u64,
    /// More instances than this would have nothing to do, or too little. (They are allowed.)
    pub max_splits: u64,
}

/// Looks at a source without reading it.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec, `SAGE_IO_*` when the file cannot be opened, `SAGE_FORMAT_PARQUET`.
pub fn plan_splits(spec_json: &str) -> Result<SplitPlan> {
    let spec = SourceSpec::parse(spec_json)?;
    let (file, metadata) = open_file(spec.path())?;
    let bytes = metadata.len();
    if matches!(spec, SourceSpec::Parquet(_)) {
        let row_groups = guarded(|| count_row_groups(file))
            .map_err(|panic| corrupt(spec.path(), panic))?
            .map_err(|error| parquet_error(IoAction::Open, spec.path(), &error))?;
        return Ok(SplitPlan {
            bytes,
            row_groups,
            max_splits: row_groups.max(1),
        });
    }
    let max_splits = if metadata.is_file() && !matches!(spec, SourceSpec::Json(_)) {
        bytes.div_ceil(MIN_SPLIT_BYTES).max(1)
    } else {
        1
    };
    Ok(SplitPlan {
        bytes,
        row_groups: 0,
        max_splits,
    })
}

fn count_row_groups(file: File) -> parquet::errors::Result<u64> {
    Ok(SerializedFileReader::new(file)?.metadata().num_row_groups() as u64)
}

/// The spec with what all instances of a source must agree on: the size of a file of lines. Without it a file that grows
/// while they open it, one after the other, would be divided in different ways.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec. That a file cannot be read is said when it is opened.
pub fn pin_source(spec_json: &str) -> Result<String> {
    let spec = SourceSpec::parse(spec_json)?;
    let unpinned = match &spec {
        SourceSpec::TextLines(lines) => lines.bytes.is_none(),
        SourceSpec::JsonLines(lines) => lines.bytes.is_none(),
        SourceSpec::Csv(csv) => csv.bytes.is_none(),
        SourceSpec::Json(_) | SourceSpec::Parquet(_) => false,
    };
    // Not opened: opening a pipe waits for who writes it. Files without a size (those of /proc) are not divided.
    let bytes = std::fs::metadata(spec.path())
        .ok()
        .filter(|metadata| metadata.is_file() && metadata.len() > 0)
        .map(|metadata| metadata.len());
    match (serde_json::from_str(spec_json), bytes) {
        (Ok(Value::Object(mut fields)), Some(bytes)) if unpinned => {
            fields.insert("bytes".to_owned(), bytes.into());
            Ok(Value::Object(fields).to_string())
        }
        _ => Ok(spec_json.to_owned()),
    }
}

/// Fails early when a source cannot be read: a malformed spec, a file that is missing or a directory, no permission, and
/// for Parquet a file that is none.
///
/// # Errors
/// Those of [`plan_splits`].
pub fn probe(spec_json: &str) -> Result<()> {
    plan_splits(spec_json).map(drop)
}
