//! Results of windows as columns.

use std::sync::Arc;

use sage_frame::{Frame, FrameDraft, FrameMeta, Layout, LayoutRegistry, LeafKind, Node, presence};
use sage_state::{AggregateSpec, ExportedKeys, KeyTable, MAX_DRAINED_KEY_BYTES, is_no_result};
use sage_types::Result;

/// Results that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct ResultRows {
    slots: Vec<u32>,
    starts: Vec<f64>,
    ends: Vec<f64>,
    /// The results of each row side by side.
    pub(crate) values: Vec<f64>,
    /// Rows that have been taken.
    taken: usize,
}

impl ResultRows {
    /// Appends a row; its results go to `values`.
    #[inline]
    pub(crate) fn push(&mut self, slot: u32, start: f64, end: f64) {
        self.slots.push(slot);
        self.starts.push(start);
        self.ends.push(end);
    }

    /// Number of rows that nobody has taken.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.slots.len() - self.taken
    }

    /// Takes the next rows, as many as make a batch: keys, if any, and `[start, end, results...]`.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` when the registry is full, `SAGE_LIMIT_BATCH` when a single key has 2 GiB. The rows stay then.
    pub(crate) fn take(
        &mut self,
        keys: Option<&KeyTable>,
        specs: &[AggregateSpec],
        max_rows: usize,
        registry: &LayoutRegistry,
    ) -> Result<Option<Frame>> {
        let from = self.taken;
        let mut until = from;
        let mut key_bytes = 0;
        while until < self.slots.len() && until - from < max_rows.max(1) && key_bytes < MAX_DRAINED_KEY_BYTES
        {
            key_bytes += keys.map_or(0, |keys| keys.content_len(self.slots[until]));
            until += 1;
        }
        if from == until {
            return Ok(None);
        }
        let exported = keys
            .map(|keys| keys.export(&self.slots[from..until]))
            .transpose()?;
        let frame = self.frame(from..until, exported.as_ref(), specs, registry)?;
        self.taken = until;
        if self.len() == 0 {
            self.slots.clear();
            self.starts.clear();
            self.ends.clear();
            self.values.clear();
            self.taken = 0;
        }
        Ok(Some(frame))
    }

    fn frame(
        &self,
        rows: std::ops::Range<usize>,
        keys: Option<&ExportedKeys>,
        specs: &[AggregateSpec],
        registry: &LayoutRegistry,
    ) -> Result<Frame> {
        let edge = || Node::leaf(LeafKind::F64);
        let results = specs.iter().map(|spec| spec.kind.result_node());
        let row = Node::tuple([edge(), edge()].into_iter().chain(results));
        let layout = Layout::new(keys.map(|keys| Node::leaf(keys.kind())), row)?;
        let layout_id = registry.intern(&layout.text)?;
        let key_lengths = keys.map(ExportedKeys::buffer_lengths);
        let key_lengths = key_lengths
            .into_iter()
            .flat_map(|(first, second)| [first].into_iter().chain(second));
        let count = rows.len();
        let result_lengths = specs.iter().flat_map(|spec| {
            let presence = spec.kind.is_nullable().then_some(count);
            presence.into_iter().chain([count * 8])
        });
        let mut draft = FrameDraft::new(
            Arc::new(layout),
            layout_id,
            count,
            key_lengths.chain([count * 8; 2]).chain(result_lengths),
            keys.and_then(ExportedKeys::encoding),
            FrameMeta::default(),
        )?;
        let mut buffer = keys.map_or(0, |keys| keys.write_to(&mut draft));
        for edges in [&self.starts, &self.ends] {
            draft.f64s_mut(buffer).copy_from_slice(&edges[rows.clone()]);
            buffer += 1;
        }
        let width = specs.len();
        let values = &self.values[rows.start * width..rows.end * width];
        for (member, spec) in specs.iter().enumerate() {
            let results = || values.iter().skip(member).step_by(width).copied();
            if spec.kind.is_nullable() {
                for (place, result) in draft.bytes_mut(buffer).iter_mut().zip(results()) {
                    *place = if is_no_result(result) {
                        presence::NULL
                    } else {
                        presence::VALUE
                    };
                }
                buffer += 1;
            }
            for (place, result) in draft.f64s_mut(buffer).iter_mut().zip(results()) {
                *place = if is_no_result(result) { 0.0 } else { result };
            }
            buffer += 1;
        }
        draft.finish()
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        let numbers = self.starts.capacity() + self.ends.capacity() + self.values.capacity();
        self.slots.capacity() * size_of::<u32>() + numbers * size_of::<f64>()
    }
}
