//! Windows of elements of a key: the panes are of element numbers, and each key has a time of its own, its number of elements.

mod saved;

use crate::PaneAccumulators;
use crate::key_panes::{KeyPanes, PanedWindow};
use crate::pane_grid::PaneGrid;
use crate::row_report::RowReport;
use crate::slot_list::SlotList;

#[derive(Debug, Default)]
struct CountedKey {
    panes: KeyPanes,
    /// Order in which keys got their first row.
    number: u64,
    /// Elements so far.
    elements: u64,
    /// The pane of the next element, its accumulator if it has one, and the element with which the next pane begins.
    pane: i64,
    accumulator: Option<u32>,
    pane_until: u64,
    /// The next window, and the number of elements that completes it.
    window: i64,
    window_until: u64,
}

/// What is left of a key when the input ends.
#[derive(Debug)]
struct Partial {
    slot: u32,
    number: u64,
    start: f64,
    end: f64,
}

/// The windows of all keys. A key stays until the input ends: the numbers of its elements go on.
#[derive(Debug)]
pub(crate) struct CountPanes {
    grid: PaneGrid,
    with_stacks: bool,
    slide: u64,
    /// Window that ends with element `slide`.
    first_window: i64,
    keys: SlotList<CountedKey>,
    next_number: u64,
    /// Windows to give when the input has ended, the next one last.
    partial: Option<Vec<Partial>>,
    parts: Vec<u32>,
}

impl CountPanes {
    /// No keys yet. With stacks, panes are merged in advance.
    pub(crate) fn new(grid: PaneGrid, slide: u32, with_stacks: bool) -> Self {
        let until = f64::from(slide);
        Self {
            with_stacks,
            slide: u64::from(slide),
            first_window: grid.first_not_over(until, |end| end < until),
            keys: SlotList::new(),
            next_number: 0,
            partial: None,
            parts: Vec::new(),
            grid,
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
        from: usize,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) -> usize {
        for (row, &slot) in (0_u32..).zip(slots).skip(from) {
            let key = self.keys.get_mut(slot);
            if key.elements == 0 {
                key.number = self.next_number;
                self.next_number += 1;
                key.window = self.first_window;
                key.window_until = self.slide;
                accumulators.key(slot, row);
            }
            if key.elements == key.pane_until {
                let (pane, _, until) = self.grid.pane_at(key.elements as f64);
                key.pane = pane;
                key.pane_until = element(until);
                let has_windows = self.grid.first_window(pane) <= self.grid.last_window(pane);
                key.accumulator = has_windows.then(|| key.panes.accumulator_of(pane, accumulators).0);
            }
            key.elements += 1;
            match key.accumulator {
                Some(accumulator) => accumulators.add(row, accumulator),
                // Between two windows. The key stays, because it has counted the element.
                None => report.gaps += 1,
            }
            if key.elements == key.window_until {
                let paned = PanedWindow {
                    panes: self.grid.panes_of(key.window),
                    slot,
                    start: self.grid.window_start(key.window).max(0.0),
                    end: key.elements as f64,
                };
                key.panes
                    .emit(&paned, self.with_stacks, accumulators, &mut self.parts);
                key.window += 1;
                key.window_until += self.slide;
                // No element of a pane behind a window end has come yet, so the pane at hand is never among these.
                let left = self.grid.panes_of(key.window).start;
                key.panes.forget_before(left, accumulators);
                if accumulators.is_full(max_results) {
                    return row as usize + 1;
                }
            }
        }
        slots.len()
    }

    /// No more rows come: what is there of each key's next window is given.
    pub(crate) fn finish(&mut self) {
        let mut partial: Vec<Partial> = Vec::new();
        for (slot, key) in self.keys.iter().filter(|(_, key)| key.elements > 0) {
            let start = self.grid.window_start(key.window).max(0.0);
            partial.push(Partial {
                slot,
                number: key.number,
                start,
                end: key.elements as f64,
            });
        }
        partial.sort_by(|a, b| {
            let by_window = b.end.total_cmp(&a.end).then(b.start.total_cmp(&a.start));
            by_window.then(b.number.cmp(&a.number))
        });
        self.partial = Some(partial);
    }

    /// Gives results that are due until there are `max_results`.
    pub(crate) fn fire<A: PaneAccumulators>(
        &mut self,
        max_results: usize,
        accumulators: &mut A,
        report: &mut RowReport,
    ) {
        let Some(partial) = &mut self.partial else {
            return;
        };
        while !accumulators.is_full(max_results)
            && let Some(Partial { slot, start, end, .. }) = partial.pop()
        {
            let key = self.keys.get_mut(slot);
            let fired_until = key.window_until - self.slide;
            // Elements that no window has shown, if the next window has begun.
            if key.elements > fired_until && end > start {
                let paned = PanedWindow {
                    panes: self.grid.panes_of(key.window),
                    slot,
                    start,
                    end,
                };
                key.panes
                    .emit(&paned, self.with_stacks, accumulators, &mut self.parts);
            }
            key.panes.forget_before(i64::MAX, accumulators);
            *key = CountedKey::default();
            accumulators.drop_key(slot);
            report.dropped_slots.push(slot);
        }
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        self.partial.as_ref().is_some_and(|partial| !partial.is_empty())
    }

    /// Whether a slot has rows.
    pub(crate) fn has_rows(&self, slot: u32) -> bool {
        self.keys.find(slot).is_some_and(|key| key.elements > 0)
    }

    /// Bytes of memory held; looks at every key.
    pub(crate) fn bytes_used(&self) -> usize {
        let panes: usize = self.keys.iter().map(|(_, key)| key.panes.bytes_used()).sum();
        let partial = self.partial.as_ref().map_or(0, Vec::capacity);
        panes
            + self.keys.bytes_used()
            + partial * size_of::<Partial>()
            + self.parts.capacity() * size_of::<u32>()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "edges ahead of an element are whole and above 0"
)]
const fn element(edge: f64) -> u64 {
    edge as u64
}
