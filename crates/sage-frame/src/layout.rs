//! Which columns a batch has.

use sage_types::{ErrorCode, Result, SageError};

use crate::batch_plan::BatchPlan;
use crate::layout_text::{parse_layout, write_layout};
use crate::{BufferKind, Node, NodeIndex, PlannedNode};

/// Which columns a batch has; `docs/internals/data-path.md`, section 1. Equal when the texts are equal.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The canonical text.
    pub text: Box<str>,
    /// The key column of a keyed stream: one of `f64`, `bool`, `str`, `bytes`, never optional.
    pub key: Option<Node>,
    /// Whether there is a column with the event time of each row, in epoch milliseconds.
    pub timed: bool,
    /// The record.
    pub row: Node,
    plan: BatchPlan,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Layout {}

impl Layout {
    /// A layout of this key and row.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` when the key is optional, not a leaf, or of a kind that cannot be a key.
    pub fn new(key: Option<Node>, row: Node) -> Result<Self> {
        match &key {
            None => {}
            Some(Node::Leaf {
                kind,
                optional: false,
            }) if kind.can_be_key() => {}
            Some(_) => {
                return Err(SageError::new(
                    ErrorCode::FormatLayout,
                    "the key of a layout is one of f64, bool, str, bytes",
                )
                .with("layout", write_layout(key.as_ref(), false, &row)));
            }
        }
        Ok(Self::checked(key, false, row))
    }

    /// A layout without a key.
    #[must_use]
    pub fn unkeyed(row: Node) -> Self {
        Self::checked(None, false, row)
    }

    /// This layout with a column for the event time of each row.
    #[must_use]
    pub fn with_time(self) -> Self {
        Self::checked(self.key, true, self.row)
    }

    /// For keys that are known to be fit.
    pub(crate) fn checked(key: Option<Node>, timed: bool, row: Node) -> Self {
        let plan = BatchPlan::new(key.as_ref(), timed, &row);
        Self {
            text: write_layout(key.as_ref(), timed, &row).into(),
            key,
            timed,
            row,
            plan,
        }
    }

    /// Reads a layout's text. A text that is not canonical (white space, `"key":null`) gives the layout with the
    /// canonical text.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` when it is not a layout.
    pub fn parse(text: &str) -> Result<Self> {
        let (key, timed, row) = parse_layout(text)?;
        let layout = Self::new(key, row)?;
        Ok(if timed { layout.with_time() } else { layout })
    }

    /// The canonical text.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.text.to_string()
    }

    /// The buffers of a batch, in order.
    #[must_use]
    pub fn buffers(&self) -> &[BufferKind] {
        &self.plan.buffers
    }

    /// Number of encodings of a batch: columns with text.
    #[must_use]
    pub const fn encodings(&self) -> usize {
        self.plan.encodings
    }

    /// All nodes in depth-first order, key first, then time; what a [`NodeIndex`] points into.
    #[must_use]
    pub fn nodes(&self) -> &[PlannedNode] {
        &self.plan.nodes
    }

    /// The node of the key column, always 0.
    #[must_use]
    pub fn key_node(&self) -> Option<NodeIndex> {
        self.key.as_ref().map(|_| 0)
    }

    /// The node of the column with the event times.
    #[must_use]
    pub fn time_node(&self) -> Option<NodeIndex> {
        self.timed.then(|| usize::from(self.key.is_some()))
    }

    /// The node of the record.
    #[must_use]
    pub fn row_node(&self) -> NodeIndex {
        usize::from(self.key.is_some()) + usize::from(self.timed)
    }

    /// The field `name` of a record node.
    #[must_use]
    pub fn field(&self, record: NodeIndex, name: &str) -> Option<NodeIndex> {
        let nodes = &self.plan.nodes;
        let children = &nodes.get(record)?.children;
        children
            .iter()
            .copied()
            .find(|&child| nodes[child].name.as_deref() == Some(name))
    }

    /// The node at a path from the record: field names and element numbers joined by dots; `""` is the record itself.
    /// A field whose name has a dot in it cannot be named by a path: use [`Layout::field`].
    #[must_use]
    pub fn node_at(&self, path: &str) -> Option<NodeIndex> {
        let mut node = self.row_node();
        if path.is_empty() {
            return Some(node);
        }
        for step in path.split('.') {
            node = match self.plan.nodes[node].kind {
                crate::PlannedKind::Tuple => {
                    let index: usize = step.parse().ok()?;
                    *self.plan.nodes[node].children.get(index)?
                }
                _ => self.field(node, step)?,
            };
        }
        Some(node)
    }

    /// Path of a node for messages: `order.lines.0`; `key` and `time` for these columns, `""` for the record.
    #[must_use]
    pub fn path_of(&self, node: NodeIndex) -> String {
        if Some(node) == self.key_node() {
            return "key".to_owned();
        }
        if Some(node) == self.time_node() {
            return "time".to_owned();
        }
        let mut steps = Vec::new();
        let mut at = node;
        while let Some(parent) = self.plan.nodes.get(at).and_then(|node| node.parent) {
            let position = || {
                self.plan.nodes[parent]
                    .children
                    .iter()
                    .position(|&child| child == at)
            };
            let name = self.plan.nodes[at].name.as_deref().map(str::to_owned);
            steps.push(name.unwrap_or_else(|| position().unwrap_or_default().to_string()));
            at = parent;
        }
        steps.reverse();
        steps.join(".")
    }
}
