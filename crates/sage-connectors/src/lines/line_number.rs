//! The number of a line, found when an error needs it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The number (from 1) of the line that begins at `byte`, by counting the lines before; `None` when the file cannot be
/// read again. Counting all the time would cost every good line something, and splits do not begin at line 1.
pub(crate) fn line_number_at(path: &Path, byte: u64) -> Option<u64> {
    let file = File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut before = file.take(byte);
    let mut buffer = vec![0; 256 * 1024];
    let mut lines = 1;
    loop {
        match before.read(&mut buffer) {
            Ok(0) => return Some(lines),
            Ok(bytes) => lines += memchr::memchr_iter(b'\n', &buffer[..bytes]).count() as u64,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
