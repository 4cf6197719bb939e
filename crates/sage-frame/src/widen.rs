//! Layouts only widen: the least layout that holds what two layouts hold.

use crate::{Layout, LeafKind, Node, NodeIndex};

/// More columns than this make generated functions too large to optimise: the row becomes one column.
pub const MAX_COLUMNS: usize = 256;

/// What a column becomes when types disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Widening {
    /// `any`: what the specification says.
    #[default]
    Any,
    /// `json`: for readers and writers of JSON, whose values all have a text.
    Json,
}

impl Widening {
    const fn fallback(self) -> LeafKind {
        match self {
            Self::Any => LeafKind::Any,
            Self::Json => LeafKind::Json,
        }
    }
}

impl Layout {
    /// The least layout that holds the rows of both, falling back to `any`.
    #[must_use]
    pub fn widen(&self, other: &Self) -> Self {
        self.widen_with(other, Widening::Any)
    }

    /// The least layout that holds the rows of both. Keys of two kinds become `bytes`. A keyed and an unkeyed layout
    /// become unkeyed, since the rows of one have no key; one edge never has both. So with times.
    #[must_use]
    pub fn widen_with(&self, other: &Self, widening: Widening) -> Self {
        let key = match (&self.key, &other.key) {
            (Some(a), Some(b)) if a == b => Some(a.clone()),
            (Some(_), Some(_)) => Some(Node::leaf(LeafKind::Bytes)),
            _ => None,
        };
        let timed = self.timed && other.timed;
        Self::checked(
            key,
            timed,
            limit_columns(self.row.widen(&other.row, widening), widening),
        )
    }

    /// This layout with the node at `node` widened by `with`. Without effect for the key and for indexes out of range.
    #[must_use]
    pub fn with_widened(&self, node: NodeIndex, with: &Node, widening: Widening) -> Self {
        self.map_row(node, widening, |old| old.widen(with, widening))
    }

    /// This layout with one more field at the end of the record at `record`, optional because earlier rows miss it.
    /// Without effect where `record` is not a record, or has the field.
    #[must_use]
    pub fn with_field(&self, record: NodeIndex, name: &str, field: Node, widening: Widening) -> Self {
        self.map_row(record, widening, |old| match old {
            Node::Record { fields, optional } if fields.iter().all(|(other, _)| other != name) => {
                let mut fields = fields.clone();
                fields.push((name.to_owned(), field.optional()));
                Node::Record {
                    fields,
                    optional: *optional,
                }
            }
            other => other.clone(),
        })
    }

    fn map_row(&self, node: NodeIndex, widening: Widening, change: impl FnOnce(&Node) -> Node) -> Self {
        let mut row = self.row.clone();
        let first = self.row_node();
        if let Some(steps) = node.checked_sub(first)
            && let Some(place) = nth_node(&mut row, &mut { steps })
        {
            let changed = change(place);
            *place = changed;
        }
        Self::checked(self.key.clone(), self.timed, limit_columns(row, widening))
    }
}

/// The node that is `remaining` steps further in depth-first order.
fn nth_node<'n>(node: &'n mut Node, remaining: &mut usize) -> Option<&'n mut Node> {
    if *remaining == 0 {
        return Some(node);
    }
    *remaining -= 1;
    match node {
        Node::Leaf { .. } => None,
        Node::Record { fields, .. } => fields
            .iter_mut()
            .find_map(|(_, field)| nth_node(field, remaining)),
        Node::Tuple { items, .. } => items.iter_mut().find_map(|item| nth_node(item, remaining)),
    }
}

fn limit_columns(row: Node, widening: Widening) -> Node {
    if row.count_columns() > MAX_COLUMNS {
        return Node::leaf(widening.fallback()).with_optional(row.is_optional());
    }
    row
}

impl Node {
    /// The least node that holds what both hold. Commutative up to the order of fields, associative, idempotent.
    #[must_use]
    pub fn widen(&self, other: &Self, widening: Widening) -> Self {
        let optional = self.is_optional() || other.is_optional();
        match (self, other) {
            (
                Self::Leaf {
                    kind: LeafKind::Nil, ..
                },
                value,
            )
            | (
                value,
                Self::Leaf {
                    kind: LeafKind::Nil, ..
                },
            ) => value.clone().optional(),
            (Self::Leaf { kind: a, .. }, Self::Leaf { kind: b, .. }) => {
                Self::leaf(widen_leaves(*a, *b, widening)).with_optional(optional)
            }
            (Self::Record { fields: a, .. }, Self::Record { fields: b, .. }) => Self::Record {
                fields: widen_fields(a, b, widening),
                optional,
            },
            (Self::Tuple { items: a, .. }, Self::Tuple { items: b, .. }) if a.len() == b.len() => {
                let items = a.iter().zip(b).map(|(a, b)| a.widen(b, widening)).collect();
                Self::Tuple { items, optional }
            }
            // `any` holds everything, JSON texts too: it stays the greatest whatever the fallback is.
            (
                Self::Leaf {
                    kind: LeafKind::Any, ..
                },
                _,
            )
            | (
                _,
                Self::Leaf {
                    kind: LeafKind::Any, ..
                },
            ) => Self::leaf(LeafKind::Any).with_optional(optional),
            _ => Self::leaf(widening.fallback()).with_optional(optional),
        }
    }
}

fn widen_leaves(a: LeafKind, b: LeafKind, widening: Widening) -> LeafKind {
    match (a, b) {
        _ if a == b => a,
        (LeafKind::F64, LeafKind::I32) | (LeafKind::I32, LeafKind::F64) => LeafKind::F64,
        (LeafKind::Any, _) | (_, LeafKind::Any) => LeafKind::Any,
        _ => widening.fallback(),
    }
}

fn widen_fields(a: &[(String, Node)], b: &[(String, Node)], widening: Widening) -> Vec<(String, Node)> {
    let in_b = |name: &str| b.iter().find(|(other, _)| other == name).map(|(_, node)| node);
    let both = a.iter().map(|(name, node)| {
        let widened = in_b(name).map_or_else(|| node.clone().optional(), |other| node.widen(other, widening));
        (name.clone(), widened)
    });
    let only_b = b
        .iter()
        .filter(|(name, _)| a.iter().all(|(other, _)| other != name))
        .map(|(name, node)| (name.clone(), node.clone().optional()));
    both.chain(only_b).collect()
}
