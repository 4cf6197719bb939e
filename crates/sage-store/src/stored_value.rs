//! A value and how long it lasts.

/// The time that never comes.
pub const NEVER_MS: u64 = u64::MAX;

/// A value of a store. The store does not look into its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredValue<'a> {
    /// What was put.
    pub bytes: &'a [u8],
    /// From this time on, in milliseconds since 1970, the value counts as absent; [`NEVER_MS`] for ever.
    pub expires_at_ms: u64,
}

impl<'a> StoredValue<'a> {
    /// A value that does not expire.
    #[must_use]
    pub const fn lasting(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            expires_at_ms: NEVER_MS,
        }
    }

    /// Whether the value counts as absent at this time.
    #[must_use]
    pub const fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms <= now_ms
    }
}
