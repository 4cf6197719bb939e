//! Which file a sink instance writes.

use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};

use crate::SourceSplit;
use crate::output::STANDARD_OUTPUT;

/// What stands for the number of the instance in a path.
const PLACEHOLDER: &str = "{part}";

/// Whether a sink writes its parts into the path: a directory that exists, or a path that ends with a slash.
pub(crate) fn is_directory(path: &Path) -> bool {
    let text = path.to_string_lossy();
    !text.contains(PLACEHOLDER)
        && (text.ends_with(std::path::is_separator) || (text != STANDARD_OUTPUT && path.is_dir()))
}

/// The file of an instance: `{part}` becomes its number in five digits, any other path is the file itself.
///
/// # Errors
/// `SAGE_PLAN_OUTPUT_PATH` when several instances would write one file.
pub(crate) fn part_path(path: &Path, part: SourceSplit) -> Result<PathBuf> {
    let text = path.to_string_lossy();
    if text.contains(PLACEHOLDER) {
        let number = format!("{:05}", part.instance);
        return Ok(PathBuf::from(text.replace(PLACEHOLDER, &number)));
    }
    if part.instances > 1 {
        let message = format!(
            "{} instances of the sink would write one file, {text}; use {{part}} in the path, or a directory",
            part.instances
        );
        return Err(SageError::new(ErrorCode::PlanOutputPath, message).with("file", text.as_ref()));
    }
    Ok(path.to_owned())
}
