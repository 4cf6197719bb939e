//! Which part of a source an instance reads.

use std::ops::Range;

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

    /// The bytes of a file with `bytes` bytes that belong to this instance: the ranges of all instances are the file.
    pub(crate) fn byte_range(self, bytes: u64) -> Range<u64> {
        let bound = |instance: u32| {
            let bound = u128::from(bytes) * u128::from(instance) / u128::from(self.instances.max(1));
            u64::try_from(bound).unwrap_or(bytes)
        };
        bound(self.instance)..bound(self.instance + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_all_instances_are_the_file() {
        for bytes in [0, 1, 7, 1000, u64::MAX] {
            for instances in [1, 2, 3, 64] {
                let mut end = 0;
                for instance in 0..instances {
                    let range = SourceSplit { instance, instances }.byte_range(bytes);
                    assert_eq!(range.start, end);
                    assert!(range.end >= range.start);
                    end = range.end;
                }
                assert_eq!(end, bytes);
            }
        }
    }
}
