//! Batches made of columns.

use std::borrow::Cow;
use std::sync::Arc;

use sage_frame::{BatchView, Frame, FrameDraft, FrameMeta, Layout, LayoutRegistry, LeafKind, Node};
use sage_types::{LayoutId, Result};

use crate::built_column::BuiltColumn;

/// Makes frames and remembers the last layout, which most batches share.
#[derive(Debug, Default)]
pub(crate) struct BatchMaker {
    last: Option<(Arc<Layout>, LayoutId)>,
}

impl BatchMaker {
    /// A frame of optional columns for key and event time, and the columns of a row, which `row` makes a node of.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS`, `SAGE_LIMIT_BATCH`; `SAGE_FORMAT_LAYOUT` for a column that cannot be a key.
    #[expect(clippy::too_many_arguments, reason = "the parts of a batch")]
    pub(crate) fn make(
        &mut self,
        key: Option<BuiltColumn<'_>>,
        times: Option<&[f64]>,
        row: Node,
        columns: Vec<BuiltColumn<'_>>,
        rows: usize,
        registry: &LayoutRegistry,
        meta: FrameMeta,
    ) -> Result<Frame> {
        let key_node = key.as_ref().map(|key| key.node.clone());
        let (layout, id) = match &self.last {
            Some((layout, id))
                if layout.row == row && layout.key == key_node && layout.timed == times.is_some() =>
            {
                (Arc::clone(layout), *id)
            }
            _ => {
                let layout = Layout::new(key_node, row)?;
                let layout = Arc::new(if times.is_some() {
                    layout.with_time()
                } else {
                    layout
                });
                let id = registry.intern_layout(Arc::clone(&layout))?;
                self.last = Some((Arc::clone(&layout), id));
                (layout, id)
            }
        };
        let columns: Vec<BuiltColumn<'_>> = key
            .into_iter()
            .chain(times.map(time_column))
            .chain(columns)
            .collect();
        let buffers = || columns.iter().flat_map(|column| &column.buffers);
        let lengths: Vec<usize> = buffers().map(|buffer| buffer.len()).collect();
        let encodings = columns.iter().flat_map(|column| column.encodings.iter().copied());
        let mut draft = FrameDraft::new(layout, id, rows, lengths, encodings, meta)?;
        for (place, buffer) in buffers().enumerate() {
            draft.bytes_mut(place).copy_from_slice(buffer);
        }
        draft.finish()
    }

    /// A batch with the event times of its rows.
    ///
    /// # Errors
    /// As [`BatchMaker::make`].
    pub(crate) fn with_times(
        &mut self,
        view: &BatchView<'_>,
        times: &[f64],
        registry: &LayoutRegistry,
        meta: FrameMeta,
    ) -> Result<Frame> {
        let row = BuiltColumn::copied(view, view.layout().row_node(), None, false, false);
        let node = row.node.clone();
        self.make(None, Some(times), node, vec![row], view.rows(), registry, meta)
    }
}

fn time_column(times: &[f64]) -> BuiltColumn<'_> {
    BuiltColumn {
        node: Node::leaf(LeafKind::F64),
        buffers: vec![Cow::Borrowed(bytemuck::cast_slice(times))],
        encodings: Vec::new(),
    }
}
