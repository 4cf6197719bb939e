//! What comes of a scenario, worked out without any of the engine.

use std::collections::BTreeMap;

use sage_runtime::Partition;

use super::scenario::{Scenario, Work};
use super::timed_task::{whole, window_of};
use crate::support::Record;

impl Scenario {
    /// What comes to each stage, when the sources have given so many records of each split.
    pub fn arrivals(&self, produced: &BTreeMap<u32, u64>) -> Vec<Vec<Record>> {
        let mut arrivals: Vec<Vec<Record>> = vec![Vec::new(); self.stages.len()];
        let mut given: Vec<Vec<Record>> = vec![Vec::new(); self.stages.len()];
        for (stage, plan) in self.stages.iter().enumerate() {
            let of_inputs: Vec<Vec<Record>> = self
                .inputs_of(stage)
                .filter(|input| !input.is_feedback)
                .map(|input| {
                    let copies = match input.partition {
                        Partition::Broadcast => plan.fixed.unwrap(),
                        _ => 1,
                    };
                    given[input.from].repeat(copies)
                })
                .collect();
            let all: Vec<Record> = of_inputs.concat();
            given[stage] = match plan.work {
                Work::Source => plan
                    .splits
                    .iter()
                    .flat_map(|&(split, _)| {
                        let count = produced.get(&split).copied().unwrap_or(0);
                        (0..count).map(move |number| record_of(self.keys, split, number))
                    })
                    .collect(),
                Work::Join => {
                    let pairs = of_inputs[0].iter().flat_map(|left| {
                        let fitting = of_inputs[1].iter().filter_map(|right| paired(left, right));
                        fitting.collect::<Vec<_>>()
                    });
                    pairs.collect()
                }
                Work::Window => {
                    let mut windows: BTreeMap<(u64, u64), (u64, u64)> = BTreeMap::new();
                    for record in &all {
                        let sums = windows
                            .entry((record.key.to_bits(), window_of(record)))
                            .or_default();
                        sums.0 += 1;
                        sums.1 += whole(record.number);
                    }
                    let result = |((key, window), (count, sum))| {
                        window_result(f64::from_bits(key), window, count, sum)
                    };
                    windows.into_iter().map(result).collect()
                }
                Work::Total => {
                    let mut totals: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
                    for record in &all {
                        let sums = totals.entry(record.key.to_bits()).or_default();
                        sums.0 += 1;
                        sums.1 += whole(record.number);
                    }
                    let result = |(key, (count, sum))| Record {
                        key: f64::from_bits(key),
                        source: count as f64,
                        number: sum as f64,
                    };
                    totals.into_iter().map(result).collect()
                }
                // What comes to the head again is counted for it too.
                Work::Head | Work::Tail | Work::Pass | Work::Delay | Work::Sum | Work::Table | Work::Sink => {
                    all.clone()
                }
            };
            arrivals[stage] = if plan.work == Work::Head {
                all.iter()
                    .flat_map(|record| vec![*record; turns(record)])
                    .collect()
            } else {
                all
            };
        }
        arrivals
    }
}

/// A record of a split.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
pub fn record_of(keys: u64, split: u32, number: u64) -> Record {
    Record {
        key: ((number * 7 + u64::from(split) * 3) % keys) as f64,
        source: f64::from(split),
        number: number as f64,
    }
}

/// How long a window is, in the time of records.
pub const WINDOW: f64 = 5.0;

/// What a window gives for a key.
pub fn window_result(key: f64, window: u64, count: u64, sum: u64) -> Record {
    Record {
        key,
        source: 2000.0 + window as f64,
        number: (count * 4096 + sum) as f64,
    }
}

/// How often a record goes through a loop.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small whole numbers"
)]
pub fn turns(record: &Record) -> usize {
    record.number as usize % 4 + 1
}

/// What a join makes of two records, if they fit.
#[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
pub fn paired(left: &Record, right: &Record) -> Option<Record> {
    let fits = (left.number + right.number) as i64 % 3 == 0;
    (left.key.to_bits() == right.key.to_bits() && fits).then_some(Record {
        key: left.key,
        source: 1000.0 + left.source * 50.0 + right.source,
        number: left.number * 4096.0 + right.number,
    })
}
