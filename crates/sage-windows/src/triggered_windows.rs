//! Windows with an accumulator each: sessions, global windows, and all that have a trigger of their own or discard what they
//! have shown.

mod saved;

use std::collections::BTreeSet;

use sage_types::TimeMs;

use crate::PaneAccumulators;
use crate::assigner::Assigner;
use crate::key_windows::KeyWindows;
use crate::progress::Progress;
use crate::row_report::RowReport;
use crate::schedule::Schedule;
use crate::slot_list::SlotList;
use crate::trigger_rule::TriggerRule;
use crate::window_due::{WindowDue, WindowTask};

#[derive(Debug, Default)]
struct TriggeredKey {
    windows: KeyWindows,
    /// Order in which keys got their first row; differs from slots, which are used again.
    number: u64,
    /// When the key is entered in the schedules. A session that has grown since is entered again at that time.
    next_fire: Option<TimeMs>,
    next_close: Option<TimeMs>,
    next_timer: Option<TimeMs>,
}

/// The windows of all keys.
#[derive(Debug)]
pub(crate) struct TriggeredWindows {
    assigner: Assigner,
    rule: TriggerRule,
    discards: bool,
    /// Whether windows close when they fire.
    closes_at_once: bool,
    progress: Progress,
    /// Windows of a grid before this take no rows.
    closed_until: i64,
    keys: SlotList<TriggeredKey>,
    next_number: u64,
    fires: Schedule<TimeMs>,
    closes: Schedule<TimeMs>,
    timers: BTreeSet<(TimeMs, u32)>,
    /// What is due next, the first one last.
    due: Vec<WindowDue>,
}

impl TriggeredWindows {
    /// No keys yet.
    pub(crate) fn new(assigner: Assigner, rule: TriggerRule, discards: bool, progress: Progress) -> Self {
        Self {
            closes_at_once: rule.at_end && progress.lateness_ms == 0.0,
            assigner,
            rule,
            // JavaScript discards what it likes.
            discards: discards && !rule.is_custom,
            progress,
            closed_until: i64::MIN,
            keys: SlotList::new(),
            next_number: 0,
            fires: Schedule::new(),
            closes: Schedule::new(),
            timers: BTreeSet::new(),
            due: Vec::new(),
        }
    }

    /// Makes room for slots up to `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        self.keys.grow_to(slots);
    }

    /// Adds rows from `from` on until enough results are there; where to go on.
    pub(crate) fn add_rows<A: PaneAccumulators>(
        &mut self,
        slots: &[u32],
        time_of: impl Fn(usize) -> f64,
        from: usize,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) -> usize {
        for (row, &slot) in (0_u32..).zip(slots).skip(from) {
            let time = time_of(row as usize);
            match self.assigner {
                Assigner::Grid(_) => self.add_to_grid(slot, row, time, accumulators, report),
                Assigner::Session { gap_ms } => {
                    self.add_to_session(slot, row, time, time + gap_ms, accumulators, report);
                }
                Assigner::Global => {
                    self.add_to_window(slot, row, f64::NEG_INFINITY, f64::INFINITY, accumulators);
                }
            }
            if accumulators.is_full(max_results) {
                return row as usize + 1;
            }
        }
        slots.len()
    }

    fn add_to_grid<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        row: u32,
        time: f64,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        let Assigner::Grid(grid) = &self.assigner else {
            return;
        };
        let (pane, ..) = grid.pane_at(time);
        let (first, last) = (grid.first_window(pane), grid.last_window(pane));
        if first > last {
            report.gap(slot);
        } else if last < self.closed_until {
            report.late(row, slot);
        }
        for window in first.max(self.closed_until)..=last {
            let Assigner::Grid(grid) = &self.assigner else {
                return;
            };
            let (start, end) = (grid.window_start(window), grid.window_end(window));
            self.add_to_window(slot, row, start, end, accumulators);
        }
    }

    fn add_to_window<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        row: u32,
        start: f64,
        end: f64,
        accumulators: &mut A,
    ) {
        self.begin_key(slot, row, accumulators);
        let index = self.keys.get_mut(slot).windows.find_or_open(start, end);
        self.add_row(slot, row, index, false, accumulators);
    }

    fn add_to_session<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        row: u32,
        start: f64,
        end: f64,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        let windows = &mut self.keys.get_mut(slot).windows;
        let sessions = windows.overlapping(start, end);
        let index = sessions.start;
        if sessions.is_empty() {
            if self.progress.has_closed(end) {
                report.late(row, slot);
            } else {
                self.add_to_window(slot, row, start, end, accumulators);
            }
            return;
        }
        let has_grown = windows.merge_sessions(sessions, start, end, accumulators);
        self.add_row(slot, row, index, has_grown, accumulators);
    }

    fn begin_key<A: PaneAccumulators>(&mut self, slot: u32, row: u32, accumulators: &mut A) {
        let key = self.keys.get_mut(slot);
        if key.windows.is_empty() {
            key.number = self.next_number;
            self.next_number += 1;
            accumulators.key(slot, row);
        }
    }

    /// Adds a row to a window, and gives its result if the trigger says so.
    fn add_row<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        row: u32,
        index: usize,
        has_grown: bool,
        accumulators: &mut A,
    ) {
        let key = self.keys.get_mut(slot);
        let window = key.windows.get_mut(index);
        let is_new = window.accumulator.is_none();
        let accumulator = *window.accumulator.get_or_insert_with(|| accumulators.open());
        if self.rule.is_custom && (is_new || has_grown) {
            accumulators.stands_for(accumulator, slot, window.start, window.end);
        }
        accumulators.add(row, accumulator);
        window.unshown += 1;
        let end = window.end;
        let is_reached = self.progress.has_reached(end);
        let has_enough = self
            .rule
            .every
            .is_some_and(|every| window.unshown >= u64::from(every));
        if has_enough || (self.rule.at_end && is_reached) {
            window.show(slot, self.discards, accumulators);
        } else if let (Some(every_ms), None) = (self.rule.every_ms, window.timer) {
            window.timer = TimeMs::new(self.progress.now_ms + every_ms);
        }
        let timer = window.timer;
        // Windows that have fired stay until they close; see below.
        if self.rule.at_end && !is_reached && key.next_fire.is_none_or(|at| end < at.get()) {
            key.next_fire = TimeMs::new(end);
            self.fires.push(key.next_fire.unwrap_or(TimeMs::MAX), slot);
        }
        if !self.closes_at_once && key.next_close.is_none_or(|at| end < at.get()) {
            key.next_close = TimeMs::new(end);
            self.closes.push(key.next_close.unwrap_or(TimeMs::MAX), slot);
        }
        if let Some(timer) = timer
            && key.next_timer.is_none_or(|at| timer < at)
        {
            if let Some(before) = key.next_timer.replace(timer) {
                self.timers.remove(&(before, slot));
            }
            self.timers.insert((timer, slot));
        }
    }

    /// Time has come this far.
    pub(crate) fn advance(&mut self, progress: &Progress) {
        self.progress = *progress;
        if let Assigner::Grid(grid) = &self.assigner {
            let around = progress.watermark - progress.lateness_ms;
            let closed = grid.first_not_over(around, |end| progress.has_closed(end));
            self.closed_until = self.closed_until.max(closed);
        }
    }

    /// Gives results that are due until there are `max_results`.
    pub(crate) fn fire<A: PaneAccumulators>(
        &mut self,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        while !accumulators.is_full(max_results) {
            if let Some(due) = self.due.pop() {
                self.perform(due, accumulators, report);
            } else if !self.collect_due(report) {
                return;
            }
        }
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        let Progress { told_ms, .. } = self.progress;
        !self.due.is_empty()
            || self.timers.first().is_some_and(|(at, _)| at.get() <= told_ms)
            || self
                .fires
                .next()
                .is_some_and(|at| self.progress.has_reached(at.get()))
            || self
                .closes
                .next()
                .is_some_and(|at| self.progress.has_closed(at.get()))
    }

    /// Collects the windows that are due at the next time: clocks first, then ends, then closes. Whether there was such a time.
    fn collect_due(&mut self, report: &mut RowReport) -> bool {
        if let Some(&(at, _)) = self.timers.first()
            && at.get() <= self.progress.told_ms
        {
            self.collect_timers(at, report);
            return true;
        }
        let progress = self.progress;
        if let Some((at, slots)) = self.fires.pop(|at| progress.has_reached(at.get())) {
            for slot in slots {
                let key = self.keys.get_mut(slot);
                // Else a window with an earlier end came, or an earlier key had this slot.
                if key.next_fire == Some(at) {
                    report.changed.note(slot);
                    let windows = key.windows.with_end(at.get());
                    self.due
                        .extend(windows.map(|window| window.due(WindowTask::Fire, slot, key.number)));
                    key.next_fire = key.windows.next_end_after(at.get());
                    if let Some(next) = key.next_fire {
                        self.fires.push(next, slot);
                    }
                }
            }
            WindowDue::sort_last_first(&mut self.due);
            return true;
        }
        if let Some((at, slots)) = self.closes.pop(|at| progress.has_closed(at.get())) {
            for slot in slots {
                let key = self.keys.get_mut(slot);
                if key.next_close == Some(at) {
                    report.changed.note(slot);
                    let windows = key.windows.with_end(at.get());
                    self.due
                        .extend(windows.map(|window| window.due(WindowTask::Close, slot, key.number)));
                    key.next_close = key.windows.next_end_after(at.get());
                    if let Some(next) = key.next_close {
                        self.closes.push(next, slot);
                    }
                }
            }
            WindowDue::sort_last_first(&mut self.due);
            return true;
        }
        false
    }

    fn collect_timers(&mut self, at: TimeMs, report: &mut RowReport) {
        while let Some(&(first, slot)) = self.timers.first()
            && first == at
        {
            self.timers.pop_first();
            report.changed.note(slot);
            let key = self.keys.get_mut(slot);
            let mut next = None;
            for window in key.windows.iter_mut() {
                if window.timer == Some(at) {
                    window.timer = None;
                    self.due.push(window.due(WindowTask::Timer, slot, key.number));
                }
                next = next.into_iter().chain(window.timer).min();
            }
            key.next_timer = next;
            self.timers.extend(next.map(|next| (next, slot)));
        }
        WindowDue::sort_last_first(&mut self.due);
    }

    fn perform<A: PaneAccumulators>(&mut self, due: WindowDue, accumulators: &mut A, report: &mut RowReport) {
        let key = self.keys.get_mut(due.slot);
        let Some(index) = key.windows.find(due.start, due.end) else {
            return;
        };
        let window = key.windows.get_mut(index);
        let shows = match due.task {
            // All that there is, also when it was shown before: the result at the end is the one that counts.
            WindowTask::Fire => true,
            // With the result at the end about to come, one before it says nothing.
            WindowTask::Timer => {
                window.unshown > 0 && !(self.rule.at_end && self.progress.has_reached(window.end))
            }
            // What no trigger has shown.
            WindowTask::Close => window.unshown > 0 && !self.rule.is_custom,
        };
        if shows {
            window.show(due.slot, self.discards, accumulators);
        }
        let closes = due.task == WindowTask::Close || (due.task == WindowTask::Fire && self.closes_at_once);
        if !closes {
            return;
        }
        let window = key.windows.remove(index);
        if let Some(accumulator) = window.accumulator {
            accumulators.free(accumulator);
        }
        if key.windows.is_empty() {
            if let Some(timer) = key.next_timer {
                self.timers.remove(&(timer, due.slot));
            }
            *key = TriggeredKey::default();
            accumulators.drop_key(due.slot);
            report.dropped_slots.push(due.slot);
        }
    }

    /// Whether a slot has rows.
    pub(crate) fn has_rows(&self, slot: u32) -> bool {
        self.keys.find(slot).is_some_and(|key| !key.windows.is_empty())
    }

    /// When something is done for the next window: it fires at its end, and closes so much later.
    pub(crate) fn next_end(&self) -> Option<f64> {
        let fires = self.fires.next().map(TimeMs::get);
        let closes = self
            .closes
            .next()
            .map(|end| end.get() + self.progress.lateness_ms);
        fires.into_iter().chain(closes).reduce(f64::min)
    }

    /// When the next clock runs out.
    pub(crate) fn next_timer(&self) -> Option<f64> {
        self.timers.first().map(|(at, _)| at.get())
    }

    /// Bytes of memory held; looks at every key.
    pub(crate) fn bytes_used(&self) -> usize {
        let windows: usize = self.keys.iter().map(|(_, key)| key.windows.bytes_used()).sum();
        windows
            + self.keys.bytes_used()
            + self.fires.bytes_used()
            + self.closes.bytes_used()
            + self.timers.len() * size_of::<(TimeMs, u32)>()
            + self.due.capacity() * size_of::<WindowDue>()
    }
}
