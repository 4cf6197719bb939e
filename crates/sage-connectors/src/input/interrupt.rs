//! Why reading stopped before there was enough.

use sage_types::SageError;

/// Why something that needs more of the input was left. What was used up stays so: it can be tried again.
#[derive(Debug)]
pub(crate) enum Interrupt {
    /// Nothing more is there yet; there is something to wait for.
    Waiting,
    Failed(SageError),
}

impl From<SageError> for Interrupt {
    fn from(error: SageError) -> Self {
        Self::Failed(error)
    }
}
