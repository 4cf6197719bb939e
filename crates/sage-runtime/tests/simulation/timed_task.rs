//! Event time: the time of a record is its number, which sources give in order.

use std::collections::BTreeMap;

use sage_runtime::GateTime;

use super::expected::{WINDOW, window_result};
use super::scenario::Work;
use super::sim_task::{Parcel, SimTask};
use crate::support::Record;

/// How far event time is in a task.
#[derive(Debug, Default)]
pub struct TaskTime {
    /// What its outputs say means something: nothing in front of it gives records with other numbers.
    pub is_timed: bool,
    /// By gate, in this process.
    pub gates: Vec<f64>,
    /// What it has said, also in earlier processes; never goes back.
    pub told: f64,
    /// The least of what all instances had said in the epoch that it goes on from.
    pub restored: Option<f64>,
    /// Count and sum of the numbers of records, by key and window.
    pub windows: BTreeMap<(u64, u64), (u64, u64)>,
}

impl SimTask {
    /// A watermark has come at a gate.
    pub fn time_came(&mut self, time: GateTime) -> Result<(), String> {
        let is_in_loop = matches!(self.work, Work::Head | Work::Tail);
        let own = &mut self.time.gates[time.gate as usize];
        if time.watermark < *own && !time.idle && !is_in_loop {
            return Err(format!(
                "task {} is told the time {time:?}, and was at {own} before",
                self.id
            ));
        }
        *own = own.max(time.watermark);
        self.time_goes_on();
        Ok(())
    }

    /// Says how far time is, if it is further than before; windows that are over give their results first.
    pub fn time_goes_on(&mut self) {
        let now = match self.work {
            Work::Source => {
                let open = self.splits.iter().filter(|&&(_, next, records)| next < records);
                open.map(|&(_, next, _)| next as f64)
                    .fold(f64::INFINITY, f64::min)
            }
            _ => self.time.gates.iter().copied().fold(f64::INFINITY, f64::min),
        };
        self.fire(now);
        // What waits for its answer is still to come.
        let calls = self.calls.iter().map(|call| call.number);
        let now = calls.fold(now, f64::min);
        if now <= self.time.told || !now.is_finite() {
            return;
        }
        self.time.told = now;
        if self.time.is_timed {
            for output in 0..self.outputs {
                self.to_send
                    .push_back((u32::try_from(output).unwrap(), Parcel::Time(now)));
            }
        }
    }

    /// Nothing comes behind its watermark.
    pub fn check_in_time(&self, gate: u32, records: &[Record]) -> Result<(), String> {
        let least = self.time.gates[gate as usize].max(self.time.told);
        match records.iter().find(|record| record.number < least) {
            Some(late) => Err(format!(
                "task {} is given {late:?} when its time is {least}",
                self.id
            )),
            None => Ok(()),
        }
    }

    pub fn add_to_windows(&mut self, records: &[Record]) {
        for record in records {
            let window = window_of(record);
            let sums = self
                .time
                .windows
                .entry((record.key.to_bits(), window))
                .or_default();
            sums.0 += 1;
            sums.1 += whole(record.number);
        }
    }

    /// Gives the results of all windows that are over at a time.
    pub fn fire(&mut self, now: f64) {
        let is_over = |window: u64| (window + 1) as f64 * WINDOW <= now;
        let mut results = Vec::new();
        self.time.windows.retain(|&(key, window), &mut (count, sum)| {
            let fires = is_over(window);
            if fires {
                results.push(window_result(f64::from_bits(key), window, count, sum));
            }
            !fires
        });
        for batch in results.chunks(self.batch_rows) {
            self.send_to_all(batch);
        }
    }
}

pub fn window_of(record: &Record) -> u64 {
    whole(record.number / WINDOW)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers"
)]
pub fn whole(number: f64) -> u64 {
    number.floor() as u64
}
