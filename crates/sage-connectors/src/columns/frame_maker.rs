//! Columns of a native reader to frames.

use std::sync::Arc;

use sage_frame::{BatchView, Frame, FrameMeta, Layout, LayoutRegistry, Node, StringEncoding};
use sage_types::{LayoutId, Result};

/// Makes frames and remembers the last layout, which most batches share.
#[derive(Debug)]
pub(crate) struct FrameMaker {
    registry: Arc<LayoutRegistry>,
    last: Option<(Arc<Layout>, LayoutId)>,
    layouts: usize,
}

impl FrameMaker {
    pub(crate) fn new(registry: Arc<LayoutRegistry>) -> Self {
        Self {
            registry,
            last: None,
            layouts: 0,
        }
    }

    /// Number of times that the layout changed, the first one included.
    pub(crate) fn layouts(&self) -> usize {
        self.layouts
    }

    /// Copies columns into a frame.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` and `SAGE_LIMIT_BATCH`.
    pub(crate) fn make(
        &mut self,
        row: Node,
        rows: usize,
        buffers: Vec<&[u8]>,
        encodings: Vec<StringEncoding>,
    ) -> Result<Frame> {
        let (layout, id) = match &self.last {
            Some((layout, id)) if layout.row == row => (Arc::clone(layout), *id),
            _ => {
                let layout = Arc::new(Layout::unkeyed(row));
                let id = self.registry.intern_layout(Arc::clone(&layout))?;
                self.layouts += 1;
                self.last = Some((Arc::clone(&layout), id));
                (layout, id)
            }
        };
        let view = BatchView::from_parts(layout, id, rows, buffers, encodings)?;
        Frame::from_view(&view, FrameMeta::default())
    }
}
