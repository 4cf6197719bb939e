//! Which part of a source an instance reads.

use sage_types::{ErrorCode, Result, SageError};

/// Instance `instance` of `instances` (from 0) of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSplit {
    /// Number of this instance, below `instances`.
    pub instance: u32,
    /// Number of instances, at least 1.
    pub instances: u32,
}

impl SourceSplit {
    /// The split of a source with one instance.
    pub const WHOLE: Self = Self {
        instance: 0,
        instances: 1,
    };

    /// Refuses a number that is none of this many.
    ///
    /// # Errors
    /// `SAGE_INTERNAL`: who plans instances numbers them.
    pub(crate) fn check(self) -> Result<()> {
        if self.instance < self.instances {
            return Ok(());
        }
        let message = format!("there is no instance {} of {}", self.instance, self.instances);
        Err(SageError::new(ErrorCode::Internal, message))
    }
}
