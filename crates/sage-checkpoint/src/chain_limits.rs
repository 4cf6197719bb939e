//! How many files an epoch may consist of.

/// How many files an epoch, with all that it is on top of, may consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLimits {
    /// One of as many should be merged.
    pub merge_files: usize,
    /// One never has more, even when merges are late or fail: the next one stands alone.
    pub max_files: usize,
}

impl Default for ChainLimits {
    fn default() -> Self {
        Self {
            merge_files: 8,
            max_files: 32,
        }
    }
}
