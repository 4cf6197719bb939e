//! An epoch as it is read.

use sage_types::{ErrorCode, Result, SageError};

use crate::{PartKey, PartKind};

/// What a part holds when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartPayload {
    /// The bytes that the instance handed over.
    Own(Vec<u8>),
    /// All entries that are left when changes are put on top of what they change; no deletes.
    Keyed(Vec<u8>),
}

impl PartPayload {
    /// Whose it is.
    #[must_use]
    pub const fn kind(&self) -> PartKind {
        match self {
            Self::Own(_) => PartKind::Own,
            Self::Keyed(_) => PartKind::Keyed,
        }
    }

    /// The bytes, or the entries as [`crate::EntryReader`] reads them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) | Self::Keyed(bytes) => bytes,
        }
    }
}

/// An epoch of which every file was found to be whole.
#[derive(Debug)]
pub struct RestoredEpoch {
    /// Its number.
    pub epoch: u64,
    metadata: String,
}

impl RestoredEpoch {
    /// The JSON that was committed with it.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The ids of all operators that have a part, each once, sorted.
    #[must_use]
    pub fn operators(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What all instances handed over as this part, in the order of instances.
    ///
    /// # Errors
    /// `SAGE_IO_READ`, `SAGE_CHECKPOINT_DAMAGED`.
    pub fn part(&self, _operator: &str, _name: &str) -> Result<Vec<(PartKey, PartPayload)>> {
        Err(SageError::new(ErrorCode::Internal, "not written yet"))
    }

    /// The epochs that were newer but could not be taken, and why.
    #[must_use]
    pub fn skipped(&self) -> &[SageError] {
        &[]
    }
}
