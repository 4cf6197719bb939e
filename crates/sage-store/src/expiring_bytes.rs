//! How much of a store expires when, roughly.

use std::collections::BTreeMap;

/// More buckets than this are merged by two.
const MAX_BUCKETS: usize = 256;

/// Bytes by the time at which they expire, in at most 256 buckets of the same width: enough to know when dropping what has
/// expired is worth reading the whole store.
#[derive(Debug)]
pub(crate) struct ExpiringBytes {
    width_ms: u64,
    /// By `expires_at_ms / width_ms`.
    buckets: BTreeMap<u64, u64>,
    expired: u64,
}

impl Default for ExpiringBytes {
    fn default() -> Self {
        Self {
            width_ms: 1,
            buckets: BTreeMap::new(),
            expired: 0,
        }
    }
}

impl ExpiringBytes {
    /// Notes that bytes were written that expire.
    pub(crate) fn add(&mut self, expires_at_ms: u64, bytes: u64) {
        *self.buckets.entry(expires_at_ms / self.width_ms).or_default() += bytes;
        while self.buckets.len() > MAX_BUCKETS {
            self.width_ms *= 2;
            let narrow = std::mem::take(&mut self.buckets);
            for (bucket, bytes) in narrow {
                *self.buckets.entry(bucket / 2).or_default() += bytes;
            }
        }
    }

    /// Bytes that have expired and were not taken yet. A bucket counts when all of it has.
    pub(crate) fn expired_at(&mut self, now_ms: u64) -> u64 {
        let later = self.buckets.split_off(&(now_ms / self.width_ms));
        let expired = std::mem::replace(&mut self.buckets, later);
        self.expired += expired.values().sum::<u64>();
        self.expired
    }

    /// Forgets the bytes that have expired: they are being dropped.
    pub(crate) const fn take_expired(&mut self) {
        self.expired = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_is_counted_once() {
        let mut bytes = ExpiringBytes::default();
        bytes.add(100, 10);
        bytes.add(200, 5);
        assert_eq!(bytes.expired_at(100), 0);
        assert_eq!(bytes.expired_at(101), 10);
        assert_eq!(bytes.expired_at(150), 10);
        bytes.take_expired();
        assert_eq!(bytes.expired_at(150), 0);
        assert_eq!(bytes.expired_at(10_000), 5);
    }

    #[test]
    fn given_many_times_then_the_buckets_get_wider_and_nothing_is_lost() {
        let mut bytes = ExpiringBytes::default();
        for time in 0..100_000 {
            bytes.add(time, 1);
        }
        assert!(bytes.buckets.len() <= MAX_BUCKETS);
        let half = bytes.expired_at(50_000);
        assert!((49_000..=50_000).contains(&half), "{half}");
        assert_eq!(bytes.expired_at(200_000), 100_000);
    }
}
