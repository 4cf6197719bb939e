//! A batch without some of its fields.

use std::sync::Arc;

use sage_frame::{
    BatchView, BufferKind, Layout, LeafKind, Node, NodeIndex, PlannedKind, PlannedNode, StringEncoding,
};
use sage_types::{LayoutId, Result};

/// The layout of records without some top-level fields, and which buffers of the batch belong to it. Made once for each
/// layout.
#[derive(Debug)]
pub(crate) struct WithoutFields {
    layout: Arc<Layout>,
    buffers: Vec<usize>,
    encodings: Vec<usize>,
}

impl WithoutFields {
    /// For batches of this layout, whose records are objects.
    pub(crate) fn new(from: &Layout, names: &[String]) -> Self {
        let nodes = from.nodes();
        let mut kept = vec![false; nodes.len()];
        for node in from.row_node()..nodes.len() {
            kept[node] = match nodes[node].parent {
                None => true,
                Some(parent) if parent == from.row_node() => {
                    let name = nodes[node].name.as_deref().unwrap_or_default();
                    !names.iter().any(|gone| gone == name)
                }
                Some(parent) => kept[parent],
            };
        }
        let own = |node: NodeIndex| own_buffers(from, &nodes[node]);
        let kept = || (0..nodes.len()).filter(|&node| kept[node]);
        let row = match &from.row {
            Node::Record { fields, optional } => Node::Record {
                fields: fields
                    .iter()
                    .filter(|(name, _)| !names.contains(name))
                    .cloned()
                    .collect(),
                optional: *optional,
            },
            other => other.clone(),
        };
        Self {
            layout: Arc::new(Layout::unkeyed(row)),
            buffers: kept().flat_map(own).collect(),
            encodings: kept().filter_map(|node| nodes[node].encoding).collect(),
        }
    }

    /// The same rows of a batch that has the layout it was made for.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH`: never, if so.
    pub(crate) fn of<'a>(&self, batch: &BatchView<'a>, id: LayoutId) -> Result<BatchView<'a>> {
        let buffers: Vec<&'a [u8]> = self.buffers.iter().map(|&buffer| batch.bytes(buffer)).collect();
        let encodings: Vec<StringEncoding> = self
            .encodings
            .iter()
            .map(|&encoding| batch.encodings()[encoding])
            .collect();
        BatchView::from_parts(Arc::clone(&self.layout), id, batch.rows(), buffers, encodings)
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

/// The buffers of a node without those of its children, in order.
fn own_buffers(layout: &Layout, node: &PlannedNode) -> impl Iterator<Item = usize> {
    let count = match node.kind {
        PlannedKind::Leaf(LeafKind::Any) => 4,
        PlannedKind::Leaf(LeafKind::Nil) | PlannedKind::Record | PlannedKind::Tuple => 0,
        PlannedKind::Leaf(_) => match layout.buffers().get(node.values) {
            Some(BufferKind::Ends { .. }) => 2,
            _ => 1,
        },
    };
    node.presence.into_iter().chain(node.values..node.values + count)
}
