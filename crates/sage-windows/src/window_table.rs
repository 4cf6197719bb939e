//! The bookkeeping of windows: keys, batches, progress.

use sage_frame::BatchView;
use sage_state::{KeyTable, SavedBytes, SlotChanges, damaged};
use sage_types::{ErrorCode, Result, SageError};

use crate::progress::Progress;
use crate::row_report::RowReport;
use crate::window_book::{BookRows, WindowBook};
use crate::{MAX_TIME_MS, PaneAccumulators, TimeKind, WindowSpec};

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
    book: WindowBook,
    accumulators: A,
    report: RowReport,
    progress: Progress,
    late_rows: u64,
    is_finished: bool,
    /// What the windows are, for checkpoints.
    signature: String,
    has_progress: bool,
    /// What was saved by the last call of [`WindowTable::save_changes`], until its accumulators are listed.
    saved_changes: Option<SlotChanges>,
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
        let book = WindowBook::new(spec, progress, &accumulators)?;
        let book_name = book.name();
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
            signature: spec.signature(book_name),
            has_progress: false,
            saved_changes: None,
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
        let needs_times = self.time == TimeKind::Event && self.book.needs_times();
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
        self.book.grow_to(slots);
        // The clock may set timers, but only `advance` lets them run out.
        self.book.advance(&self.progress);
        self.report.late.clear();
        let rows = BookRows {
            slots: &self.slots,
            times: needs_times.then_some(times),
            now_ms: self.progress.now_ms,
            from,
        };
        let next = self
            .book
            .add_rows(&rows, MAX_HELD_RESULTS, &mut self.accumulators, &mut self.report);
        self.accumulators.end_batch();
        self.report.changed.note_all(&self.slots[from.min(next)..next]);
        self.forget_refused(next);
        self.late_rows += self.report.late.len() as u64;
        Ok(next)
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
            TimeKind::Processing => self.progress.now_ms,
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
        self.book.finish();
    }

    /// Gives what is due to the accumulators, up to `max_results` results that are not taken away.
    pub fn fire(&mut self, max_results: usize) {
        let max_results = max_results.max(1);
        self.book
            .fire(max_results, &mut self.accumulators, &mut self.report);
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
        let keys = &mut self.keys;
        for slot in self.report.dropped_slots.drain(..) {
            // A stream without keys has one that has no bytes.
            self.report.changed.note_gone(|key| {
                keys.append_canonical(slot, key);
            });
            if self.keyed {
                keys.remove(slot);
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
        let (timer, end) = (self.book.next_timer(), self.book.next_end());
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

    /// Everything is saved.
    pub(crate) fn restart_changes(&mut self) {
        self.report.changed.restart();
        self.saved_changes = None;
    }

    /// Everything has to be saved next.
    pub(crate) fn stop_changes(&mut self) {
        self.report.changed.stop();
        self.saved_changes = None;
    }

    /// What has changed since everything or this was saved last; none when everything is to be saved.
    pub(crate) fn take_changes(&mut self) -> Option<SlotChanges> {
        let (kept, book) = (self.counts().keys, &self.book);
        self.report.changed.take(kept, |slot| book.has_rows(slot))
    }

    pub(crate) const fn saved_changes_mut(&mut self) -> &mut Option<SlotChanges> {
        &mut self.saved_changes
    }

    pub(crate) const fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(crate) fn signature(&self) -> &str {
        &self.signature
    }

    pub(crate) const fn book(&self) -> &WindowBook {
        &self.book
    }

    /// How far event time has come; with processing time, the clock.
    #[must_use]
    pub const fn watermark(&self) -> f64 {
        self.progress.watermark
    }

    /// Whether rows may have this time of a clock, which may not have been told yet.
    pub(crate) fn is_clock(&self, now_ms: f64) -> bool {
        self.time == TimeKind::Event || now_ms == f64::NEG_INFINITY || now_ms.abs() <= MAX_TIME_MS
    }

    /// Slots with rows.
    pub(crate) fn used_slots(&self) -> impl Iterator<Item = u32> + '_ {
        let slots = if self.keyed { self.keys.slot_count() } else { 1 };
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        (0..slots).filter(|&slot| self.book.has_rows(slot))
    }

    /// Appends the key of a slot: nothing, where the stream has none.
    pub(crate) fn append_key(&self, slot: u32, into: &mut Vec<u8>) {
        if self.keyed {
            self.keys.append_canonical(slot, into);
        }
    }

    /// State is restored before anything else comes to it.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when rows or keys have come.
    pub(crate) fn check_unused(&self) -> Result<()> {
        if self.keys.slot_count() == 0 && !self.book.has_rows(0) && !self.is_finished {
            return Ok(());
        }
        Err(SageError::new(
            ErrorCode::Internal,
            "state was restored into windows that have had rows",
        ))
    }

    /// Time has come as far as before a restore; not further than any instance says.
    pub(crate) const fn reach(&mut self, watermark: f64, now_ms: f64, told_ms: f64) {
        let progress = &mut self.progress;
        if self.has_progress {
            progress.watermark = progress.watermark.min(watermark);
            progress.told_ms = progress.told_ms.min(told_ms);
        } else {
            progress.watermark = watermark;
            progress.told_ms = told_ms;
        }
        progress.now_ms = progress.now_ms.max(now_ms);
        self.has_progress = true;
    }

    /// The book hears how far time has come.
    pub(crate) fn catch_up(&mut self) {
        self.book.advance(&self.progress);
    }

    /// Gives a key that is not there a slot, and windows.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn restore_key(&mut self, key: &[u8], saved: &mut SavedBytes<'_>) -> Result<()> {
        let slot = if self.keyed {
            self.keys.add_new(key)?
        } else if key.is_empty() && !self.book.has_rows(0) {
            0
        } else {
            return Err(damaged("a stream without keys has some"));
        };
        self.book.grow_to(slot as usize + 1);
        self.book.restore_key(slot, saved, &mut self.accumulators)
    }

    /// Bytes of memory held; looks at every key.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.keys.bytes_used()
            + self.slots.capacity() * size_of::<u32>()
            + self.accumulators.bytes_used()
            + self.report.bytes_used()
            + self.book.bytes_used()
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
