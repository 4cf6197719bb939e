//! Batches made of columns.

use std::sync::Arc;

use sage_frame::{Frame, FrameDraft, FrameMeta, Layout, LayoutRegistry, Node};
use sage_types::{LayoutId, Result};

use crate::built_column::BuiltColumn;

/// Makes frames and remembers the last layout, which most batches share.
#[derive(Debug, Default)]
pub(crate) struct BatchMaker {
    last: Option<(Arc<Layout>, LayoutId)>,
}

impl BatchMaker {
    /// A frame of an optional key column and the columns of a row, which `row` makes a node of.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS`, `SAGE_LIMIT_BATCH`; `SAGE_FORMAT_LAYOUT` for a column that cannot be a key.
    pub(crate) fn make(
        &mut self,
        key: Option<BuiltColumn<'_>>,
        row: Node,
        columns: Vec<BuiltColumn<'_>>,
        rows: usize,
        registry: &LayoutRegistry,
        meta: FrameMeta,
    ) -> Result<Frame> {
        let key_node = key.as_ref().map(|key| key.node.clone());
        let (layout, id) = match &self.last {
            Some((layout, id)) if layout.row == row && layout.key == key_node => (Arc::clone(layout), *id),
            _ => {
                let layout = Arc::new(Layout::new(key_node, row)?);
                let id = registry.intern_layout(Arc::clone(&layout))?;
                self.last = Some((Arc::clone(&layout), id));
                (layout, id)
            }
        };
        let columns: Vec<BuiltColumn<'_>> = key.into_iter().chain(columns).collect();
        let buffers = || columns.iter().flat_map(|column| &column.buffers);
        let lengths: Vec<usize> = buffers().map(|buffer| buffer.len()).collect();
        let encodings = columns.iter().flat_map(|column| column.encodings.iter().copied());
        let mut draft = FrameDraft::new(layout, id, rows, lengths, encodings, meta)?;
        for (place, buffer) in buffers().enumerate() {
            draft.bytes_mut(place).copy_from_slice(buffer);
        }
        draft.finish()
    }
}
