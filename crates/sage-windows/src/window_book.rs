//! The ways to keep windows.

use sage_state::SavedBytes;
use sage_types::Result;

use crate::assigner::Assigner;
use crate::count_panes::CountPanes;
use crate::dense_panes::DensePanes;
use crate::progress::Progress;
use crate::row_report::RowReport;
use crate::saved_key::KeySink;
use crate::time_panes::TimePanes;
use crate::trigger_rule::TriggerRule;
use crate::triggered_windows::TriggeredWindows;
use crate::{Accumulation, AssignerSpec, PaneAccumulators, WindowSpec};

/// One of the ways to keep windows.
#[derive(Debug)]
pub(crate) enum WindowBook {
    /// Windows of few panes, pane by pane.
    Dense(DensePanes),
    /// Windows of many panes, key by key.
    Time(TimePanes),
    /// Windows of elements.
    Count(CountPanes),
    /// Windows with an accumulator each.
    Triggered(TriggeredWindows),
}

/// The rows of a batch that are to be added.
#[derive(Debug)]
pub(crate) struct BookRows<'a> {
    pub(crate) slots: &'a [u32],
    /// None when all have the time of the clock, or need none.
    pub(crate) times: Option<&'a [f64]>,
    pub(crate) now_ms: f64,
    /// The first row to add.
    pub(crate) from: usize,
}

/// Calls `$call` with whatever keeps the windows.
macro_rules! each {
    ($book:expr, |$windows:ident| $call:expr) => {
        match $book {
            WindowBook::Dense($windows) => $call,
            WindowBook::Time($windows) => $call,
            WindowBook::Count($windows) => $call,
            WindowBook::Triggered($windows) => $call,
        }
    };
}

impl WindowBook {
    /// Windows without rows.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when the spec is malformed.
    pub(crate) fn new<A: PaneAccumulators>(
        spec: &WindowSpec,
        progress: Progress,
        accumulators: &A,
    ) -> Result<Self> {
        let grid = spec.grid()?;
        let max_panes = accumulators.max_panes_of_result();
        let has_many_panes = |grid: &crate::pane_grid::PaneGrid| grid.panes_per_window() > max_panes;
        let with_stacks = grid.as_ref().is_some_and(has_many_panes) && accumulators.merges_panes();
        let lateness_ms = spec.allowed_lateness_ms;
        Ok(match (grid, &spec.assigner) {
            (Some(grid), AssignerSpec::Count { slide, .. }) => {
                Self::Count(CountPanes::new(grid, *slide, with_stacks))
            }
            (Some(grid), _) if spec.has_panes() && DensePanes::suits(&grid, lateness_ms, max_panes) => {
                Self::Dense(DensePanes::new(grid))
            }
            (Some(grid), _) if spec.has_panes() => Self::Time(TimePanes::new(grid, with_stacks, lateness_ms)),
            (grid, assigner) => Self::Triggered(TriggeredWindows::new(
                Assigner::new(assigner, grid)?,
                TriggerRule::new(&spec.trigger),
                spec.accumulation == Accumulation::Discarding,
                progress,
            )),
        })
    }

    /// Whether windows depend on the times of rows.
    pub(crate) const fn needs_times(&self) -> bool {
        !matches!(self, Self::Count(_))
    }

    /// Makes room for slots up to `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        each!(self, |windows| windows.grow_to(slots));
    }

    /// Adds rows until enough results are there; where to go on.
    pub(crate) fn add_rows<A: PaneAccumulators>(
        &mut self,
        rows: &BookRows<'_>,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) -> usize {
        let BookRows {
            slots,
            times,
            now_ms,
            from,
        } = *rows;
        // A loop of its own for each: the times of rows are read where nothing else is done.
        let (of_clock, of_rows) = (|_| now_ms, |row: usize| times.map_or(now_ms, |times| times[row]));
        match (self, times) {
            (Self::Count(panes), _) => panes.add_rows(slots, from, max_results, accumulators, report),
            (Self::Dense(panes), None) => {
                panes.add_rows(slots, of_clock, from, max_results, accumulators, report)
            }
            (Self::Dense(panes), Some(times)) => {
                panes.add_rows(slots, |row| times[row], from, max_results, accumulators, report)
            }
            (Self::Time(panes), _) => panes.add_rows(slots, of_rows, from, max_results, accumulators, report),
            (Self::Triggered(windows), _) => {
                windows.add_rows(slots, of_rows, from, max_results, accumulators, report)
            }
        }
    }

    /// Time has come this far.
    pub(crate) fn advance(&mut self, progress: &Progress) {
        match self {
            Self::Dense(panes) => panes.advance(progress),
            Self::Time(panes) => panes.advance(progress),
            Self::Triggered(windows) => windows.advance(progress),
            // The time of a key is the number of its elements.
            Self::Count(_) => {}
        }
    }

    /// No more rows come, after [`WindowBook::advance`] to the end of time.
    pub(crate) fn finish(&mut self) {
        if let Self::Count(panes) = self {
            panes.finish();
        }
    }

    /// Gives results that are due until there are `max_results`.
    pub(crate) fn fire<A: PaneAccumulators>(
        &mut self,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        each!(self, |windows| windows.fire(max_results, accumulators, report));
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        each!(self, |windows| windows.is_due())
    }

    /// Whether a slot has rows.
    pub(crate) fn has_rows(&self, slot: u32) -> bool {
        each!(self, |windows| windows.has_rows(slot))
    }

    /// The end of the next window that something is done for.
    pub(crate) fn next_end(&self) -> Option<f64> {
        match self {
            Self::Dense(panes) => panes.next_end(),
            Self::Time(panes) => panes.next_end(),
            Self::Triggered(windows) => windows.next_end(),
            Self::Count(_) => None,
        }
    }

    /// When the next clock runs out.
    pub(crate) fn next_timer(&self) -> Option<f64> {
        match self {
            Self::Triggered(windows) => windows.next_timer(),
            Self::Dense(_) | Self::Time(_) | Self::Count(_) => None,
        }
    }

    /// How it keeps windows: what one of them has saved, another cannot read.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense panes",
            Self::Time(_) => "time panes",
            Self::Count(_) => "count panes",
            Self::Triggered(_) => "triggered",
        }
    }

    /// Writes the number of a key that has rows, and what else there is of it. Nothing is due.
    pub(crate) fn save_key(&self, slot: u32, sink: &mut impl KeySink) {
        each!(self, |windows| windows.save_key(slot, sink));
    }

    /// Reads what [`WindowBook::save_key`] wrote behind the number: a key has the next one here.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn restore_key<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<()> {
        each!(self, |windows| windows.restore_key(slot, saved, accumulators))
    }

    /// Bytes of memory held; may look at every key.
    pub(crate) fn bytes_used(&self) -> usize {
        each!(self, |windows| windows.bytes_used())
    }
}
