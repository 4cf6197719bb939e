//! Windows with fixed edges that fire at their end, key by key: one update a row, however many windows it is in.

mod saved;

use crate::PaneAccumulators;
use crate::key_panes::{KeyPanes, PanedWindow};
use crate::pane_grid::PaneGrid;
use crate::pane_state::{GridProgress, PaneState};
use crate::progress::Progress;
use crate::row_report::RowReport;
use crate::schedule::Schedule;
use crate::slot_list::SlotList;

/// No pane and no window has this number.
const NONE: i64 = i64::MAX;

/// The pane of the last row of a key: most rows need no more.
#[derive(Debug, Clone, Copy)]
struct LastPane {
    number: i64,
    accumulator: u32,
}

impl Default for LastPane {
    fn default() -> Self {
        Self {
            number: NONE,
            accumulator: 0,
        }
    }
}

#[derive(Debug)]
struct PanedKey {
    panes: KeyPanes,
    /// Order in which keys got their first row; differs from slots, which are used again.
    number: u64,
    /// The next window that has rows and has not fired.
    next_fire: i64,
    /// The window with whose close the next panes go.
    next_close: i64,
}

impl Default for PanedKey {
    fn default() -> Self {
        Self {
            panes: KeyPanes::default(),
            number: 0,
            next_fire: NONE,
            next_close: NONE,
        }
    }
}

/// What is done for a key that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Fire,
    Close,
}

/// Keys that are due together, in the order of their numbers.
#[derive(Debug)]
struct Group {
    task: Task,
    window: i64,
    slots: Vec<u32>,
    next: usize,
}

/// The windows of all keys.
#[derive(Debug)]
pub(crate) struct TimePanes {
    grid: PaneGrid,
    with_stacks: bool,
    /// Whether windows close when they fire.
    closes_at_once: bool,
    progress: GridProgress,
    last: SlotList<LastPane>,
    keys: SlotList<PanedKey>,
    next_number: u64,
    fires: Schedule<i64>,
    closes: Schedule<i64>,
    group: Option<Group>,
    parts: Vec<u32>,
}

impl TimePanes {
    /// No keys yet. With stacks, panes are merged in advance.
    pub(crate) fn new(grid: PaneGrid, with_stacks: bool, lateness_ms: f64) -> Self {
        Self {
            with_stacks,
            closes_at_once: lateness_ms == 0.0,
            progress: GridProgress::new(),
            last: SlotList::new(),
            keys: SlotList::new(),
            next_number: 0,
            fires: Schedule::new(),
            closes: Schedule::new(),
            group: None,
            parts: Vec::new(),
            grid,
        }
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
        // The times of the pane of the row before.
        let (mut start, mut end) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut pane, mut state) = (NONE, PaneState::Gap);
        for (row, &slot) in (0_u32..).zip(slots).skip(from) {
            let time = time_of(row as usize);
            if !(start <= time && time < end) {
                (pane, start, end) = self.grid.pane_at(time);
                state = self.progress.state_of(&self.grid, pane);
            }
            match state {
                PaneState::Late => {
                    report.late(row, slot);
                    continue;
                }
                PaneState::Gap => {
                    report.gap(slot);
                    continue;
                }
                PaneState::Open | PaneState::Fired => {}
            }
            let last = self.last.get(slot);
            let accumulator = if last.number == pane {
                last.accumulator
            } else {
                self.find_pane(slot, pane, row, accumulators)
            };
            accumulators.add(row, accumulator);
            if state == PaneState::Fired {
                self.fire_again(slot, pane, accumulators);
                if accumulators.is_full(max_results) {
                    return row as usize + 1;
                }
            }
        }
        slots.len()
    }

    /// Makes room for slots up to `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        self.last.grow_to(slots);
        self.keys.grow_to(slots);
    }

    /// The accumulator of another pane than that of the last row.
    #[cold]
    #[inline(never)]
    fn find_pane<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        pane: i64,
        row: u32,
        accumulators: &mut A,
    ) -> u32 {
        let key = self.keys.get_mut(slot);
        if key.panes.first().is_none() {
            key.number = self.next_number;
            self.next_number += 1;
            accumulators.key(slot, row);
        }
        let (accumulator, is_new) = key.panes.accumulator_of(pane, accumulators);
        *self.last.get_mut(slot) = LastPane {
            number: pane,
            accumulator,
        };
        if is_new {
            let next_fire = self.grid.first_window(pane).max(self.progress.fired_until);
            if next_fire <= self.grid.last_window(pane) && next_fire < key.next_fire {
                key.next_fire = next_fire;
                self.fires.push(next_fire, slot);
            }
            let next_close = self.grid.last_window(pane);
            if !self.closes_at_once && next_close < key.next_close {
                key.next_close = next_close;
                self.closes.push(next_close, slot);
            }
        }
        accumulator
    }

    /// A row has come to windows that have fired.
    fn fire_again<A: PaneAccumulators>(&mut self, slot: u32, pane: i64, accumulators: &mut A) {
        for window in self.progress.fired_windows(&self.grid, pane) {
            let window = self.paned(window, slot);
            let panes = &mut self.keys.get_mut(slot).panes;
            // These windows are not the next in order, as stacks need them.
            panes.emit(&window, false, accumulators, &mut self.parts);
        }
    }

    fn paned(&self, window: i64, slot: u32) -> PanedWindow {
        PanedWindow {
            panes: self.grid.panes_of(window),
            slot,
            start: self.grid.window_start(window),
            end: self.grid.window_end(window),
        }
    }

    /// Time has come this far.
    pub(crate) fn advance(&mut self, progress: &Progress) {
        self.progress.advance(&self.grid, progress);
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
                match group.task {
                    Task::Fire => self.fire_window(slot, group.window, accumulators, report),
                    Task::Close => self.close_windows(slot, group.window, accumulators, report),
                }
            }
            if group.next < group.slots.len() {
                self.group = Some(group);
            }
        }
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        self.group.is_some()
            || self
                .fires
                .next()
                .is_some_and(|window| window < self.progress.fired_until)
            || self
                .closes
                .next()
                .is_some_and(|window| window < self.progress.closed_until)
    }

    fn next_group(&mut self) -> Option<Group> {
        let GridProgress {
            fired_until,
            closed_until,
        } = self.progress;
        let due = self.fires.pop(|window| window < fired_until);
        let (task, (window, mut slots)) = match due {
            Some(due) => (Task::Fire, due),
            None => (Task::Close, self.closes.pop(|window| window < closed_until)?),
        };
        // Mostly in order already, because keys are entered for their next window in the order in which they fire.
        slots.sort_by_key(|&slot| self.keys.get(slot).number);
        Some(Group {
            task,
            window,
            slots,
            next: 0,
        })
    }

    fn fire_window<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        window: i64,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        let paned = self.paned(window, slot);
        let key = self.keys.get_mut(slot);
        if key.next_fire != window {
            return;
        }
        report.changed.note(slot);
        key.panes
            .emit(&paned, self.with_stacks, accumulators, &mut self.parts);
        if self.with_stacks && self.last.get(slot).number < paned.panes.end {
            // The next row of that pane has to tell the stacks.
            *self.last.get_mut(slot) = LastPane::default();
        }
        let next_pane = self.grid.panes_of(window + 1).start;
        if self.closes_at_once && self.forget_before(slot, next_pane, accumulators, report) {
            return;
        }
        let key = self.keys.get_mut(slot);
        key.next_fire = NONE;
        if let Some(pane) = key.panes.first_from(next_pane) {
            key.next_fire = self.grid.first_window(pane).max(window + 1);
            self.fires.push(key.next_fire, slot);
        }
    }

    /// Forgets panes without windows; whether the key has nothing left.
    fn forget_before<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        pane: i64,
        accumulators: &mut A,
        report: &mut RowReport,
    ) -> bool {
        if self.last.get(slot).number < pane {
            *self.last.get_mut(slot) = LastPane::default();
        }
        let key = self.keys.get_mut(slot);
        let is_empty = key.panes.forget_before(pane, accumulators);
        if is_empty {
            *key = PanedKey::default();
            accumulators.drop_key(slot);
            report.dropped_slots.push(slot);
        }
        is_empty
    }

    fn close_windows<A: PaneAccumulators>(
        &mut self,
        slot: u32,
        window: i64,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        if self.keys.get(slot).next_close != window {
            return;
        }
        report.changed.note(slot);
        // A pane goes with the last window that it is part of.
        let left = if self.progress.closed_until == NONE {
            NONE
        } else {
            self.grid.panes_of(self.progress.closed_until).start
        };
        if self.forget_before(slot, left, accumulators, report) {
            return;
        }
        let key = self.keys.get_mut(slot);
        key.next_close = NONE;
        if let Some(pane) = key.panes.first() {
            key.next_close = self.grid.last_window(pane);
            self.closes.push(key.next_close, slot);
        }
    }

    /// Whether a slot has rows.
    pub(crate) fn has_rows(&self, slot: u32) -> bool {
        self.keys
            .find(slot)
            .is_some_and(|key| key.panes.first().is_some())
    }

    /// The end of the next window that fires.
    pub(crate) fn next_end(&self) -> Option<f64> {
        self.fires.next().map(|window| self.grid.window_end(window))
    }

    /// Bytes of memory held; looks at every key.
    pub(crate) fn bytes_used(&self) -> usize {
        let panes: usize = self.keys.iter().map(|(_, key)| key.panes.bytes_used()).sum();
        let group = self.group.as_ref().map_or(0, |group| group.slots.capacity());
        panes
            + self.last.bytes_used()
            + self.keys.bytes_used()
            + self.fires.bytes_used()
            + self.closes.bytes_used()
            + (group + self.parts.capacity()) * size_of::<u32>()
    }
}
