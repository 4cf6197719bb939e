//! When a window gives results.

use crate::window_spec::{EarlySpec, TriggerSpec};

/// When a window gives results, taken apart into what happens by its end, by element and by clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TriggerRule {
    /// Whether it does at its end, and for each row after it.
    pub(crate) at_end: bool,
    /// After how many elements that no result has shown.
    pub(crate) every: Option<u32>,
    /// How long after the first element that no result has shown, by the clock.
    pub(crate) every_ms: Option<f64>,
    /// Whether JavaScript decides, and is told of windows.
    pub(crate) is_custom: bool,
}

impl TriggerRule {
    /// The rule of a spec.
    pub(crate) fn new(spec: &TriggerSpec) -> Self {
        let (at_end, every, every_ms) = match *spec {
            TriggerSpec::Time => (true, None, None),
            TriggerSpec::Count { every } => (false, Some(every), None),
            TriggerSpec::ProcessingTime { every_ms } => (false, None, Some(every_ms)),
            TriggerSpec::Custom => (false, None, None),
            TriggerSpec::Early {
                early: EarlySpec::Count { every },
            } => (true, Some(every), None),
            TriggerSpec::Early {
                early: EarlySpec::ProcessingTime { every_ms },
            } => (true, None, Some(every_ms)),
        };
        Self {
            at_end,
            every,
            every_ms,
            is_custom: *spec == TriggerSpec::Custom,
        }
    }
}
