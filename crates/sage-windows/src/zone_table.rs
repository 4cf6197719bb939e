//! Local time, for windows of whole days.

use sage_types::Result;

use crate::window_spec::{ZoneOffset, malformed};

/// No clock is further away from UTC than this: 24 hours.
const MAX_OFFSET_MS: f64 = 86_400_000.0;

/// The offsets of a time zone, as a table that JavaScript makes.
#[derive(Debug, Clone)]
pub(crate) struct ZoneTable {
    /// From when each offset holds, in UTC. The first also holds before.
    from: Vec<f64>,
    /// Local minus UTC.
    offset: Vec<f64>,
    /// The latest local time that any clock showed up to the end of each entry: never falls, unlike local time.
    shown: Vec<f64>,
}

impl ZoneTable {
    /// A table of these offsets.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is empty or not in order, or an offset is not one of a zone.
    pub(crate) fn new(offsets: &[ZoneOffset]) -> Result<Self> {
        if offsets.is_empty() {
            return Err(malformed("a zone has no offsets"));
        }
        if !offsets.is_sorted_by(|a, b| a.from_ms < b.from_ms) {
            return Err(malformed(
                "the offsets of a zone are not in the order of their time",
            ));
        }
        if offsets.iter().any(|entry| entry.offset_ms.abs() > MAX_OFFSET_MS) {
            return Err(malformed("an offset of a zone is more than a day"));
        }
        let until = offsets[1..]
            .iter()
            .map(|entry| entry.from_ms)
            .chain([f64::INFINITY]);
        let mut latest = f64::NEG_INFINITY;
        let shown = offsets
            .iter()
            .zip(until)
            .map(|(entry, until)| {
                latest = (until + entry.offset_ms).max(latest);
                latest
            })
            .collect();
        Ok(Self {
            from: offsets.iter().map(|entry| entry.from_ms).collect(),
            offset: offsets.iter().map(|entry| entry.offset_ms).collect(),
            shown,
        })
    }

    /// What local clocks show at a time.
    pub(crate) fn to_local(&self, utc: f64) -> f64 {
        let after = self.from.partition_point(|&from| from <= utc);
        utc + self.offset[after.saturating_sub(1)]
    }

    /// The first time at which local clocks show this or more: the first of two when they are set back over it, the moment
    /// of the change when they are set forward over it.
    pub(crate) fn to_utc(&self, local: f64) -> f64 {
        let entry = self.shown.partition_point(|&shown| shown <= local);
        let entry = entry.min(self.offset.len() - 1);
        let there = local - self.offset[entry];
        if entry == 0 {
            there
        } else {
            there.max(self.from[entry])
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: f64 = 3_600_000.0;

    fn table(offsets: &[(f64, f64)]) -> ZoneTable {
        let offsets: Vec<ZoneOffset> = offsets
            .iter()
            .map(|&(from_ms, offset_ms)| ZoneOffset { from_ms, offset_ms })
            .collect();
        ZoneTable::new(&offsets).unwrap()
    }

    #[test]
    fn clocks_that_are_set_forward_skip_local_time_and_those_set_back_show_it_twice() {
        let zone = table(&[(0.0, HOUR), (100.0 * HOUR, 2.0 * HOUR), (200.0 * HOUR, HOUR)]);
        assert_eq!(zone.to_local(99.5 * HOUR), 100.5 * HOUR);
        assert_eq!(zone.to_local(100.0 * HOUR), 102.0 * HOUR);
        // 101:30 was never shown, 201:30 twice.
        assert_eq!(zone.to_utc(101.5 * HOUR), 100.0 * HOUR);
        assert_eq!(zone.to_utc(201.5 * HOUR), 199.5 * HOUR);
        assert_eq!(zone.to_utc(202.5 * HOUR), 201.5 * HOUR);
        // The first offset holds before its time.
        assert_eq!((zone.to_local(-HOUR), zone.to_utc(-HOUR)), (0.0, -2.0 * HOUR));
    }

    #[test]
    fn a_zone_may_skip_a_whole_day() {
        // Samoa had no 30 December 2011.
        let change = 50.0 * HOUR;
        let zone = table(&[(0.0, -10.0 * HOUR), (change, 14.0 * HOUR)]);
        assert_eq!(zone.to_utc(40.0 * HOUR), change);
        assert_eq!(zone.to_utc(64.0 * HOUR), change);
        assert_eq!(zone.to_utc(65.0 * HOUR), change + HOUR);
    }

    proptest! {
        #[test]
        fn an_edge_is_the_first_moment_at_which_clocks_show_it_or_more(
            changes in prop::collection::btree_map(0_i32..400, -48_i32..48, 1..6),
            local in -100_i32..500,
        ) {
            let quarters = |number: i32| f64::from(number) * HOUR / 4.0;
            let offsets: Vec<(f64, f64)> =
                changes.iter().map(|(&from, &offset)| (quarters(from), quarters(offset))).collect();
            let zone = table(&offsets);
            let shown = |utc: f64| {
                let before = offsets.iter().rev().find(|(from, _)| *from <= utc);
                utc + before.unwrap_or(&offsets[0]).1
            };
            let first = (-200..700).map(quarters).find(|&utc| shown(utc) >= quarters(local));
            prop_assert_eq!(Some(zone.to_utc(quarters(local))), first);
            prop_assert_eq!(zone.to_local(quarters(local)), shown(quarters(local)));
        }
    }
}
