//! How far event time has come at the gates of one task.

use sage_queue::EndKind;
use sage_types::PlantedBug;

/// How far event time has come at a gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateTime {
    /// Gate of the task.
    pub gate: u32,
    /// All records of the gate before it, in epoch milliseconds, have been taken. Never goes back; positive infinity when the
    /// gate has ended as drained.
    pub watermark: f64,
    /// No input of the gate gives records for now, or ever again: nothing is to wait for it.
    pub idle: bool,
}

#[derive(Debug, Clone, Copy)]
enum Input {
    Active(f64),
    /// Holds nobody up; comes back with what it had.
    Idle(f64),
    /// It has given all that there was.
    Ended,
}

/// The watermark of each gate: the least one of those of its inputs that are active. An input that is idle or has ended
/// holds nobody up. One that was stopped stands where it was: what it has not given is still to come, in a job that goes on, so that
/// nothing may fire without it.
#[derive(Debug)]
pub(crate) struct GateTimes {
    /// By edge of the task: its gate, and how far it is.
    inputs: Vec<(u32, Input)>,
    /// By gate: what was last told.
    told: Vec<GateTime>,
    /// Whether any input has said how far it is. Until then nobody asks.
    in_use: bool,
}

impl GateTimes {
    /// Edges by the gate that they lead to, and whether they say nothing about event time.
    pub(crate) fn new(edges: impl Iterator<Item = (u32, bool)>) -> Self {
        let inputs: Vec<_> = edges
            .map(|(gate, timeless)| {
                let input = if timeless { Input::Idle } else { Input::Active };
                (gate, input(f64::NEG_INFINITY))
            })
            .collect();
        let count = inputs.iter().map(|(gate, _)| gate + 1).max().unwrap_or(0);
        let told = (0..count)
            .map(|gate| GateTime {
                gate,
                watermark: f64::NEG_INFINITY,
                idle: false,
            })
            .collect();
        Self {
            inputs,
            told,
            in_use: false,
        }
    }

    /// Whether the end of a single edge may be news.
    pub(crate) const fn in_use(&self) -> bool {
        self.in_use
    }

    /// An edge has said something that does not count yet.
    pub(crate) const fn has_said(&mut self) {
        self.in_use = true;
    }

    /// An edge has said how far it is; gives what changes with that at its gate.
    pub(crate) fn said(&mut self, edge: usize, watermark: f64, idle: bool) -> Option<GateTime> {
        self.in_use = true;
        let (gate, input) = self.inputs.get_mut(edge)?;
        let gate = *gate;
        *input = match (*input, idle) {
            (Input::Ended, _) => Input::Ended,
            (Input::Active(before) | Input::Idle(before), true) => Input::Idle(before.max(watermark)),
            (Input::Active(before) | Input::Idle(before), false) => Input::Active(before.max(watermark)),
        };
        self.change_at(gate)
    }

    /// An edge has given records: if it was idle, it is no longer. Whoever takes the records knows that as well.
    pub(crate) fn gave_records(&mut self, edge: usize) {
        if !self.in_use {
            return;
        }
        if let Some((gate, input)) = self.inputs.get_mut(edge)
            && let Input::Idle(watermark) = *input
        {
            *input = Input::Active(watermark);
            if let Some(told) = self.told.get_mut(*gate as usize) {
                told.idle = false;
            }
        }
    }

    /// Nothing follows on an edge.
    pub(crate) fn ended(&mut self, edge: usize, kind: EndKind) -> Option<GateTime> {
        if kind == EndKind::Stopped {
            return None;
        }
        let (gate, input) = self.inputs.get_mut(edge)?;
        *input = Input::Ended;
        let gate = *gate;
        if self.in_use { self.change_at(gate) } else { None }
    }

    fn change_at(&mut self, gate: u32) -> Option<GateTime> {
        let told = self.told.get_mut(gate as usize)?;
        let mut least: Option<f64> = None;
        let mut drained = true;
        for (_, input) in self.inputs.iter().filter(|(of, _)| *of == gate) {
            match *input {
                Input::Active(watermark) => {
                    least = Some(match least {
                        Some(least) if PlantedBug::TimeOfFastestInput.is_planted() => least.max(watermark),
                        Some(least) => least.min(watermark),
                        None => watermark,
                    });
                    drained = false;
                }
                Input::Idle(_) => drained = false,
                Input::Ended => {}
            }
        }
        let now = GateTime {
            gate,
            watermark: match least {
                Some(least) => told.watermark.max(least),
                None if drained => f64::INFINITY,
                None => told.watermark,
            },
            idle: least.is_none() && !drained,
        };
        if now == *told {
            return None;
        }
        *told = now;
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed<const N: usize>(gates: [u32; N]) -> impl Iterator<Item = (u32, bool)> {
        gates.into_iter().map(|gate| (gate, false))
    }

    fn at(gate: u32, watermark: f64) -> GateTime {
        GateTime {
            gate,
            watermark,
            idle: false,
        }
    }

    fn idle_at(gate: u32, watermark: f64) -> GateTime {
        GateTime {
            gate,
            watermark,
            idle: true,
        }
    }

    #[test]
    fn a_gate_is_as_far_as_its_slowest_input() {
        let mut times = GateTimes::new(timed([0, 0, 1]));
        assert_eq!(times.said(0, 10.0, false), None);
        assert_eq!(times.said(1, 5.0, false), Some(at(0, 5.0)));
        assert_eq!(times.said(1, 20.0, false), Some(at(0, 10.0)));
        assert_eq!(times.said(2, -3.0, false), Some(at(1, -3.0)));
    }

    #[test]
    fn an_idle_input_is_left_out_and_comes_back_without_turning_time_back() {
        let mut times = GateTimes::new(timed([0, 0]));
        times.said(0, 10.0, false);
        assert_eq!(times.said(1, f64::NEG_INFINITY, true), Some(at(0, 10.0)));
        assert_eq!(times.said(0, 30.0, false), Some(at(0, 30.0)));
        times.gave_records(1);
        assert_eq!(
            times.said(0, 40.0, false),
            None,
            "the other is active, and behind"
        );
        assert_eq!(times.said(1, 20.0, false), None);
        assert_eq!(times.said(1, 35.0, false), Some(at(0, 35.0)));
    }

    #[test]
    fn a_gate_is_idle_while_all_of_its_inputs_are() {
        let mut times = GateTimes::new(timed([0, 0]));
        times.said(0, 10.0, true);
        assert_eq!(times.said(1, 7.0, true), Some(idle_at(0, f64::NEG_INFINITY)));
        assert_eq!(times.said(1, 8.0, false), Some(at(0, 8.0)));
    }

    #[test]
    fn an_input_that_has_ended_holds_nobody_up_and_the_last_one_ends_time() {
        let mut times = GateTimes::new(timed([0, 0]));
        times.said(0, 10.0, false);
        assert_eq!(times.ended(1, EndKind::Drained), Some(at(0, 10.0)));
        assert_eq!(times.ended(0, EndKind::Drained), Some(at(0, f64::INFINITY)));
    }

    #[test]
    fn after_a_stop_time_does_not_end() {
        let mut times = GateTimes::new(timed([0, 0]));
        times.said(0, 10.0, false);
        times.said(1, 5.0, false);
        assert_eq!(times.ended(1, EndKind::Drained), Some(at(0, 10.0)));
        assert_eq!(times.ended(0, EndKind::Stopped), None);
    }

    /// Else windows fire behind the last barrier, without what the other has still to give.
    #[test]
    fn after_a_stop_time_goes_no_further_than_the_slowest_input_was() {
        let mut times = GateTimes::new(timed([0, 0, 1]));
        times.said(0, 5.0, false);
        assert_eq!(times.said(1, 20.0, false), Some(at(0, 5.0)));
        assert_eq!(times.said(2, 30.0, false), Some(at(1, 30.0)));
        assert_eq!(times.ended(0, EndKind::Stopped), None);
        assert_eq!(times.ended(1, EndKind::Stopped), None);
        assert_eq!(times.ended(2, EndKind::Stopped), None, "nor is the gate idle");
    }

    #[test]
    fn a_gate_of_which_an_input_was_stopped_does_not_end_with_the_others() {
        let mut times = GateTimes::new(timed([0, 0]));
        times.said(0, 5.0, false);
        times.said(1, 20.0, false);
        assert_eq!(times.ended(0, EndKind::Stopped), None);
        assert_eq!(times.ended(1, EndKind::Drained), None);
    }

    #[test]
    fn where_nobody_has_times_an_end_is_no_news() {
        let mut times = GateTimes::new(timed([0, 0]));
        assert_eq!(times.ended(0, EndKind::Drained), None);
        assert!(!times.in_use());
    }
}
