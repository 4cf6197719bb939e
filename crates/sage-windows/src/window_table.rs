//! The bookkeeping of windows: keys, batches, progress.

use sage_frame::BatchView;
use sage_state::KeyTable;
use sage_types::{ErrorCode, Result, SageError};

use crate::count_panes::CountPanes;
use crate::dense_panes::DensePanes;
use crate::progress::Progress;
use crate::row_report::RowReport;
use crate::time_panes::TimePanes;
use crate::trigger_rule::TriggerRule;
use crate::triggered_windows::{Assigner, TriggeredWindows};
use crate::window_spec::malformed;
use crate::{Accumulation, AssignerSpec, MAX_TIME_MS, PaneAccumulators, TimeKind, WindowSpec};

/// At so many results a call stops in the middle of a batch.
const MAX_HELD_RESULTS: usize = 4096;

/// What windows have counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WindowCounts {
    /// Rows that came after all of their windows had closed. They changed nothing.
    pub late_rows: u64,
    /// Rows that belong to no window, because the windows have gaps between them.
    pub gap_rows: u64,
    /// Keys that have something.
    pub keys: usize,
    /// When the caller's clock should be told next, in milliseconds; none when no result waits for it.
    pub next_processing_ms: Option<f64>,
}

/// One of the ways to keep windows.
#[derive(Debug)]
enum Book {
    Dense(DensePanes),
    Time(TimePanes),
    Count(CountPanes),
    Triggered(TriggeredWindows),
}

/// The windows of a keyed stream, or of a whole stream.
///
/// The caller adds batches ([`WindowTable::add`]), says how far time has come ([`WindowTable::advance`]), and takes what is
/// due ([`WindowTable::fire`]) until nothing is, before it adds again.
#[derive(Debug)]
pub struct WindowTable<A> {
    keyed: bool,
    time: TimeKind,
    keys: KeyTable,
    /// Slots of the batch at hand.
    slots: Vec<u32>,
    book: Book,
    accumulators: A,
    report: RowReport,
    progress: Progress,
    late_rows: u64,
    is_finished: bool,
}

impl<A: PaneAccumulators> WindowTable<A> {
    /// Windows without rows.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when the spec is malformed.
    pub fn new(spec: &WindowSpec, accumulators: A) -> Result<Self> {
        let progress = Progress {
            watermark: f64::NEG_INFINITY,
            now_ms: f64::NEG_INFINITY,
            told_ms: f64::NEG_INFINITY,
            lateness_ms: spec.allowed_lateness_ms,
        };
        let book = match (spec.grid()?, &spec.assigner) {
            (Some(grid), AssignerSpec::Count { slide, .. }) => {
                Book::Count(CountPanes::new(grid, *slide, accumulators.merges_panes()))
            }
            (Some(grid), _) if spec.has_panes() && DensePanes::suits(&grid, spec.allowed_lateness_ms) => {
                Book::Dense(DensePanes::new(grid))
            }
            (Some(grid), _) if spec.has_panes() => Book::Time(TimePanes::new(
                grid,
                accumulators.merges_panes(),
                spec.allowed_lateness_ms,
            )),
            (grid, assigner) => {
                let assigner = match (grid, assigner) {
                    (Some(grid), _) => Assigner::Grid(grid),
                    (None, AssignerSpec::Session { gap_ms }) => Assigner::Session { gap_ms: *gap_ms },
                    (None, AssignerSpec::Global) => Assigner::Global,
                    (None, _) => return Err(malformed("its windows have no edges")),
                };
                let discards = spec.accumulation == Accumulation::Discarding;
                let rule = TriggerRule::new(&spec.trigger);
                Book::Triggered(TriggeredWindows::new(assigner, rule, discards, progress))
            }
        };
        Ok(Self {
            keyed: spec.keyed,
            time: spec.time,
            keys: KeyTable::new(),
            slots: Vec::new(),
            book,
            accumulators,
            report: RowReport::default(),
            progress,
            late_rows: 0,
            is_finished: false,
        })
    }

    /// Adds the rows of a batch from row `from` on. Where to go on: the number of rows, or less when so many results are there
    /// that they have to be taken first; then the same batch is given again.
    ///
    /// `times` are the times of the rows in event time; they are ignored for processing time and windows of elements.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` when the batch has no key or lacks a column, `SAGE_FORMAT_BATCH` when a key is not in canonical form,
    /// `SAGE_AGGREGATE_INPUT` when a column does not hold numbers, `SAGE_INTERNAL` when a time is none or outside of
    /// ±[`MAX_TIME_MS`], when something is due, and after [`WindowTable::finish`]. Nothing has changed then.
    pub fn add(&mut self, view: &BatchView<'_>, times: &[f64], from: usize, now_ms: f64) -> Result<usize> {
        if self.is_finished || self.has_more() {
            return Err(SageError::new(
                ErrorCode::Internal,
                "rows were added to windows before all that was due had been taken, or after the end",
            ));
        }
        self.check_clock(now_ms)?;
        let needs_times = self.time == TimeKind::Event && !matches!(self.book, Book::Count(_));
        if needs_times {
            check_times(times, view.rows())?;
        }
        self.accumulators.begin_batch(view)?;
        if self.keyed {
            self.keys.slots_for(view, &mut self.slots)?;
        } else {
            self.slots.clear();
            self.slots.resize(view.rows(), 0);
        }
        self.set_clock(now_ms);
        let slots = if self.keyed { self.keys.slot_count() } else { 1 };
        let next = self.add_slots(slots, needs_times.then_some(times), from);
        self.accumulators.end_batch();
        self.forget_refused(next);
        self.late_rows += self.report.late.len() as u64;
        Ok(next)
    }

    fn add_slots(&mut self, slot_count: usize, times: Option<&[f64]>, from: usize) -> usize {
        let Self {
            book,
            slots,
            accumulators,
            report,
            progress,
            ..
        } = self;
        report.late.clear();
        let now_ms = progress.now_ms;
        match book {
            Book::Count(panes) => {
                panes.grow_to(slot_count);
                panes.add_rows(slots, from, MAX_HELD_RESULTS, accumulators, report)
            }
            Book::Time(panes) => {
                panes.grow_to(slot_count);
                match times {
                    Some(times) => panes.add_rows(
                        slots,
                        |row| times[row],
                        from,
                        MAX_HELD_RESULTS,
                        accumulators,
                        report,
                    ),
                    None => panes.add_rows(slots, |_| now_ms, from, MAX_HELD_RESULTS, accumulators, report),
                }
            }
            Book::Dense(panes) => {
                panes.grow_to(slot_count);
                match times {
                    Some(times) => panes.add_rows(
                        slots,
                        |row| times[row],
                        from,
                        MAX_HELD_RESULTS,
                        accumulators,
                        report,
                    ),
                    None => panes.add_rows(slots, |_| now_ms, from, MAX_HELD_RESULTS, accumulators, report),
                }
            }
            Book::Triggered(windows) => {
                windows.grow_to(slot_count);
                windows.advance(progress);
                let time_of = |row: usize| times.map_or(now_ms, |times| times[row]);
                windows.add_rows(slots, time_of, from, MAX_HELD_RESULTS, accumulators, report)
            }
        }
    }

    /// Keys got slots that need none: those of late rows, and of rows that have to come again.
    fn forget_refused(&mut self, next: usize) {
        let again = self.slots.get(next..).unwrap_or_default();
        for &slot in self.report.refused_slots.iter().chain(again) {
            if self.keyed && !self.book.has_rows(slot) {
                self.keys.remove(slot);
            }
        }
        self.report.refused_slots.clear();
    }

    /// The rows of the last [`WindowTable::add`] that came after all of their windows had closed.
    #[must_use]
    pub fn late(&self) -> &[u32] {
        &self.report.late
    }

    /// Time has come this far: no row before the watermark is expected, and the caller's clock shows `now_ms`. Neither goes
    /// back. With processing time the watermark is ignored: windows are due when the clock shows their end.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for NaN.
    pub fn advance(&mut self, watermark: f64, now_ms: f64) -> Result<()> {
        if watermark.is_nan() {
            return Err(SageError::new(ErrorCode::Internal, "a watermark is not a number"));
        }
        self.check_clock(now_ms)?;
        self.set_clock(now_ms);
        self.progress.told_ms = self.progress.now_ms;
        let reached = match self.time {
            TimeKind::Event => watermark,
            // Rows of this very moment belong to windows that start now, not to those that end.
            TimeKind::Processing => self.progress.now_ms - 1.0,
        };
        self.progress.watermark = self.progress.watermark.max(reached);
        self.book.advance(&self.progress);
        Ok(())
    }

    /// No more rows come: everything that is open is due.
    pub fn finish(&mut self) {
        if self.is_finished {
            return;
        }
        self.is_finished = true;
        self.progress.watermark = f64::INFINITY;
        self.book.advance(&self.progress);
        if let Book::Count(panes) = &mut self.book {
            panes.finish();
        }
    }

    /// Gives what is due to the accumulators, up to `max_results` results that are not taken away.
    pub fn fire(&mut self, max_results: usize) {
        let max_results = max_results.max(1);
        let (accumulators, report) = (&mut self.accumulators, &mut self.report);
        match &mut self.book {
            Book::Dense(panes) => panes.fire(max_results, accumulators, report),
            Book::Time(panes) => panes.fire(max_results, accumulators, report),
            Book::Count(panes) => panes.fire(max_results, accumulators, report),
            Book::Triggered(windows) => windows.fire(max_results, accumulators, report),
        }
        self.release_keys();
    }

    /// Whether results are there or due.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.accumulators.is_taken() || self.book.is_due()
    }

    /// Calls `take` with the accumulators, to take results away, and the keys of the slots, for keyed streams.
    pub fn take<R>(&mut self, take: impl FnOnce(&mut A, Option<&KeyTable>) -> R) -> R {
        let taken = take(&mut self.accumulators, self.keyed.then_some(&self.keys));
        self.release_keys();
        taken
    }

    /// Results name keys by their slots: keys go when all results have been taken.
    fn release_keys(&mut self) {
        if !self.accumulators.is_taken() {
            return;
        }
        for slot in self.report.dropped_slots.drain(..) {
            if self.keyed {
                self.keys.remove(slot);
            }
        }
    }

    /// The accumulators.
    #[must_use]
    pub const fn accumulators(&self) -> &A {
        &self.accumulators
    }

    /// What windows have counted so far.
    #[must_use]
    pub fn counts(&self) -> WindowCounts {
        let (timer, end) = match &self.book {
            Book::Dense(panes) => (None, panes.next_end()),
            Book::Time(panes) => (None, panes.next_end()),
            Book::Count(_) => (None, None),
            Book::Triggered(windows) => (windows.next_timer(), windows.next_end()),
        };
        let end = end.filter(|end| self.time == TimeKind::Processing && end.is_finite());
        WindowCounts {
            late_rows: self.late_rows,
            gap_rows: self.report.gaps,
            keys: if self.keyed {
                self.keys.len()
            } else {
                usize::from(self.book.has_rows(0))
            },
            next_processing_ms: timer.into_iter().chain(end).reduce(f64::min),
        }
    }

    /// Bytes of memory held; looks at every key.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        let book = match &self.book {
            Book::Dense(panes) => panes.bytes_used(),
            Book::Time(panes) => panes.bytes_used(),
            Book::Count(panes) => panes.bytes_used(),
            Book::Triggered(windows) => windows.bytes_used(),
        };
        self.keys.bytes_used()
            + self.slots.capacity() * size_of::<u32>()
            + self.accumulators.bytes_used()
            + self.report.bytes_used()
            + book
    }

    fn check_clock(&self, now_ms: f64) -> Result<()> {
        let is_needed = self.time == TimeKind::Processing;
        if now_ms.is_nan() || (is_needed && now_ms.abs() > MAX_TIME_MS) {
            return Err(SageError::new(
                ErrorCode::Internal,
                format!("the clock of windows shows {now_ms}"),
            ));
        }
        Ok(())
    }

    fn set_clock(&mut self, now_ms: f64) {
        self.progress.now_ms = self.progress.now_ms.max(now_ms);
    }
}

impl Book {
    fn advance(&mut self, progress: &Progress) {
        match self {
            Self::Dense(panes) => panes.advance(progress),
            Self::Time(panes) => panes.advance(progress),
            Self::Count(_) => {}
            Self::Triggered(windows) => windows.advance(progress),
        }
    }

    fn is_due(&self) -> bool {
        match self {
            Self::Dense(panes) => panes.is_due(),
            Self::Time(panes) => panes.is_due(),
            Self::Count(panes) => panes.is_due(),
            Self::Triggered(windows) => windows.is_due(),
        }
    }

    fn has_rows(&self, slot: u32) -> bool {
        match self {
            Self::Dense(panes) => panes.has_rows(slot),
            Self::Time(panes) => panes.has_rows(slot),
            Self::Count(panes) => panes.has_rows(slot),
            Self::Triggered(windows) => windows.has_rows(slot),
        }
    }
}

/// Where the times of a batch are checked: nothing behind this meets another one.
fn check_times(times: &[f64], rows: usize) -> Result<()> {
    if times.len() < rows {
        return Err(
            SageError::new(ErrorCode::Internal, "a batch has fewer times than rows")
                .with("rows", rows)
                .with("times", times.len()),
        );
    }
    let dates = -MAX_TIME_MS..=MAX_TIME_MS;
    let is_bad = |time: &f64| !dates.contains(time);
    match times[..rows].iter().position(is_bad) {
        None => Ok(()),
        Some(row) => Err(SageError::new(
            ErrorCode::Internal,
            format!("the time of row {row} is {}, which no date can have", times[row]),
        )
        .with("row", row)),
    }
}
