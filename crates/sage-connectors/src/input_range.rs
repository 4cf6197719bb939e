//! The part of a file that an instance reads, for formats that must be read from the beginning.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use sage_types::Result;

use crate::SourceSplit;
use crate::open_file::open_file;

/// A file, opened at its beginning, and the range of it whose records an instance delivers.
pub(crate) struct InputRange {
    pub(crate) input: Box<dyn Read + Send>,
    pub(crate) range: Range<u64>,
    /// Its size is known, and reading does not wait for another process.
    pub(crate) regular: bool,
}

impl InputRange {
    /// What is left for an instance where another one reads it all.
    pub(crate) fn nothing() -> Self {
        Self {
            input: Box::new(std::io::empty()),
            range: 0..0,
            regular: false,
        }
    }

    /// Opens the file. `bytes` is its size when the splits were planned, `None` asks the file now.
    ///
    /// # Errors
    /// `SAGE_IO_*`.
    pub(crate) fn open(path: &Path, split: SourceSplit, bytes: Option<u64>) -> Result<Self> {
        // A pipe cannot be split: the first instance reads it all. The others must not even open it: that would wait for a
        // writer, and ending it again would take the writer's only reader away.
        if split.instance != 0 && is_pipe(path) {
            return Ok(Self::nothing());
        }
        let (file, metadata): (File, _) = open_file(path)?;
        // Files of /proc have no size and yet something in them; a file that is empty is no worse off.
        let regular = metadata.is_file() && (bytes.is_some() || metadata.len() > 0);
        let range = if regular {
            split.byte_range(bytes.unwrap_or(metadata.len()))
        } else if split.instance == 0 {
            0..u64::MAX
        } else {
            0..0
        };
        Ok(Self {
            input: Box::new(file),
            range,
            regular,
        })
    }
}

fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}
