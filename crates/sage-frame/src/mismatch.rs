//! A value that a batch under construction has no place for.

use crate::{LeafKind, Node, NodeIndex};

/// What a reader found where a node has no place for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A value of this kind.
    Value(LeafKind),
    /// `null`, `undefined` or nothing, in a node that is not optional.
    Absent,
    /// An object.
    Record,
    /// An array.
    Tuple,
}

/// A value that a batch under construction has no place for: flush the rows before, widen, go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("column {node} cannot hold {found:?}")]
pub struct Mismatch {
    /// The node that would have to be wider.
    pub node: NodeIndex,
    /// What was found.
    pub found: Found,
}

impl Mismatch {
    /// The narrowest node for what was found, as far as it is known: objects and arrays without their contents. For
    /// [`crate::Layout::with_widened`].
    #[must_use]
    pub fn found_node(&self) -> Node {
        match self.found {
            Found::Value(kind) => Node::leaf(kind),
            Found::Absent => Node::leaf(LeafKind::Nil),
            Found::Record => Node::record::<String>([]),
            Found::Tuple => Node::tuple([]),
        }
    }
}
