//! Where a source was, for another process.

use std::collections::VecDeque;

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::files::{FilePart, WatchedFile, share_left};
use crate::{SavedPosition, SourceSplit, SourceStatistics};

/// The form of the bytes; another one is refused.
const VERSION: u32 = 1;

/// All that one instance had left to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SourcePosition {
    version: u32,
    parts: Vec<FilePart>,
    /// Files that watching has given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    watched: Vec<WatchedFile>,
    statistics: SourceStatistics,
}

/// What a new instance has to read.
pub(crate) struct RestoredPosition {
    pub(crate) parts: VecDeque<FilePart>,
    /// Of all earlier instances.
    pub(crate) watched: Vec<WatchedFile>,
    /// Of the earlier instances that fall to this one.
    pub(crate) statistics: SourceStatistics,
}

impl SourcePosition {
    pub(crate) fn new(parts: Vec<FilePart>, watched: Vec<WatchedFile>, statistics: SourceStatistics) -> Self {
        Self {
            version: VERSION,
            parts,
            watched,
            statistics,
        }
    }

    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE` when it refers to what cannot be read twice.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        self.parts
            .iter()
            .try_for_each(|part| part.file.check_resumable())?;
        serde_json::to_vec(self).map_err(|error| malformed(&error.to_string()))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let position: Self = serde_json::from_slice(bytes).map_err(|error| malformed(&error.to_string()))?;
        if position.version != VERSION {
            return Err(malformed(&format!(
                "its version is {}, and this is version {VERSION}",
                position.version
            )));
        }
        Ok(position)
    }

    /// What `split` reads, of what all earlier instances had left. `files_grow`: what is added to a file at its end does not
    /// change what is before.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE` when a position is malformed or missing, and when a file is not what it was.
    pub(crate) fn restore(
        saved: &[SavedPosition],
        split: SourceSplit,
        files_grow: bool,
    ) -> Result<RestoredPosition> {
        let mut saved: Vec<&SavedPosition> = saved.iter().collect();
        saved.sort_by_key(|saved| saved.instance);
        let count = saved.len();
        let is_whole = saved
            .iter()
            .enumerate()
            .all(|(index, saved)| saved.instance as usize == index && saved.parallelism as usize == count);
        if !is_whole || count == 0 {
            return Err(malformed("it does not have the position of each instance once"));
        }
        let mut left = Vec::with_capacity(count);
        let mut watched = Vec::new();
        let mut statistics = SourceStatistics::default();
        for saved in saved {
            let position = Self::from_bytes(&saved.bytes)?;
            left.push(position.parts);
            watched.extend(position.watched);
            if saved.instance % split.instances.max(1) == split.instance {
                statistics += position.statistics;
            }
        }
        let parts = share_left(left, split);
        for part in &parts {
            part.file.check_same(files_grow && part.may_grow())?;
        }
        Ok(RestoredPosition {
            parts,
            watched,
            statistics,
        })
    }
}

fn malformed(what: &str) -> SageError {
    SageError::new(
        ErrorCode::CheckpointSource,
        format!("the checkpoint has no position of this source: {what}"),
    )
}
