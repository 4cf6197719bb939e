//! What keyed state does, in numbers.

/// What a table of keyed state has done since it was made, and what is in memory now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyedStateCounts {
    /// Keys in memory.
    pub resident_keys: u64,
    /// About how much memory they and their values take, as their owner says.
    pub resident_bytes: u64,
    /// Memory of the tables themselves.
    pub table_bytes: u64,
    /// Values that were read from the store.
    pub loaded: u64,
    /// Values that were written to the store.
    pub written: u64,
    /// Keys that were given up for others.
    pub given_up: u64,
    /// Values that have expired in memory.
    pub expired: u64,
}

impl KeyedStateCounts {
    /// The form in which they cross into JavaScript.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!(
            r#"{{"residentKeys":{},"residentBytes":{},"tableBytes":{},"loaded":{},"written":{},"givenUp":{},"expired":{}}}"#,
            self.resident_keys,
            self.resident_bytes,
            self.table_bytes,
            self.loaded,
            self.written,
            self.given_up,
            self.expired
        )
    }
}
