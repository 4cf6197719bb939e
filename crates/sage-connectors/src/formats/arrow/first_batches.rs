//! The records that decide the columns of a file.

use std::sync::Arc;

use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry, LeafKind, Node, Widening};
use sage_types::Result;

use crate::output::{SavedReader, SavedWriter, malformed};

/// Records that are looked at before the columns are decided ...
const MAX_ROWS: usize = 16_384;
/// ... unless they have this many bytes before.
const MAX_BYTES: usize = 16 << 20;

/// The first records, kept until there are enough of them: a field that is null in the first of all has its type from
/// those behind.
#[derive(Debug, Default)]
pub(crate) struct FirstBatches {
    frames: Vec<Frame>,
    row: Option<Node>,
    rows: usize,
    bytes: usize,
}

impl FirstBatches {
    /// Keeps a copy of the batch; false, and nothing is kept, when it contradicts those before.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH`.
    pub(crate) fn take(&mut self, batch: &BatchView<'_>) -> Result<bool> {
        let row = &batch.layout().row;
        let joined = match &self.row {
            None => row.clone(),
            Some(known) if agree(known, row) => known.widen(row, Widening::Json),
            Some(_) => return Ok(false),
        };
        let frame = Frame::from_view(batch, FrameMeta::default())?;
        self.rows += frame.rows();
        self.bytes += frame.byte_len();
        self.frames.push(frame);
        self.row = Some(joined);
        Ok(true)
    }

    pub(crate) fn are_enough(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES
    }

    /// The layout of them all; `None` without records.
    pub(crate) fn row(&self) -> Option<&Node> {
        self.row.as_ref()
    }

    /// Copies of those that are kept, each with its layout.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH`: never.
    pub(crate) fn save(&self, saved: &mut SavedWriter) -> Result<()> {
        saved.json(&self.frames.len())?;
        let known = LayoutRegistry::new();
        for frame in &self.frames {
            // Frames of this process know their layouts.
            let view = frame.view(&known)?;
            let registry = LayoutRegistry::new();
            let id = registry.intern_layout(Arc::clone(view.layout()))?;
            let buffers = (0..view.layout().buffers().len()).map(|buffer| view.bytes(buffer));
            let encodings = view.encodings().to_vec();
            let own = BatchView::from_parts(Arc::clone(view.layout()), id, view.rows(), buffers, encodings)?;
            saved.bytes(view.layout().to_text().as_bytes());
            saved.bytes(Frame::from_view(&own, FrameMeta::default())?.as_bytes());
        }
        Ok(())
    }

    /// Keeps what was saved.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK`, and those of frames.
    pub(crate) fn restore(saved: &mut SavedReader<'_>) -> Result<Self> {
        let mut first = Self::default();
        for _ in 0..saved.json::<usize>()? {
            let layout = String::from_utf8_lossy(saved.bytes()?).into_owned();
            let registry = LayoutRegistry::new();
            registry.intern(&layout)?;
            let frame = Frame::from_bytes(saved.bytes()?)?;
            if !first.take(&frame.view(&registry)?)? {
                return Err(malformed("its first records do not fit each other"));
            }
        }
        Ok(first)
    }

    pub(crate) fn into_frames(self) -> Vec<Frame> {
        self.frames
    }
}

/// Whether the columns for both are those of one of them, made wider or with more fields, and no field changes its type.
fn agree(a: &Node, b: &Node) -> bool {
    let is_nil = |node: &Node| {
        matches!(
            node,
            Node::Leaf {
                kind: LeafKind::Nil,
                ..
            }
        )
    };
    // Arrays of any length are JSON columns.
    let is_json = |node: &Node| {
        matches!(
            node,
            Node::Tuple { .. }
                | Node::Leaf {
                    kind: LeafKind::Json,
                    ..
                }
        )
    };
    match (a, b) {
        _ if is_nil(a) || is_nil(b) || (is_json(a) && is_json(b)) => true,
        (Node::Leaf { kind: a, .. }, Node::Leaf { kind: b, .. }) => {
            let is_number = |kind: &LeafKind| matches!(kind, LeafKind::F64 | LeafKind::I32);
            a == b || (is_number(a) && is_number(b))
        }
        (Node::Record { fields: a, .. }, Node::Record { fields: b, .. }) => a.iter().all(|(name, node)| {
            let other = b.iter().find(|(other, _)| other == name);
            other.is_none_or(|(_, other)| agree(node, other))
        }),
        _ => false,
    }
}
