//! A point in time that can be the key of an ordered map.

use std::cmp::Ordering;

/// A time in milliseconds, which may have a fraction and may be infinite, but is never NaN. -0 is 0.
#[derive(Debug, Clone, Copy)]
pub struct TimeMs(f64);

impl TimeMs {
    /// Before all others.
    pub const MIN: Self = Self(f64::NEG_INFINITY);
    /// After all others.
    pub const MAX: Self = Self(f64::INFINITY);

    /// The time of a number; none of NaN.
    #[inline]
    #[must_use]
    pub fn new(ms: f64) -> Option<Self> {
        // -0 + 0 = 0, and x + 0 = x for all others.
        (!ms.is_nan()).then_some(Self(ms + 0.0))
    }

    /// The number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Ord for TimeMs {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for TimeMs {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TimeMs {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TimeMs {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ordered_as_numbers_are() {
        let numbers = [f64::NEG_INFINITY, -1e300, -1.5, 0.0, 0.25, 8.64e15, f64::INFINITY];
        let times = numbers.map(|ms| TimeMs::new(ms).unwrap());
        assert!(times.is_sorted_by(|a, b| a < b));
        assert_eq!((times[0], times[6]), (TimeMs::MIN, TimeMs::MAX));
        assert_eq!(times.map(|time| time.get().to_bits()), numbers.map(f64::to_bits));
    }

    #[test]
    fn both_zeros_are_one_time_and_nan_is_none() {
        assert_eq!(TimeMs::new(-0.0), TimeMs::new(0.0));
        assert_eq!(TimeMs::new(f64::NAN), None);
    }
}
