//! Windows with an accumulator each in a checkpoint: number of the key, when it is next entered for a fire and for a close, and its
//! windows: start, end, rows that no result has shown, when the clock asks for a result, whether it has an accumulator, and that.
//! What is not there is NaN.

use sage_state::{SavedBytes, damaged};
use sage_types::{Result, TimeMs};

use super::TriggeredWindows;
use crate::PaneAccumulators;
use crate::key_windows::{KeyWindows, OpenWindow};
use crate::saved_key::{KeySink, saved_accumulator, saved_count, saved_flag, saved_some};

impl TriggeredWindows {
    /// Writes what there is of a key.
    pub(crate) fn save_key(&self, slot: u32, sink: &mut impl KeySink) {
        let key = self.keys.get(slot);
        sink.word(key.number);
        sink.float(number_of(key.next_fire));
        sink.float(number_of(key.next_close));
        sink.count(key.windows.iter().count());
        for window in key.windows.iter() {
            sink.float(window.start);
            sink.float(window.end);
            sink.word(window.unshown);
            sink.float(number_of(window.timer));
            sink.word(u64::from(window.accumulator.is_some()));
            if let Some(accumulator) = window.accumulator {
                sink.accumulator(accumulator, window.start, window.end);
            }
        }
    }

    /// Reads what [`TriggeredWindows::save_key`] wrote behind the number, for a slot that there is room for.
    pub(crate) fn restore_key<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<()> {
        let next_fire = TimeMs::new(saved.f64()?);
        let next_close = TimeMs::new(saved.f64()?);
        let mut windows = KeyWindows::default();
        let mut next_timer: Option<TimeMs> = None;
        for _ in 0..saved_some(saved)? {
            let window = OpenWindow {
                start: saved.f64()?,
                end: saved.f64()?,
                unshown: saved_count(saved)?,
                timer: TimeMs::new(saved.f64()?),
                accumulator: if saved_flag(saved)? {
                    Some(saved_accumulator(saved, accumulators)?)
                } else {
                    None
                },
            };
            if !windows.push_last(window) {
                return Err(damaged("windows are out of order"));
            }
            next_timer = next_timer.into_iter().chain(window.timer).min();
        }
        let key = self.keys.get_mut(slot);
        key.windows = windows;
        key.number = self.next_number;
        (key.next_fire, key.next_close, key.next_timer) = (next_fire, next_close, next_timer);
        self.next_number += 1;
        if let Some(at) = next_fire {
            self.fires.push(at, slot);
        }
        if let Some(at) = next_close {
            self.closes.push(at, slot);
        }
        self.timers.extend(next_timer.map(|at| (at, slot)));
        Ok(())
    }
}

fn number_of(time: Option<TimeMs>) -> f64 {
    time.map_or(f64::NAN, TimeMs::get)
}
