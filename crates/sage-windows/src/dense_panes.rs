//! Windows of few panes that fire at their end, pane by pane: all keys of a pane are together, so that a row finds its
//! accumulator without touching anything of its key, and a window goes through its panes in order.

mod saved;

use std::ops::Range;

use crate::PaneAccumulators;
use crate::dense_pane::{DensePane, PanePages};
use crate::pane_grid::PaneGrid;
use crate::pane_places::PanePlaces;
use crate::pane_state::{GridProgress, PaneState};
use crate::progress::Progress;
use crate::row_report::RowReport;
use crate::slot_list::SlotList;

/// Panes that wait for late rows beside those of a window: more of them would hold too few keys each.
const MAX_LATE_PANES: f64 = 16.0;

#[derive(Debug, Default)]
struct DenseKey {
    /// Order in which keys got their first row; differs from slots, which are used again.
    number: u64,
    /// Panes that have rows of it.
    panes: u32,
}

/// A window, and where its panes are.
#[derive(Debug, Clone)]
struct DenseWindow {
    number: i64,
    panes: Range<usize>,
    start: f64,
    end: f64,
}

/// What is done for the keys of a group.
#[derive(Debug, Clone)]
enum Task {
    /// The window has come to its end.
    Fire(DenseWindow),
    /// No window is left of the first pane.
    Forget,
}

/// Keys that are due together, in the order of their numbers.
#[derive(Debug)]
struct Group {
    task: Task,
    slots: Vec<u32>,
    next: usize,
}

/// The windows of all keys.
#[derive(Debug)]
pub(crate) struct DensePanes {
    grid: PaneGrid,
    progress: GridProgress,
    /// Windows before this have fired.
    next_window: i64,
    /// By number.
    panes: Vec<DensePane>,
    pages: PanePages,
    keys: SlotList<DenseKey>,
    next_number: u64,
    places: PanePlaces,
    group: Option<Group>,
    /// Memory of the group before.
    spare: Vec<u32>,
    parts: Vec<u32>,
}

impl DensePanes {
    /// Whether there are so few panes at a time that each has many keys.
    pub(crate) fn suits(grid: &PaneGrid, lateness_ms: f64, max_panes_of_result: i64) -> bool {
        let late_panes = lateness_ms / (grid.window_start(1) - grid.window_start(0));
        grid.panes_per_window() <= max_panes_of_result && late_panes <= MAX_LATE_PANES
    }

    /// No keys yet.
    pub(crate) fn new(grid: PaneGrid) -> Self {
        Self {
            grid,
            progress: GridProgress::new(),
            next_window: i64::MIN,
            panes: Vec::new(),
            pages: PanePages::new(),
            keys: SlotList::new(),
            next_number: 0,
            places: PanePlaces::default(),
            group: None,
            spare: Vec::new(),
            parts: Vec::new(),
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
        let mut next = from;
        while next < slots.len() {
            let until = self.place_rows(&time_of, next, slots.len());
            next = self.add_placed_rows(&slots[..until], next, max_results, accumulators, report);
            if next < until {
                break;
            }
        }
        next
    }

    /// Finds the panes of the next rows, and adds those that are not there; the row behind them.
    fn place_rows(&mut self, time_of: impl Fn(usize) -> f64, from: usize, rows: usize) -> usize {
        let times = (from..rows).map(time_of);
        let count = self.places.find(times, &self.grid, &self.progress);
        for number in self.places.to_ensure() {
            let at = self.panes.partition_point(|pane| pane.number < number);
            if self.panes.get(at).is_none_or(|pane| pane.number != number) {
                self.panes.insert(at, DensePane::new(number));
            }
        }
        // Only now: panes that are added move others.
        for (at, pane) in self.panes.iter().enumerate() {
            self.places.set(pane.number, at);
        }
        from + count
    }

    fn add_placed_rows<A: PaneAccumulators>(
        &mut self,
        slots: &[u32],
        from: usize,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) -> usize {
        for (row, &slot) in (0_u32..).zip(slots).skip(from) {
            let (number, at, state) = self.places.get(row as usize - from);
            match state {
                PaneState::Open | PaneState::Fired => {}
                PaneState::Late => {
                    report.late(row, slot);
                    continue;
                }
                PaneState::Gap => {
                    report.gap(slot);
                    continue;
                }
            }
            let accumulator = match self.panes[at].find(slot, &self.pages) {
                Some(accumulator) => accumulator,
                None => self.begin(at, slot, row, accumulators),
            };
            accumulators.add(row, accumulator);
            if state == PaneState::Fired {
                for window in self.progress.fired_windows(&self.grid, number) {
                    let window = self.window(window);
                    self.emit(&window, slot, accumulators);
                }
                if accumulators.is_full(max_results) {
                    return row as usize + 1;
                }
            }
        }
        slots.len()
    }

    /// The first row of a key in a pane.
    #[cold]
    #[inline(never)]
    fn begin<A: PaneAccumulators>(&mut self, at: usize, slot: u32, row: u32, accumulators: &mut A) -> u32 {
        let key = self.keys.get_mut(slot);
        if key.panes == 0 {
            key.number = self.next_number;
            self.next_number += 1;
            accumulators.key(slot, row);
        }
        key.panes += 1;
        let accumulator = self.panes[at].add(slot, &mut self.pages);
        accumulators.init(accumulator);
        accumulator
    }

    /// Gives the result of a window for a key, if it has rows.
    #[inline]
    fn emit<A: PaneAccumulators>(&mut self, window: &DenseWindow, slot: u32, accumulators: &mut A) {
        let panes = &self.panes[window.panes.clone()];
        self.parts.clear();
        self.parts
            .extend(panes.iter().filter_map(|pane| pane.find(slot, &self.pages)));
        if !self.parts.is_empty() {
            accumulators.emit(&self.parts, slot, window.start, window.end);
        }
    }

    fn window(&self, number: i64) -> DenseWindow {
        let numbers = self.grid.panes_of(number);
        let from = self.panes.partition_point(|pane| pane.number < numbers.start);
        let count = self.panes[from..]
            .iter()
            .take_while(|pane| pane.number < numbers.end)
            .count();
        DenseWindow {
            number,
            panes: from..from + count,
            start: self.grid.window_start(number),
            end: self.grid.window_end(number),
        }
    }

    /// Time has come this far.
    pub(crate) fn advance(&mut self, progress: &Progress) {
        self.progress.advance(&self.grid, progress);
        self.skip_empty_windows();
    }

    /// The next window that has rows and is due.
    fn due_window(&self) -> Option<i64> {
        let has_window = |pane: &&DensePane| self.grid.last_window(pane.number) >= self.next_window;
        let pane = self.panes.iter().find(has_window)?;
        let window = self.grid.first_window(pane.number).max(self.next_window);
        (window < self.progress.fired_until).then_some(window)
    }

    /// Windows that have no rows need not fire.
    fn skip_empty_windows(&mut self) {
        if self.group.is_none() && self.due_window().is_none() {
            self.next_window = self.progress.fired_until;
        }
    }

    /// Whether no window is left of the first pane.
    fn is_pane_due(&self) -> bool {
        let until = self.next_window.min(self.progress.closed_until);
        self.panes
            .first()
            .is_some_and(|pane| self.grid.last_window(pane.number) < until)
    }

    /// Gives results that are due until there are `max_results`.
    pub(crate) fn fire<A: PaneAccumulators>(
        &mut self,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        while !accumulators.is_full(max_results) {
            let Some(mut group) = self.group.take().or_else(|| self.next_group()) else {
                return;
            };
            while let Some(&slot) = group.slots.get(group.next)
                && !accumulators.is_full(max_results)
            {
                group.next += 1;
                match &group.task {
                    Task::Fire(window) => self.emit(window, slot, accumulators),
                    Task::Forget => self.forget(slot, accumulators, report),
                }
            }
            if group.next < group.slots.len() {
                self.group = Some(group);
            } else {
                self.end_group(group);
            }
        }
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        self.group.is_some() || self.is_pane_due() || self.due_window().is_some()
    }

    /// Panes go as soon as no window is left of them, and before later windows fire.
    fn next_group(&mut self) -> Option<Group> {
        let mut slots = std::mem::take(&mut self.spare);
        slots.clear();
        if self.is_pane_due() {
            DensePane::append_slots(&self.panes[..1], &self.pages, &mut slots);
            return Some(Group {
                task: Task::Forget,
                slots,
                next: 0,
            });
        }
        let window = self.window(self.due_window()?);
        DensePane::append_slots(&self.panes[window.panes.clone()], &self.pages, &mut slots);
        // Mostly in order already: slots are used again only when keys go.
        let number = |slot: &u32| self.keys.get(*slot).number;
        if !slots.is_sorted_by_key(number) {
            slots.sort_by_cached_key(number);
        }
        Some(Group {
            task: Task::Fire(window),
            slots,
            next: 0,
        })
    }

    fn end_group(&mut self, group: Group) {
        match group.task {
            Task::Fire(window) => self.next_window = window.number + 1,
            Task::Forget => self.panes.remove(0).clear(&mut self.pages),
        }
        self.spare = group.slots;
        self.skip_empty_windows();
    }

    /// Forgets what a key has in the first pane.
    fn forget<A: PaneAccumulators>(&mut self, slot: u32, accumulators: &mut A, report: &mut RowReport) {
        if let Some(accumulator) = self.panes[0].find(slot, &self.pages) {
            accumulators.forget(accumulator);
        }
        report.changed.note(slot);
        let key = self.keys.get_mut(slot);
        key.panes -= 1;
        if key.panes == 0 {
            accumulators.drop_key(slot);
            report.dropped_slots.push(slot);
        }
    }

    /// Whether a slot has rows.
    pub(crate) fn has_rows(&self, slot: u32) -> bool {
        self.keys.find(slot).is_some_and(|key| key.panes > 0)
    }

    /// The end of the next window that fires.
    pub(crate) fn next_end(&self) -> Option<f64> {
        let has_window = |pane: &&DensePane| self.grid.last_window(pane.number) >= self.next_window;
        let pane = self.panes.iter().find(has_window)?;
        let window = self.grid.first_window(pane.number).max(self.next_window);
        Some(self.grid.window_end(window))
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        let panes: usize = self.panes.iter().map(DensePane::bytes_used).sum();
        let group = self.group.as_ref().map_or(0, |group| group.slots.capacity());
        panes
            + self.panes.capacity() * size_of::<DensePane>()
            + self.pages.bytes_used()
            + self.places.bytes_used()
            + self.keys.bytes_used()
            + (group + self.spare.capacity() + self.parts.capacity()) * size_of::<u32>()
    }
}
