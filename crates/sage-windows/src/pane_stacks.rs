//! Results of overlapping windows with a constant number of merges each.

use std::ops::Range;

use sage_state::SavedBytes;
use sage_types::Result;

use crate::PaneAccumulators;
use crate::key_panes::Pane;
use crate::saved_key::{KeySink, saved_accumulator, saved_count, saved_flag, saved_number};

/// The panes of the window that was given last, in two stacks: the *older* ones, each merged with all older ones behind
/// it, so that the first ones can be left out, and the *newer* ones in one running accumulator. When the older are used up, all
/// panes become older ones; each pane is merged about three times in its life, however many windows share it.
#[derive(Debug, Default)]
pub(crate) struct PaneStacks {
    /// The oldest last: pane, and accumulator of it and all behind it.
    older: Vec<(i64, u32)>,
    newer: Option<u32>,
    /// The first pane that is in neither.
    until: i64,
}

impl PaneStacks {
    /// Whether a row of this pane would be missed.
    pub(crate) const fn has(&self, pane: i64) -> bool {
        pane < self.until && !self.older.is_empty()
    }

    /// Appends the accumulators that make the window of these panes. Windows come in order. `panes` are those of the
    /// window, in order, without empty ones.
    pub(crate) fn window<'p, A: PaneAccumulators>(
        &mut self,
        range: &Range<i64>,
        panes: impl DoubleEndedIterator<Item = &'p Pane>,
        accumulators: &mut A,
        parts: &mut Vec<u32>,
    ) {
        while let Some((_, left)) = self.older.pop_if(|(pane, _)| *pane < range.start) {
            accumulators.free(left);
        }
        if self.older.is_empty() {
            self.rebuild(panes, accumulators);
        } else {
            for pane in panes.filter(|pane| pane.number >= self.until) {
                let newer = *self.newer.get_or_insert_with(|| accumulators.open());
                accumulators.merge(newer, pane.accumulator);
            }
        }
        self.until = range.end;
        parts.extend(self.older.last().map(|&(_, accumulator)| accumulator));
        parts.extend(self.newer);
    }

    fn rebuild<'p, A: PaneAccumulators>(
        &mut self,
        panes: impl DoubleEndedIterator<Item = &'p Pane>,
        accumulators: &mut A,
    ) {
        if let Some(newer) = self.newer.take() {
            accumulators.free(newer);
        }
        let mut behind = None;
        for pane in panes.rev() {
            let accumulator = accumulators.open();
            accumulators.merge(accumulator, pane.accumulator);
            if let Some(behind) = behind {
                accumulators.merge(accumulator, behind);
            }
            self.older.push((pane.number, accumulator));
            behind = Some(accumulator);
        }
    }

    /// Forgets everything; the next window is made of its panes.
    pub(crate) fn clear<A: PaneAccumulators>(&mut self, accumulators: &mut A) {
        for (_, accumulator) in self.older.drain(..) {
            accumulators.free(accumulator);
        }
        if let Some(newer) = self.newer.take() {
            accumulators.free(newer);
        }
    }

    /// Writes them: the first pane that is in neither, how many are older, of each its pane and its accumulator, whether there is a
    /// newer one, and that.
    pub(crate) fn save(&self, sink: &mut impl KeySink) {
        sink.signed(self.until);
        sink.count(self.older.len());
        for &(number, accumulator) in &self.older {
            sink.signed(number);
            sink.accumulator(accumulator, number as f64, number as f64);
        }
        sink.word(u64::from(self.newer.is_some()));
        if let Some(newer) = self.newer {
            sink.accumulator(newer, self.until as f64, self.until as f64);
        }
    }

    /// Reads what [`PaneStacks::save`] wrote.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn restore<A: PaneAccumulators>(
        saved: &mut SavedBytes<'_>,
        accumulators: &mut A,
    ) -> Result<Self> {
        let until = saved_number(saved)?;
        let mut older = Vec::new();
        for _ in 0..saved_count(saved)? {
            older.push((saved_number(saved)?, saved_accumulator(saved, accumulators)?));
        }
        let newer = if saved_flag(saved)? {
            Some(saved_accumulator(saved, accumulators)?)
        } else {
            None
        };
        Ok(Self { older, newer, until })
    }

    /// Bytes of memory held.
    pub(crate) const fn bytes_used(&self) -> usize {
        size_of::<Self>() + self.older.capacity() * size_of::<(i64, u32)>()
    }
}
