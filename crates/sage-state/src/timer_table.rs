//! Timers of keys and windows.

use std::collections::BTreeMap;

use sage_types::{ErrorCode, Result, SageError, TimeMs};

/// A timer that has become due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DueTimer {
    /// When it should have fired, in milliseconds.
    pub time_ms: f64,
    /// Whose timer it is.
    pub id: u32,
}

/// Timers by time: each belongs to an id, a slot of a key or an accumulator of a window, which has at most one at a time.
///
/// They become due by time, those of one time in the order in which they were registered. Memory is that of the timers
/// that are there.
#[derive(Debug, Default)]
pub struct TimerTable {
    /// Number of registration, so that timers of one time keep their order.
    next_number: u64,
    by_time: BTreeMap<(TimeMs, u64), u32>,
    by_id: BTreeMap<(u32, TimeMs), u64>,
}

impl TimerTable {
    /// A table without timers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a timer; whether there was none of this id at this time. One that is there keeps its place in the order.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for NaN.
    pub fn register(&mut self, time_ms: f64, id: u32) -> Result<bool> {
        let time = time_of(time_ms)?;
        let number = self.next_number;
        let mut is_new = false;
        self.by_id.entry((id, time)).or_insert_with(|| {
            is_new = true;
            number
        });
        if is_new {
            self.by_time.insert((time, number), id);
            self.next_number += 1;
        }
        Ok(is_new)
    }

    /// Removes a timer; whether it was there.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for NaN.
    pub fn cancel(&mut self, time_ms: f64, id: u32) -> Result<bool> {
        let time = time_of(time_ms)?;
        let number = self.by_id.remove(&(id, time));
        if let Some(number) = number {
            self.by_time.remove(&(time, number));
        }
        Ok(number.is_some())
    }

    /// Removes all timers of an id, whose key or window is no more; how many there were.
    pub fn cancel_all(&mut self, id: u32) -> usize {
        let timers: Vec<(TimeMs, u64)> = self
            .by_id
            .range((id, TimeMs::MIN)..=(id, TimeMs::MAX))
            .map(|(&(_, time), &number)| (time, number))
            .collect();
        for &(time, number) in &timers {
            self.by_id.remove(&(id, time));
            self.by_time.remove(&(time, number));
        }
        timers.len()
    }

    /// Whether an id has a timer.
    #[must_use]
    pub fn holds(&self, id: u32) -> bool {
        self.by_id
            .range((id, TimeMs::MIN)..=(id, TimeMs::MAX))
            .next()
            .is_some()
    }

    /// Takes the next timer whose time is not after `up_to_ms`; NaN is before all times.
    pub fn pop_due(&mut self, up_to_ms: f64) -> Option<DueTimer> {
        let entry = self.by_time.first_entry()?;
        let (time, _) = *entry.key();
        if time.get() > up_to_ms || up_to_ms.is_nan() {
            return None;
        }
        let id = entry.remove();
        self.by_id.remove(&(id, time));
        Some(DueTimer {
            time_ms: time.get(),
            id,
        })
    }

    /// When the next timer is due, in milliseconds.
    #[must_use]
    pub fn next_ms(&self) -> Option<f64> {
        self.by_time.first_key_value().map(|((time, _), _)| time.get())
    }

    /// Number of timers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// Whether there are no timers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// All timers, in the order in which they become due: registered in this order elsewhere, they do so there too.
    pub fn iter(&self) -> impl Iterator<Item = DueTimer> + '_ {
        self.numbered().map(|(timer, _)| timer)
    }

    /// As [`TimerTable::iter`], each with its number of registration: of those of one time the smaller ones become due first.
    pub fn numbered(&self) -> impl Iterator<Item = (DueTimer, u64)> + '_ {
        self.by_time.iter().map(|(&(time, number), &id)| {
            let time_ms = time.get();
            (DueTimer { time_ms, id }, number)
        })
    }

    /// Bytes of the timers; the nodes of the maps hold about half as much again.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.len() * (size_of::<((TimeMs, u64), u32)>() + size_of::<((u32, TimeMs), u64)>())
    }
}

fn time_of(time_ms: f64) -> Result<TimeMs> {
    TimeMs::new(time_ms)
        .ok_or_else(|| SageError::new(ErrorCode::Internal, "the time of a timer is not a number"))
}
