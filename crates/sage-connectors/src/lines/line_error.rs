//! A broken line, as an error that names it.

use sage_types::{ErrorCode, SageError};

use crate::lines::{LineBlocks, excerpt, line_number_at};

/// The error for position `at` of the block, in the line that begins at `line_start`. The context has `file`, `line` (from
/// 1; left away when the file is gone), `byte` (in the file, or in what it unpacks to) and `excerpt`.
pub(crate) fn line_error(
    code: ErrorCode,
    blocks: &LineBlocks,
    line_start: usize,
    at: usize,
    what: &str,
) -> SageError {
    let block = blocks.block();
    let end =
        memchr::memchr(b'\n', block.get(at..).unwrap_or_default()).map_or(block.len(), |found| at + found);
    let line = block.get(line_start..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let excerpt = excerpt(line, at - line_start);
    let path = blocks.path().display().to_string();
    let byte = blocks.offset() + at as u64;
    let number = match blocks.counted_line() {
        Some(first) => {
            let before = block.get(..line_start).unwrap_or_default();
            Some(first + memchr::memchr_iter(b'\n', before).count() as u64)
        }
        None => line_number_at(blocks.path(), blocks.offset() + line_start as u64),
    };
    let line_name = number.map_or_else(String::new, |number| format!("line {number}, "));
    let error = SageError::new(code, format!("{path}, {line_name}byte {byte}: {what}: {excerpt}"))
        .with("file", path)
        .with("byte", byte)
        .with("excerpt", excerpt);
    match number {
        Some(number) => error.with("line", number),
        None => error,
    }
}
