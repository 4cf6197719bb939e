//! Where the writing of a file was, for another process.

use std::fs;
use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::files::FileStamp;
use crate::output::file_version::FileVersion;

/// A file that was prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FileState {
    /// Where it appears.
    pub(crate) path: PathBuf,
    /// Where it is until then; `None` of a device or pipe, which is visible at once.
    pub(crate) temporary: Option<PathBuf>,
    pub(crate) kind: FileKind,
    /// Bytes of the temporary file that are part of the result.
    pub(crate) bytes: u64,
    /// The temporary file, to know it when it has its name.
    pub(crate) stamp: Option<FileStamp>,
    /// Something was written.
    pub(crate) started: bool,
    /// It is complete.
    pub(crate) sealed: bool,
    /// Temporary files that are of no use when this one has its name.
    #[serde(default)]
    pub(crate) superseded: Vec<PathBuf>,
}

/// How it appears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum FileKind {
    Replace,
    Create,
    /// Behind the bytes of a file that was this one.
    #[serde(rename_all = "camelCase")]
    Append {
        to: FileVersion,
        /// The line end that the old file lacks is still to be written.
        mends: bool,
    },
    Live,
}

impl FileState {
    /// Whether what is complete is where it belongs.
    pub(crate) fn is_visible(&self) -> bool {
        match &self.kind {
            // Nothing was written, and so nothing was appended.
            FileKind::Append { .. } if !self.started => true,
            FileKind::Append { to, .. } => fs::metadata(&self.path).is_ok_and(|there| {
                let there = FileVersion::of(&there);
                to.is_same_file(&there) && there.bytes == to.bytes + self.bytes
            }),
            FileKind::Replace | FileKind::Create => self.is_renamed(),
            FileKind::Live => true,
        }
    }

    /// Whether the file has its name already.
    fn is_renamed(&self) -> bool {
        let Ok(metadata) = fs::metadata(&self.path) else {
            return false;
        };
        let there = FileStamp::of(&metadata);
        let is_it = self.stamp.is_some_and(|stamp| {
            stamp.modified == there.modified || (stamp.identity.is_some() && stamp.identity == there.identity)
        });
        metadata.is_file() && metadata.len() == self.bytes && is_it
    }

    /// The error for a temporary file that is not as the checkpoint needs it.
    pub(crate) fn unfit(&self, temporary: &Path, what: &str) -> SageError {
        let (path, temporary) = (self.path.display(), temporary.display().to_string());
        SageError::new(
            ErrorCode::CheckpointSink,
            format!("cannot go on with {path}: {temporary}, in which the checkpoint had written it, {what}"),
        )
        .with("file", temporary)
    }
}

/// The bytes of a temporary file that there must be.
///
/// # Errors
/// `SAGE_CHECKPOINT_SINK`
pub(crate) fn check_length(state: &FileState, temporary: &Path) -> Result<()> {
    let there = match fs::metadata(temporary) {
        Ok(metadata) => metadata.len(),
        Err(error) => {
            return Err(state
                .unfit(temporary, &format!("cannot be opened: {error}"))
                .caused_by(error));
        }
    };
    if there < state.bytes {
        return Err(state.unfit(
            temporary,
            &format!("has {there} bytes, and should have {}", state.bytes),
        ));
    }
    Ok(())
}
