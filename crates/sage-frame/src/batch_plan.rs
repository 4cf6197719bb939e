//! The flattened form of a layout: which buffers a batch has, in order.

use crate::{LeafKind, Node};

/// Index of a node of a layout in depth-first order, key first, then time.
pub type NodeIndex = usize;

/// Unit in which an `ends` buffer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndsUnit {
    /// UTF-16 code units, as JavaScript strings count.
    Utf16,
    /// Bytes of the data buffer.
    Bytes,
}

/// What one buffer of a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferKind {
    /// One byte a row: see [`crate::presence`].
    Presence,
    /// A value a row: 8 bytes `f64`, 4 bytes `i32`, 1 byte boolean.
    Fixed {
        /// Bytes of one value.
        width: usize,
    },
    /// Where each row ends in the data buffer that follows: `u32` a row.
    Ends {
        /// What the ends count.
        unit: EndsUnit,
    },
    /// The bytes of all rows.
    Data {
        /// Index of its encoding for text, none for bytes.
        encoding: Option<usize>,
    },
}

/// What a planned node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedKind {
    /// One column.
    Leaf(LeafKind),
    /// A plain object; its fields are the children.
    Record,
    /// An array; its elements are the children.
    Tuple,
}

/// A node of a layout and where its buffers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedNode {
    /// What it is.
    pub kind: PlannedKind,
    /// Field name, if its parent is a record.
    pub name: Option<Box<str>>,
    /// The object or array that it is in.
    pub parent: Option<NodeIndex>,
    /// Fields or elements, in order.
    pub children: Vec<NodeIndex>,
    /// Index of the presence buffer, for optional nodes.
    pub presence: Option<usize>,
    /// Index of the first value buffer; meaningless for records, tuples and `nil`.
    pub values: usize,
    /// Index of the encoding of a leaf with text.
    pub encoding: Option<usize>,
}

impl PlannedNode {
    /// Whether a row may be absent.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        self.presence.is_some()
    }
}

/// Buffers, encodings and nodes of a layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BatchPlan {
    pub(crate) buffers: Vec<BufferKind>,
    pub(crate) encodings: usize,
    pub(crate) nodes: Vec<PlannedNode>,
}

impl BatchPlan {
    /// The plan of a layout with this key, with or without times, and this row.
    pub(crate) fn new(key: Option<&Node>, timed: bool, row: &Node) -> Self {
        let mut plan = Self::default();
        if let Some(key) = key {
            plan.visit(key, None, None);
        }
        if timed {
            plan.visit(&Node::leaf(LeafKind::F64), None, None);
        }
        plan.visit(row, None, None);
        plan
    }

    fn visit(&mut self, node: &Node, name: Option<&str>, parent: Option<NodeIndex>) -> NodeIndex {
        let index = self.nodes.len();
        let presence = node.is_optional().then(|| self.buffer(BufferKind::Presence));
        let kind = match node {
            Node::Leaf { kind, .. } => PlannedKind::Leaf(*kind),
            Node::Record { .. } => PlannedKind::Record,
            Node::Tuple { .. } => PlannedKind::Tuple,
        };
        self.nodes.push(PlannedNode {
            kind,
            name: name.map(Into::into),
            parent,
            children: Vec::new(),
            presence,
            values: self.buffers.len(),
            encoding: None,
        });
        match node {
            Node::Leaf { kind, .. } => self.nodes[index].encoding = self.leaf(*kind),
            Node::Record { fields, .. } => {
                for (name, field) in fields {
                    let child = self.visit(field, Some(name), Some(index));
                    self.nodes[index].children.push(child);
                }
            }
            Node::Tuple { items, .. } => {
                for item in items {
                    let child = self.visit(item, None, Some(index));
                    self.nodes[index].children.push(child);
                }
            }
        }
        index
    }

    fn buffer(&mut self, kind: BufferKind) -> usize {
        self.buffers.push(kind);
        self.buffers.len() - 1
    }

    /// Adds the value buffers of a leaf and returns the index of its encoding.
    fn leaf(&mut self, kind: LeafKind) -> Option<usize> {
        match kind {
            LeafKind::F64 | LeafKind::Date => {
                self.buffer(BufferKind::Fixed { width: 8 });
            }
            LeafKind::I32 => {
                self.buffer(BufferKind::Fixed { width: 4 });
            }
            LeafKind::Bool => {
                self.buffer(BufferKind::Fixed { width: 1 });
            }
            LeafKind::Bytes => self.bytes(),
            LeafKind::Str | LeafKind::Json => return Some(self.text()),
            LeafKind::Any => {
                self.bytes();
                return Some(self.text());
            }
            LeafKind::Nil => {}
        }
        None
    }

    fn bytes(&mut self) {
        self.buffer(BufferKind::Ends {
            unit: EndsUnit::Bytes,
        });
        self.buffer(BufferKind::Data { encoding: None });
    }

    fn text(&mut self) -> usize {
        let encoding = self.encodings;
        self.encodings += 1;
        self.buffer(BufferKind::Ends {
            unit: EndsUnit::Utf16,
        });
        self.buffer(BufferKind::Data {
            encoding: Some(encoding),
        });
        encoding
    }
}
