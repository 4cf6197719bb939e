//! The open windows of one key.

use std::ops::Range;

use sage_types::TimeMs;
use smallvec::SmallVec;

use crate::PaneAccumulators;
use crate::window_due::{WindowDue, WindowTask};

/// A window that takes rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenWindow {
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// None when all that there was has been shown and discarded.
    pub(crate) accumulator: Option<u32>,
    /// Rows that no result has shown.
    pub(crate) unshown: u64,
    /// When the clock asks for a result.
    pub(crate) timer: Option<TimeMs>,
}

impl OpenWindow {
    const fn new(start: f64, end: f64) -> Self {
        Self {
            start,
            end,
            accumulator: None,
            unshown: 0,
            timer: None,
        }
    }
}

impl OpenWindow {
    /// Gives the result, if there is something to give.
    pub(crate) fn show<A: PaneAccumulators>(&mut self, slot: u32, discards: bool, accumulators: &mut A) {
        self.unshown = 0;
        self.timer = None;
        if let Some(accumulator) = self.accumulator {
            accumulators.emit(&[accumulator], slot, self.start, self.end);
            if discards {
                accumulators.free(accumulator);
                self.accumulator = None;
            }
        }
    }

    /// What is due for it.
    pub(crate) const fn due(&self, task: WindowTask, slot: u32, number: u64) -> WindowDue {
        WindowDue {
            task,
            start: self.start,
            end: self.end,
            number,
            slot,
        }
    }
}

/// The open windows of one key, by start and end. No window is inside another, so that they are also in the order of their
/// ends.
#[derive(Debug, Default)]
pub(crate) struct KeyWindows {
    windows: SmallVec<[OpenWindow; 1]>,
}

impl KeyWindows {
    /// Whether there are none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// A window.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> &mut OpenWindow {
        &mut self.windows[index]
    }

    /// The index of the window with these edges, which is opened if it is not there.
    pub(crate) fn find_or_open(&mut self, start: f64, end: f64) -> usize {
        let at = self
            .windows
            .partition_point(|window| window.start < start || (window.start == start && window.end < end));
        let found = self.windows.get(at);
        if !found.is_some_and(|window| window.start == start && window.end == end) {
            self.windows.insert(at, OpenWindow::new(start, end));
        }
        at
    }

    /// The index of the window with these edges.
    pub(crate) fn find(&self, start: f64, end: f64) -> Option<usize> {
        let at = self.windows.partition_point(|window| window.end < end);
        (at..self.windows.len()).find(|&at| self.windows[at].start == start && self.windows[at].end == end)
    }

    /// The windows with this end.
    pub(crate) fn with_end(&self, end: f64) -> impl Iterator<Item = &OpenWindow> {
        let at = self.windows.partition_point(|window| window.end < end);
        self.windows[at..]
            .iter()
            .take_while(move |window| window.end == end)
    }

    /// The next end after this one.
    pub(crate) fn next_end_after(&self, end: f64) -> Option<TimeMs> {
        let at = self.windows.partition_point(|window| window.end <= end);
        self.windows.get(at).and_then(|window| TimeMs::new(window.end))
    }

    /// All windows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &OpenWindow> {
        self.windows.iter()
    }

    /// Appends a window; whether it comes behind the others, in the order of their starts and ends.
    pub(crate) fn push_last(&mut self, window: OpenWindow) -> bool {
        let is_behind = self.windows.last().is_none_or(|last| {
            (last.start <= window.start && last.end < window.end)
                || (last.start < window.start && last.end <= window.end)
        });
        self.windows.push(window);
        is_behind && window.start <= window.end
    }

    /// All windows, for writing; their edges stay.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut OpenWindow> {
        self.windows.iter_mut()
    }

    /// The sessions that a session with these edges overlaps. One that begins where the other ends does not overlap it.
    #[inline]
    pub(crate) fn overlapping(&self, start: f64, end: f64) -> Range<usize> {
        let from = self.windows.partition_point(|window| window.end <= start);
        let count = self.windows[from..]
            .iter()
            .take_while(|window| window.start < end)
            .count();
        from..from + count
    }

    /// Makes one session of some neighbours, at least one, and of these edges; whether its edges are new. The oldest takes
    /// what the others have.
    pub(crate) fn merge_sessions<A: PaneAccumulators>(
        &mut self,
        sessions: Range<usize>,
        start: f64,
        end: f64,
        accumulators: &mut A,
    ) -> bool {
        let index = sessions.start;
        let mut merged = self.windows[index];
        for other in self.windows.drain(index + 1..sessions.end) {
            merged.end = other.end;
            merged.unshown += other.unshown;
            merged.timer = merged.timer.into_iter().chain(other.timer).min();
            match (merged.accumulator, other.accumulator) {
                (Some(into), Some(from)) => {
                    accumulators.merge(into, from);
                    accumulators.free(from);
                }
                (into, from) => merged.accumulator = into.or(from),
            }
        }
        merged.start = merged.start.min(start);
        merged.end = merged.end.max(end);
        let before = std::mem::replace(&mut self.windows[index], merged);
        before.start != merged.start || before.end != merged.end
    }

    /// Removes a window.
    pub(crate) fn remove(&mut self, index: usize) -> OpenWindow {
        self.windows.remove(index)
    }

    /// Bytes of memory held outside of this.
    pub(crate) fn bytes_used(&self) -> usize {
        if self.windows.spilled() {
            self.windows.capacity() * size_of::<OpenWindow>()
        } else {
            0
        }
    }
}
