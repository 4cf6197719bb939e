//! What a sink saves, as bytes.

use sage_types::{ErrorCode, Result, SageError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The form of the bytes; another one is refused.
const VERSION: u8 = 1;

/// Sections one behind the other: a version, then for each its length and its bytes.
#[derive(Debug)]
pub(crate) struct SavedWriter(Vec<u8>);

impl SavedWriter {
    pub(crate) fn new() -> Self {
        Self(vec![VERSION])
    }

    pub(crate) fn bytes(&mut self, section: &[u8]) {
        self.0.extend_from_slice(&(section.len() as u64).to_le_bytes());
        self.0.extend_from_slice(section);
    }

    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when a path is not UTF-8.
    pub(crate) fn json(&mut self, section: &impl Serialize) -> Result<()> {
        let json = serde_json::to_vec(section).map_err(|error| malformed(&error.to_string()))?;
        self.bytes(&json);
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads them.
#[derive(Debug)]
pub(crate) struct SavedReader<'a>(&'a [u8]);

impl<'a> SavedReader<'a> {
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when it is of another version.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Self(rest)),
            Some((version, _)) => Err(malformed(&format!(
                "its version is {version}, and this is version {VERSION}"
            ))),
            None => Err(malformed("it is empty")),
        }
    }

    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when there is none.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let section = self.0.split_first_chunk().and_then(|(length, rest)| {
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let Some((section, rest)) = section else {
            return Err(malformed("it is cut off"));
        };
        self.0 = rest;
        Ok(section)
    }

    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when there is none, or another.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_slice(self.bytes()?).map_err(|error| malformed(&error.to_string()))
    }
}

/// The error for bytes that are not those of a sink.
pub(crate) fn malformed(what: &str) -> SageError {
    SageError::new(
        ErrorCode::CheckpointSink,
        format!("the checkpoint has no state of this sink: {what}"),
    )
}
