//! Which instance owns a key. Fixed for ever as format version 1: state on disk depends on it.

/// Version of the way from canonical key bytes to a key group; stored beside state.
pub const HASH_VERSION: u32 = 1;

/// Key groups of a job unless it is configured otherwise.
pub const DEFAULT_KEY_GROUPS: u32 = 128;

/// Maps a key hash to its key group, and a key group to the instance that owns it.
///
/// `group = hash % key_groups`, `instance = group * parallelism / key_groups` (whole-number division), so that an
/// instance owns a contiguous range of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyGroups {
    groups: u32,
    parallelism: u32,
    /// `log2(key_groups)` where that is whole: the usual 128 groups then cost a mask and a shift.
    shift: Option<u32>,
}

impl KeyGroups {
    /// `key_groups` groups spread over `parallelism` instances. Both are taken as at least 1; with more instances than
    /// groups, some instances own no group.
    #[must_use]
    pub fn new(key_groups: u32, parallelism: u32) -> Self {
        let key_groups = key_groups.max(1);
        let shift = key_groups.is_power_of_two().then(|| key_groups.trailing_zeros());
        Self {
            groups: key_groups,
            parallelism: parallelism.max(1),
            shift,
        }
    }

    /// Number of groups.
    #[must_use]
    pub const fn key_groups(&self) -> u32 {
        self.groups
    }

    /// Number of instances.
    #[must_use]
    pub const fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// The key group of a key with this hash.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of a u32 fits a u32")]
    pub const fn group_of(&self, hash: u64) -> u32 {
        match self.shift {
            Some(_) => (hash & (self.groups as u64 - 1)) as u32,
            None => (hash % self.groups as u64) as u32,
        }
    }

    /// The instance that owns a key group.
    #[inline]
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below parallelism because group < key_groups"
    )]
    pub const fn instance_of_group(&self, group: u32) -> u32 {
        let spread = group as u64 * self.parallelism as u64;
        match self.shift {
            Some(shift) => (spread >> shift) as u32,
            None => (spread / self.groups as u64) as u32,
        }
    }

    /// The instance that owns a key with this hash.
    #[inline]
    #[must_use]
    pub const fn instance_of(&self, hash: u64) -> u32 {
        self.instance_of_group(self.group_of(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_instances_follow_the_formula() {
        for key_groups in [1_u32, 2, 7, 100, 128, 1000, 1 << 15] {
            for parallelism in [1_u32, 2, 3, 5, 16, 128] {
                let groups = KeyGroups::new(key_groups, parallelism);
                for hash in [0_u64, 1, 127, 128, 0xdead_beef_cafe_f00d, u64::MAX] {
                    let group = hash % u64::from(key_groups);
                    assert_eq!(u64::from(groups.group_of(hash)), group);
                    let instance = group * u64::from(parallelism) / u64::from(key_groups);
                    assert_eq!(u64::from(groups.instance_of(hash)), instance);
                }
            }
        }
    }

    #[test]
    fn every_instance_owns_a_contiguous_range_of_groups() {
        let groups = KeyGroups::new(DEFAULT_KEY_GROUPS, 3);
        let owners: Vec<u32> = (0..DEFAULT_KEY_GROUPS)
            .map(|group| groups.instance_of_group(group))
            .collect();
        assert!(owners.is_sorted());
        assert_eq!(owners.iter().filter(|&&owner| owner == 0).count(), 43);
        assert_eq!(owners.iter().filter(|&&owner| owner == 1).count(), 43);
        assert_eq!(owners.iter().filter(|&&owner| owner == 2).count(), 42);
    }
}
