//! The panes of one key.

use std::collections::VecDeque;
use std::ops::Range;

use sage_state::{SavedBytes, damaged};
use sage_types::Result;

use crate::PaneAccumulators;
use crate::pane_stacks::PaneStacks;
use crate::saved_key::{KeySink, saved_accumulator, saved_count, saved_flag, saved_number};

/// A pane that has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pane {
    pub(crate) number: i64,
    pub(crate) accumulator: u32,
}

/// A result to give: of which panes, for whom, and what the window is called.
#[derive(Debug, Clone)]
pub(crate) struct PanedWindow {
    pub(crate) panes: Range<i64>,
    pub(crate) slot: u32,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

/// The panes of one key that have rows, in order.
#[derive(Debug, Default)]
pub(crate) struct KeyPanes {
    panes: VecDeque<Pane>,
    stacks: Option<Box<PaneStacks>>,
}

impl KeyPanes {
    /// The accumulator of a pane, for a row; whether it is new.
    pub(crate) fn accumulator_of<A: PaneAccumulators>(
        &mut self,
        number: i64,
        accumulators: &mut A,
    ) -> (u32, bool) {
        if let Some(stacks) = &mut self.stacks
            && stacks.has(number)
        {
            stacks.clear(accumulators);
        }
        // Most rows are of one of the last panes.
        let behind = self
            .panes
            .iter()
            .rev()
            .take_while(|pane| pane.number > number)
            .count();
        let at = self.panes.len() - behind;
        if let Some(before) = at.checked_sub(1)
            && self.panes[before].number == number
        {
            return (self.panes[before].accumulator, false);
        }
        let accumulator = accumulators.open();
        self.panes.insert(at, Pane { number, accumulator });
        (accumulator, true)
    }

    /// Gives the result of a window, if one of its panes has rows. With stacks, windows come in order.
    pub(crate) fn emit<A: PaneAccumulators>(
        &mut self,
        window: &PanedWindow,
        with_stacks: bool,
        accumulators: &mut A,
        parts: &mut Vec<u32>,
    ) {
        parts.clear();
        let from = self
            .panes
            .partition_point(|pane| pane.number < window.panes.start);
        let until = self.panes.partition_point(|pane| pane.number < window.panes.end);
        if from == until {
            return;
        }
        let panes = self.panes.range(from..until);
        if with_stacks {
            let stacks = self.stacks.get_or_insert_default();
            stacks.window(&window.panes, panes, accumulators, parts);
        } else {
            parts.extend(panes.map(|pane| pane.accumulator));
        }
        accumulators.emit(parts, window.slot, window.start, window.end);
    }

    /// The first pane.
    #[inline]
    pub(crate) fn first(&self) -> Option<i64> {
        self.panes.front().map(|pane| pane.number)
    }

    /// The first pane that is not before `number`.
    pub(crate) fn first_from(&self, number: i64) -> Option<i64> {
        let at = self.panes.partition_point(|pane| pane.number < number);
        self.panes.get(at).map(|pane| pane.number)
    }

    /// Forgets the panes before `number`, of which no window is left; whether no pane is left.
    #[inline]
    pub(crate) fn forget_before<A: PaneAccumulators>(&mut self, number: i64, accumulators: &mut A) -> bool {
        while let Some(pane) = self.panes.front()
            && pane.number < number
        {
            accumulators.free(pane.accumulator);
            self.panes.pop_front();
        }
        if !self.panes.is_empty() {
            return false;
        }
        if let Some(mut stacks) = self.stacks.take() {
            stacks.clear(accumulators);
        }
        true
    }

    /// The accumulator of a pane.
    pub(crate) fn find(&self, number: i64) -> Option<u32> {
        let at = self.panes.partition_point(|pane| pane.number < number);
        let pane = self.panes.get(at).filter(|pane| pane.number == number);
        pane.map(|pane| pane.accumulator)
    }

    /// Writes them: how many, and of each its number and its accumulator; whether there are stacks, and those. Stacks could be made
    /// of panes again, but sums in another order have other last bits.
    pub(crate) fn save(&self, sink: &mut impl KeySink) {
        sink.count(self.panes.len());
        for pane in &self.panes {
            sink.signed(pane.number);
            sink.accumulator(pane.accumulator, pane.number as f64, pane.number as f64);
        }
        sink.word(u64::from(self.stacks.is_some()));
        if let Some(stacks) = &self.stacks {
            stacks.save(sink);
        }
    }

    /// Reads what [`KeyPanes::save`] wrote; whether there `must_be_some` is the caller's.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn restore<A: PaneAccumulators>(
        must_be_some: bool,
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<Self> {
        let mut key = Self::default();
        for _ in 0..saved_count(saved)? {
            let number = saved_number(saved)?;
            if key.panes.back().is_some_and(|before| before.number >= number) {
                return Err(damaged("panes are out of order"));
            }
            let accumulator = saved_accumulator(saved, accumulators)?;
            key.panes.push_back(Pane { number, accumulator });
        }
        if must_be_some && key.panes.is_empty() {
            return Err(damaged("a key has nothing"));
        }
        if saved_flag(saved)? {
            key.stacks = Some(Box::new(PaneStacks::restore(saved, accumulators)?));
        }
        Ok(key)
    }

    /// Bytes of memory held outside of this.
    pub(crate) fn bytes_used(&self) -> usize {
        self.panes.capacity() * size_of::<Pane>()
            + self.stacks.as_ref().map_or(0, |stacks| stacks.bytes_used())
    }
}
