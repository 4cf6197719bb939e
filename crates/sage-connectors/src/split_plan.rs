//! How a source can be divided.

use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use sage_types::Result;
use serde::Serialize;
use serde_json::Value;

use crate::files::{InputFile, open_file, open_seekable};
use crate::formats::arrow::guarded;
use crate::formats::parquet::{corrupt, parquet_error};
use crate::io_error::IoAction;
use crate::sources::count_record_batches;
use crate::spec::{SourceFormat, SourceSpec};

/// Bytes of lines below which one more instance is not worth its start.
const MIN_SPLIT_BYTES: u64 = 1 << 20;

/// How a source can be divided among instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SplitPlan {
    /// Number of files; 0 when they are not known, because they are watched for.
    pub files: u64,
    /// Size of all files together, as far as it is known.
    pub bytes: u64,
    /// Number of row groups of Parquet files, 0 for others.
    pub row_groups: u64,
    /// More instances than this would have nothing to do, or too little. (They are allowed.)
    pub max_splits: u64,
}

/// Looks at a source without reading it.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec, `SAGE_IO_*` when files cannot be found or opened, `SAGE_FORMAT_PARQUET`.
pub fn plan_splits(spec_json: &str) -> Result<SplitPlan> {
    let spec = SourceSpec::parse(spec_json)?;
    let Some(files) = spec.files.list()? else {
        let max_splits = u64::from(u32::MAX);
        return Ok(SplitPlan {
            files: 0,
            bytes: 0,
            row_groups: 0,
            max_splits,
        });
    };
    let (mut row_groups, mut record_batches, mut whole, mut dividable) = (0, 0, 0, 0);
    for file in &files {
        if matches!(spec.format, SourceFormat::Parquet(_)) {
            row_groups += count_row_groups(file)?;
            continue;
        }
        if matches!(spec.format, SourceFormat::Arrow(_)) {
            record_batches += count_record_batches(&file.path)?;
            continue;
        }
        // Opening a pipe would wait for who writes it.
        if file.bytes.is_some() {
            open_file(&file.path)?;
        }
        match file.bytes {
            Some(bytes) if spec.format.is_divisible() && file.is_divisible() => dividable += bytes,
            _ => whole += 1,
        }
    }
    let max_splits = match spec.format {
        SourceFormat::Parquet(_) => row_groups,
        SourceFormat::Arrow(_) => record_batches,
        SourceFormat::TextLines(_)
        | SourceFormat::JsonLines(_)
        | SourceFormat::Csv(_)
        | SourceFormat::Json(_) => whole + u64::div_ceil(dividable, MIN_SPLIT_BYTES),
    };
    Ok(SplitPlan {
        files: files.len() as u64,
        bytes: files.iter().filter_map(|file| file.bytes).sum(),
        row_groups,
        max_splits: max_splits.max(1),
    })
}

fn count_row_groups(file: &InputFile) -> Result<u64> {
    let path = file.path.as_path();
    let (opened, _) = open_seekable(path, "Parquet")?;
    let count = |opened: File| -> parquet::errors::Result<u64> {
        Ok(SerializedFileReader::new(opened)?.metadata().num_row_groups() as u64)
    };
    guarded(|| count(opened))
        .map_err(|panic| corrupt(path, panic))?
        .map_err(|error| parquet_error(IoAction::Open, path, &error))
}

/// The spec with what all instances of a source must agree on: the files, with their sizes. Without it files that come or
/// grow while the instances open them, one after the other, would be divided in different ways. Files are listed here,
/// once; a source that watches lists for itself.
///
/// # Errors
/// `SAGE_PLAN_SOURCE` for a malformed spec, `SAGE_IO_*` for a path that is not there, a pattern that no file matches, and a
/// file whose first bytes cannot be read.
pub fn pin_source(spec_json: &str) -> Result<String> {
    let spec = SourceSpec::parse(spec_json)?;
    let files = spec.files.list()?;
    match (serde_json::from_str(spec_json), files) {
        (Ok(Value::Object(mut fields)), Some(files)) => {
            let files = serde_json::to_value(files).unwrap_or_default();
            fields.insert("files".to_owned(), files);
            Ok(Value::Object(fields).to_string())
        }
        _ => Ok(spec_json.to_owned()),
    }
}

/// Fails early when a source cannot be read: a malformed spec, a file that is missing, no permission, and for Parquet a file
/// that is none.
///
/// # Errors
/// Those of [`plan_splits`].
pub fn probe(spec_json: &str) -> Result<()> {
    plan_splits(spec_json).map(drop)
}
