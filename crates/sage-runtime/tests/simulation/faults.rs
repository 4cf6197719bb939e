//! What goes wrong in one process, and what its users do.

use super::draws::Draws;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// The machine loses its power.
    Crash,
    FailTask,
    Cancel,
    Stop,
    Drain,
    Pause,
    Resume,
    FreeSpace,
}

#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// By step, ascending.
    controls: Vec<(u64, Control)>,
    /// An isolate that does nothing from one step to another.
    slow: Option<(usize, u64, u64)>,
    /// The machine crashes some steps behind the n-th epoch.
    pub crash_behind: Option<usize>,
    /// What happens when all sources have ended, and the rest of the job is on its way to its end: a crash behind an epoch, or a stop.
    pub at_the_end: Option<Control>,
    /// The machine crashes in the n-th operation of the disk from now on.
    pub crash_in_operation: Option<u64>,
    /// The machine crashes some operations behind the beginning of the n-th merge.
    pub crash_in_merge: Option<usize>,
    /// The n-th sync from now on fails.
    pub failing_sync: Option<u64>,
    /// The disk is full after so many bytes from now on.
    pub full_after: Option<u64>,
}

/// Most jobs take about so many steps.
const STEPS: usize = 2500;

impl Faults {
    /// `ends` says whether the process may end by them, `ends_a_loop` that this is to be when a loop comes to its end.
    pub fn draw(draws: &mut Draws, isolates: usize, ends: bool, ends_a_loop: bool) -> Self {
        let mut faults = Self::default();
        let step = |draws: &mut Draws| draws.below(STEPS) as u64 * draws.between(1, 4) as u64 / 4;
        if ends {
            let dice = if ends_a_loop && draws.percent(80) {
                10 + draws.below(3)
            } else {
                draws.below(18)
            };
            match dice {
                0 | 1 => {
                    let at = step(draws);
                    faults.controls.push((at, Control::Crash));
                }
                2 | 3 => faults.crash_behind = Some(draws.between(1, 10)),
                4..6 => faults.crash_in_operation = Some(draws.between(1, 80) as u64),
                6 => {
                    let at = step(draws);
                    faults.controls.push((at, Control::FailTask));
                }
                7 => {
                    let at = step(draws);
                    faults.controls.push((at, Control::Cancel));
                }
                8 | 9 => {
                    let at = step(draws);
                    faults.controls.push((at, Control::Stop));
                }
                10 | 11 => faults.at_the_end = Some(Control::Crash),
                12 => faults.at_the_end = Some(Control::Stop),
                13 => {
                    let at = step(draws);
                    faults.controls.push((at, Control::Drain));
                }
                14..17 => faults.crash_in_merge = Some(draws.between(1, 2)),
                _ => {}
            }
            if draws.percent(20) {
                faults.failing_sync = Some(draws.between(1, 12) as u64);
            }
            if draws.percent(10) {
                faults.full_after = Some(draws.below(20_000) as u64);
                let at = step(draws);
                faults.controls.push((at, Control::FreeSpace));
            }
        }
        if draws.percent(20) {
            let at = step(draws);
            faults.controls.push((at, Control::Pause));
            faults
                .controls
                .push((at + draws.below(300) as u64, Control::Resume));
        }
        if draws.percent(30) {
            let at = step(draws);
            faults.slow = Some((draws.below(isolates), at, at + draws.below(600) as u64));
        }
        faults.controls.sort_by_key(|&(at, _)| at);
        faults
    }

    pub fn has(&self, control: Control) -> bool {
        self.at_the_end == Some(control) || self.controls.iter().any(|&(_, other)| other == control)
    }

    /// Whether something is wrong with the disk.
    pub const fn spoil_files(&self) -> bool {
        self.failing_sync.is_some() || self.full_after.is_some()
    }

    pub fn due(&self, step: u64) -> Vec<Control> {
        let due = self.controls.iter().filter(|&&(at, _)| at == step);
        due.map(|&(_, control)| control).collect()
    }

    pub fn is_slow(&self, isolate: usize, step: u64) -> bool {
        self.slow
            .is_some_and(|(slow, from, to)| slow == isolate && (from..to).contains(&step))
    }

    /// Whether something is still to happen by itself.
    pub fn goes_on(&self, step: u64) -> bool {
        self.controls.iter().any(|&(at, _)| at > step) || self.slow.is_some_and(|(_, _, to)| to > step)
    }
}
