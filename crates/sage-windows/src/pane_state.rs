//! How far the windows of a grid are.

use crate::pane_grid::PaneGrid;
use crate::progress::Progress;

/// How the rows of a pane are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaneState {
    /// None of its windows has fired, or those that have are closed.
    Open,
    /// Some of its windows have fired and take rows still.
    Fired,
    /// All of its windows are closed.
    Late,
    /// It has no windows.
    Gap,
}

/// How far the windows of a grid are, as numbers of windows, so that a row costs no arithmetic on times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GridProgress {
    /// Windows before this have fired, or will before the next row.
    pub(crate) fired_until: i64,
    /// Windows before this take no rows.
    pub(crate) closed_until: i64,
}

impl GridProgress {
    /// Nothing has fired.
    pub(crate) const fn new() -> Self {
        Self {
            fired_until: i64::MIN,
            closed_until: i64::MIN,
        }
    }

    /// Time has come this far.
    pub(crate) fn advance(&mut self, grid: &PaneGrid, progress: &Progress) {
        let Progress {
            watermark,
            lateness_ms,
            ..
        } = *progress;
        let fired = grid.first_not_over(watermark, |end| progress.has_reached(end));
        let closed = grid.first_not_over(watermark - lateness_ms, |end| progress.has_closed(end));
        self.fired_until = self.fired_until.max(fired);
        self.closed_until = self.closed_until.max(closed);
    }

    /// How rows of a pane are treated.
    pub(crate) fn state_of(&self, grid: &PaneGrid, pane: i64) -> PaneState {
        let (first, last) = (grid.first_window(pane), grid.last_window(pane));
        if first > last {
            PaneState::Gap
        } else if last < self.closed_until {
            PaneState::Late
        } else if first.max(self.closed_until) < self.fired_until {
            PaneState::Fired
        } else {
            PaneState::Open
        }
    }

    /// The windows of a pane that have fired and take rows still.
    pub(crate) fn fired_windows(&self, grid: &PaneGrid, pane: i64) -> std::ops::Range<i64> {
        let first = grid.first_window(pane).max(self.closed_until);
        first..(grid.last_window(pane) + 1).min(self.fired_until)
    }
}
