//! Time as a value that is handed in, so that tests decide what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where the core reads the time from.
pub trait Clock: Send + Sync {
    /// Nanoseconds since an arbitrary moment before the clock was first read; never goes back.
    fn monotonic_nanos(&self) -> u64;

    /// Milliseconds since 1970-01-01T00:00:00Z with a fraction; may jump when the machine's time is set.
    fn epoch_millis(&self) -> f64;
}

/// A clock that every part of a job shares.
pub type SharedClock = Arc<dyn Clock>;

/// The clocks of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts at 0 now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn monotonic_nanos(&self) -> u64 {
        // 584 years fit.
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn epoch_millis(&self) -> f64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64() * 1e3,
            Err(before) => -before.duration().as_secs_f64() * 1e3,
        }
    }
}

/// A clock that stands still until a test moves it. Both times start at 0 and move independently.
#[derive(Debug, Default)]
pub struct ManualClock {
    monotonic_nanos: AtomicU64,
    epoch_millis_bits: AtomicU64,
}

impl ManualClock {
    /// A clock at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the monotonic time on.
    pub fn advance_nanos(&self, nanos: u64) {
        self.monotonic_nanos.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the wall clock, in milliseconds since 1970.
    pub fn set_epoch_millis(&self, millis: f64) {
        self.epoch_millis_bits.store(millis.to_bits(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn monotonic_nanos(&self) -> u64 {
        self.monotonic_nanos.load(Ordering::SeqCst)
    }

    fn epoch_millis(&self) -> f64 {
        f64::from_bits(self.epoch_millis_bits.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new();
        let shared: SharedClock = Arc::new(ManualClock::new());
        assert_eq!(shared.monotonic_nanos(), 0);

        clock.advance_nanos(5);
        clock.advance_nanos(6);
        clock.set_epoch_millis(1_700_000_000_000.5);

        assert_eq!(clock.monotonic_nanos(), 11);
        assert_eq!(clock.epoch_millis().to_bits(), 1_700_000_000_000.5_f64.to_bits());
    }

    #[test]
    fn the_system_clock_never_goes_back_and_knows_the_century() {
        let clock = SystemClock::new();
        let first = clock.monotonic_nanos();
        assert!(clock.monotonic_nanos() >= first);
        // 2020-01-01 and 2100-01-01.
        assert!((1_577_836_800_000.0..4_102_444_800_000.0).contains(&clock.epoch_millis()));
    }
}
