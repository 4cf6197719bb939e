//! Built-in aggregates of a keyed stream.

use std::sync::Arc;

use sage_frame::{BatchView, Frame, FrameDraft, FrameMeta, Layout, LayoutRegistry, Node};
use sage_types::{ErrorCode, Result, SageError};

use crate::accumulators::Accumulators;
use crate::aggregate_inputs::{Input, aggregate_input};
use crate::aggregate_kernels::is_empty;
use crate::running_image::{begin_image, image_len, result_lengths};
use crate::{AggregateSpec, ChangedSlots, KeyTable, SlotChanges};

/// Bytes of keys at which a batch of results is closed, however many rows it has: what a batch of variable data may have.
pub const MAX_DRAINED_KEY_BYTES: usize = 64 << 10;

/// Some results of an aggregate.
#[derive(Debug, Clone)]
pub struct Drained {
    /// Keys and results: layout `{"key":K,"row":{"tup":[...]}}`, one column for each aggregator.
    pub frame: Frame,
    /// Where to go on; none after the last.
    pub next_slot: Option<u32>,
}

/// What became of a call that writes into memory of fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emitted {
    /// So many bytes were written.
    Written(usize),
    /// There was no room, and nothing was aggregated.
    TooSmall {
        /// Bytes that the image needs.
        needed_bytes: usize,
    },
}

/// Built-in aggregates of a keyed stream: `count`, `sum`, `avg`, `min`, `max`, `first`, `last` of numbers.
///
/// A batch has the layout `{"key":K,"row":{"tup":["f64?",...]}}`; [`AggregateSpec::input`] is an index into the tuple, whose
/// columns may be `f64`, `i32` or `nil`, optional or not. Rows where a column is null, undefined or missing are skipped by the
/// aggregators that read it; `count` counts rows. NaN makes a sum or mean NaN, and is the minimum and maximum of everything.
/// Result columns are `f64` for `count` and `sum`, `f64?` for the others, which are null without input.
#[derive(Debug)]
pub struct KeyedAggregate {
    specs: Vec<AggregateSpec>,
    keys: KeyTable,
    accumulators: Accumulators,
    /// Layout of running results.
    running_layout: Layout,
    /// Slots of the batch at hand.
    slots: Vec<u32>,
    /// Since it was saved last.
    unsaved: ChangedSlots,
}

impl KeyedAggregate {
    /// An aggregate without keys, with one result column for each spec.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when an aggregator other than `count` has no input.
    pub fn new(specs: Vec<AggregateSpec>) -> Result<Self> {
        AggregateSpec::check_inputs(&specs)?;
        Ok(Self {
            accumulators: Accumulators::new(&specs),
            running_layout: Layout::unkeyed(AggregateSpec::results_node(&specs)),
            specs,
            keys: KeyTable::new(),
            slots: Vec::new(),
            unsaved: ChangedSlots::new(),
        })
    }

    /// The same aggregate, noting which keys change, for [`KeyedAggregate::changed_since_mark`] and
    /// [`KeyedAggregate::drain_changed`]. Only before the first batch; ignored later.
    #[must_use]
    pub fn with_change_tracking(mut self) -> Self {
        self.accumulators.track_changes();
        self
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` when the batch has no key or lacks a column, `SAGE_AGGREGATE_INPUT` when a column does not hold
    /// numbers, `SAGE_FORMAT_BATCH` when a key is not in canonical form, `SAGE_INTERNAL` when there could be more than
    /// [`crate::MAX_SLOTS`] keys. Nothing is aggregated then.
    pub fn update(&mut self, view: &BatchView<'_>) -> Result<()> {
        let inputs = self.inputs(view)?;
        self.find_slots(view)?;
        for (member, input) in inputs.iter().enumerate() {
            self.accumulators.accumulate(member, &self.slots, input, |_| ());
        }
        Ok(())
    }

    /// Adds a batch and replaces `image` by the running results: for each row, what the aggregators of its key gave after it.
    /// Layout `{"row":{"tup":[...]}}`, without the key, which the caller still has.
    ///
    /// # Errors
    /// As [`KeyedAggregate::update`]; `SAGE_LIMIT_BATCH` when the image would have 2 GiB, `SAGE_LIMIT_LAYOUTS` when the
    /// registry is full.
    pub fn update_emit(
        &mut self,
        view: &BatchView<'_>,
        registry: &LayoutRegistry,
        image: &mut Vec<u8>,
    ) -> Result<()> {
        image.resize(self.running_image_len(view.rows())?, 0);
        self.update_emit_into(view, registry, image).map(|_| ())
    }

    /// As [`KeyedAggregate::update_emit`], into memory of fixed size, which is not touched when it is too small.
    ///
    /// # Errors
    /// As [`KeyedAggregate::update_emit`].
    pub fn update_emit_into(
        &mut self,
        view: &BatchView<'_>,
        registry: &LayoutRegistry,
        image: &mut [u8],
    ) -> Result<Emitted> {
        let needed_bytes = self.running_image_len(view.rows())?;
        let Some(image) = image.get_mut(..needed_bytes) else {
            return Ok(Emitted::TooSmall { needed_bytes });
        };
        let inputs = self.inputs(view)?;
        let layout_id = registry.intern(&self.running_layout.text)?;
        self.find_slots(view)?;
        let columns = begin_image(image, &self.specs, view.rows(), layout_id);
        for ((member, input), column) in inputs.iter().enumerate().zip(columns) {
            self.accumulators
                .accumulate(member, &self.slots, input, column.writer());
        }
        Ok(Emitted::Written(needed_bytes))
    }

    /// Bytes of the image that a batch of `rows` rows gives.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` from 2 GiB on.
    pub fn running_image_len(&self, rows: usize) -> Result<usize> {
        image_len(&self.specs, rows)
    }

    fn inputs<'a>(&self, view: &BatchView<'a>) -> Result<Vec<Input<'a>>> {
        self.specs
            .iter()
            .map(|spec| aggregate_input(view, spec))
            .collect()
    }

    fn find_slots(&mut self, view: &BatchView<'_>) -> Result<()> {
        self.keys.slots_for(view, &mut self.slots)?;
        self.accumulators.grow_to(self.keys.slot_count());
        self.accumulators.note_changed(&self.slots);
        self.unsaved.note_all(&self.slots);
        Ok(())
    }

    /// The results of the keys from `start_slot` on, in the order of slots, which is that in which the keys came first
    /// (unless keys have been removed). At most `max_rows` (at least 1), and fewer when the keys are long. None when there
    /// are no more keys. The state stays: a second drain gives the same.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` when the registry is full, `SAGE_LIMIT_BATCH` when a single key has 2 GiB.
    pub fn drain(
        &self,
        start_slot: u32,
        max_rows: usize,
        registry: &LayoutRegistry,
        meta: FrameMeta,
    ) -> Result<Option<Drained>> {
        // Slots are below 2^31.
        let end = u32::try_from(self.keys.slot_count()).unwrap_or(u32::MAX);
        let mut live = (start_slot..end).filter(|&slot| self.keys.is_live(slot));
        let rows = self.take_rows(&mut live, max_rows);
        let next_slot = rows
            .last()
            .and_then(|last| (last + 1..end).find(|&slot| self.keys.is_live(slot)));
        if rows.is_empty() {
            return Ok(None);
        }
        let frame = self.results_of(&rows, registry, meta)?;
        Ok(Some(Drained { frame, next_slot }))
    }

    /// The slots of keys that changed since the mark, in the order of their first change; empty unless changes are
    /// tracked. A slot whose key was removed stays in the list.
    #[must_use]
    pub fn changed_since_mark(&self) -> &[u32] {
        self.accumulators.changed()
    }

    /// Sets the mark to now: no key has changed since.
    pub fn mark(&mut self) {
        self.accumulators
            .forget_changed(self.accumulators.changed().len());
    }

    /// The results of the next changed keys, as [`KeyedAggregate::drain`] gives them, in the order of their first change.
    /// They count as unchanged from then on. None when there are no more.
    ///
    /// # Errors
    /// As [`KeyedAggregate::drain`]; also `SAGE_INTERNAL` when changes are not tracked.
    pub fn drain_changed(
        &mut self,
        max_rows: usize,
        registry: &LayoutRegistry,
        meta: FrameMeta,
    ) -> Result<Option<Frame>> {
        if !self.accumulators.tracks_changes() {
            return Err(SageError::new(
                ErrorCode::Internal,
                "changed keys were asked for and are not tracked",
            ));
        }
        let mut taken = 0;
        let changed = self.accumulators.changed().iter().copied();
        let mut live = changed
            .enumerate()
            .filter(|&(_, slot)| self.keys.is_live(slot))
            .map(|(position, slot)| {
                taken = position + 1;
                slot
            });
        let rows = self.take_rows(&mut live, max_rows);
        if rows.is_empty() {
            self.mark();
            return Ok(None);
        }
        let frame = self.results_of(&rows, registry, meta)?;
        self.accumulators.forget_changed(taken);
        Ok(Some(frame))
    }

    /// As many of these slots as make a batch.
    fn take_rows(&self, slots: &mut impl Iterator<Item = u32>, max_rows: usize) -> Vec<u32> {
        let mut rows = Vec::with_capacity(max_rows.min(self.keys.len()));
        let mut key_bytes = 0;
        while rows.len() < max_rows.max(1)
            && key_bytes < MAX_DRAINED_KEY_BYTES
            && let Some(slot) = slots.next()
        {
            key_bytes += self
                .keys
                .with_key(slot, |key| key.content.len())
                .unwrap_or_default();
            rows.push(slot);
        }
        rows
    }

    fn results_of(&self, slots: &[u32], registry: &LayoutRegistry, meta: FrameMeta) -> Result<Frame> {
        let keys = self.keys.export(slots)?;
        let layout = Layout::new(
            Some(Node::leaf(keys.kind())),
            AggregateSpec::results_node(&self.specs),
        )?;
        let layout_id = registry.intern(&layout.text)?;
        let (first, second) = keys.buffer_lengths();
        let lengths = [first]
            .into_iter()
            .chain(second)
            .chain(result_lengths(&self.specs, slots.len()));
        let mut draft = FrameDraft::new(
            Arc::new(layout),
            layout_id,
            slots.len(),
            lengths,
            keys.encoding(),
            meta,
        )?;
        let mut buffer = keys.write_to(&mut draft);
        for (member, spec) in self.specs.iter().enumerate() {
            let results = || slots.iter().map(|&slot| self.accumulators.result(member, slot));
            if spec.kind.is_nullable() {
                for (place, result) in draft.bytes_mut(buffer).iter_mut().zip(results()) {
                    *place = if is_empty(result) {
                        sage_frame::presence::NULL
                    } else {
                        sage_frame::presence::VALUE
                    };
                }
                buffer += 1;
            }
            for (place, result) in draft.f64s_mut(buffer).iter_mut().zip(results()) {
                *place = if is_empty(result) { 0.0 } else { result };
            }
            buffer += 1;
        }
        draft.finish()
    }

    /// Forgets a slot's key and what was aggregated for it; whether it had a key. The slot goes to one of the next new keys.
    pub fn remove(&mut self, slot: u32) -> bool {
        if !self.keys.is_live(slot) {
            return false;
        }
        let keys = &self.keys;
        self.unsaved.note_gone(|key| {
            keys.append_canonical(slot, key);
        });
        self.accumulators.reset(slot);
        self.keys.remove(slot)
    }

    /// The keys and their slots.
    #[must_use]
    pub const fn keys(&self) -> &KeyTable {
        &self.keys
    }

    pub(crate) const fn accumulators(&self) -> &Accumulators {
        &self.accumulators
    }

    pub(crate) fn specs(&self) -> &[AggregateSpec] {
        &self.specs
    }

    /// Whether changes are tracked for [`KeyedAggregate::drain_changed`].
    pub(crate) const fn tracks_changes(&self) -> bool {
        self.accumulators.tracks_changes()
    }

    pub(crate) const fn unsaved_mut(&mut self) -> &mut ChangedSlots {
        &mut self.unsaved
    }

    /// What has changed since it was saved last; none when everything is to be saved.
    pub(crate) fn take_unsaved(&mut self) -> Option<SlotChanges> {
        let keys = &self.keys;
        self.unsaved.take(keys.len(), |slot| keys.is_live(slot))
    }

    pub(crate) fn note_changed(&mut self, slots: &[u32]) {
        self.accumulators.note_changed(slots);
    }

    /// Gives a key that is not there a slot with these words.
    ///
    /// # Errors
    /// Those of [`KeyTable::add_new`].
    pub(crate) fn restore_key(&mut self, key: &[u8], words: &[u8]) -> Result<u32> {
        let slot = self.keys.add_new(key)?;
        self.accumulators.grow_to(self.keys.slot_count());
        self.accumulators.restore(slot, words);
        Ok(slot)
    }

    /// Bytes of memory held, spare room included.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.keys.bytes_used()
            + self.accumulators.bytes_used()
            + self.slots.capacity() * size_of::<u32>()
            + self.unsaved.bytes_used()
            + self.specs.capacity() * size_of::<AggregateSpec>()
    }
}
