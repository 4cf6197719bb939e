//! Which file a sink instance writes.

use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};

use crate::SourceSplit;

/// What stands for the number of the instance in a path.
const PLACEHOLDER: &str = "{part}";

/// The file of an instance: `{part}` becomes its number in five digits, a directory (one that exists, or a path that ends
/// with a slash) gets `part-00000.<extension>`, any other path is the file itself.
///
/// # Errors
/// `SAGE_PLAN_OUTPUT_PATH` when several instances would write one file.
pub(crate) fn part_path(path: &Path, part: SourceSplit, extension: &str) -> Result<PathBuf> {
    let text = path.to_string_lossy();
    let number = format!("{:05}", part.instance);
    if text.contains(PLACEHOLDER) {
        return Ok(PathBuf::from(text.replace(PLACEHOLDER, &number)));
    }
    if text.ends_with(std::path::is_separator) || path.is_dir() {
        return Ok(path.join(format!("part-{number}.{extension}")));
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
