//! A file to read, as all instances of a source know it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::files::file_pattern::FoundFile;
use crate::files::{Compression, CompressionSetting, FileStamp, HEAD_BYTES};
use crate::io_error::{IoAction, io_error};

/// The path that means the standard input of the process.
pub(crate) const STANDARD_INPUT: &str = "-";

/// A file with what the instances must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InputFile {
    pub(crate) path: PathBuf,
    /// Its size when it was found: what is appended later belongs to nobody. `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// `None` where it has not been found out: of what is no regular file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<Compression>,
    /// What else tells it from another; `None` where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stamp: Option<FileStamp>,
}

impl InputFile {
    /// The standard input of the process.
    pub(crate) fn standard_input() -> Self {
        Self {
            path: STANDARD_INPUT.into(),
            bytes: None,
            compression: None,
            stamp: None,
        }
    }

    /// # Errors
    /// `SAGE_IO_*` when its first bytes are needed and cannot be read.
    pub(crate) fn of(found: FoundFile, setting: CompressionSetting) -> Result<Self> {
        let compression = match setting {
            CompressionSetting::Auto if found.bytes.is_some() => Some(detect(&found.path)?),
            CompressionSetting::Auto => None,
            CompressionSetting::Known(compression) => Some(compression),
        };
        Ok(Self {
            path: found.path,
            bytes: found.bytes,
            compression,
            stamp: Some(found.stamp),
        })
    }

    pub(crate) fn is_standard_input(&self) -> bool {
        self.path == Path::new(STANDARD_INPUT)
    }

    /// The path in messages.
    pub(crate) fn shown_path(&self) -> &Path {
        if self.is_standard_input() {
            return Path::new("standard input");
        }
        &self.path
    }

    /// Refuses what is no regular file.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE`
    pub(crate) fn check_resumable(&self) -> Result<()> {
        // Of an empty file the size is not known: it may be one of those that have none.
        if self.bytes.is_some() || self.path.is_file() {
            return Ok(());
        }
        let path = self.shown_path().display();
        Err(self.unfit(format!(
            "{path} cannot be read again after a failure, so that a job with checkpoints cannot read it; write it to a file first, or run without checkpoints"
        )))
    }

    /// Refuses a file that is not there any more, or is another one. A file that only became longer is the same where
    /// `may_grow`: what is new in it belongs to nobody.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE`
    pub(crate) fn check_same(&self, may_grow: bool) -> Result<()> {
        let path = self.shown_path();
        let shown = path.display();
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                let message = format!("{shown}, which the checkpoint was reading, cannot be opened: {error}");
                return Err(self.unfit(message).caused_by(error));
            }
        };
        if !metadata.is_file() {
            return Err(self.unfit(format!(
                "{shown}, which the checkpoint was reading, is not a file any more"
            )));
        }
        let (Some(bytes), now) = (self.bytes, metadata.len()) else {
            return Ok(());
        };
        if now < bytes {
            return Err(self.unfit(format!(
                "{shown}, which the checkpoint was reading, has become shorter: it had {bytes} bytes, and has {now}"
            )));
        }
        let Some(stamp) = self.stamp else { return Ok(()) };
        let there = FileStamp::of(&metadata);
        let is_same = if now == bytes {
            stamp.modified == there.modified
        } else {
            may_grow && stamp.identity == there.identity
        };
        if is_same {
            return Ok(());
        }
        Err(self.unfit(format!(
            "{shown} is not the file that the checkpoint was reading: it was written, or put there, since"
        )))
    }

    fn unfit(&self, message: String) -> SageError {
        let path = self.shown_path().display().to_string();
        SageError::new(ErrorCode::CheckpointSource, message).with("file", path)
    }

    /// Whether several instances can read it, each a range of its bytes.
    pub(crate) fn is_divisible(&self) -> bool {
        self.bytes.is_some() && self.compression == Some(Compression::None)
    }
}

/// The compression by the first bytes of a file.
fn detect(path: &Path) -> Result<Compression> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let file = File::open(path).map_err(|error| io_error(IoAction::Open, path, &error))?;
    file.take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| io_error(IoAction::Read, path, &error))?;
    Ok(Compression::detect(&head))
}
