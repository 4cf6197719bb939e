//! The fields of a record column.

use std::collections::HashMap;

use sage_frame::{Node, StringEncoding, presence};

use crate::columns::{ColumnNode, QuotedName};

/// From how many fields on names are looked up in a table and not one after the other.
const TABLE_FROM: usize = 16;

/// A record column: its fields in the order of the layout, each a column of its own.
#[derive(Debug, Default)]
pub(crate) struct RecordColumn {
    pub(crate) fields: Vec<FieldColumn>,
    by_name: HashMap<Box<str>, usize>,
    rows: usize,
    /// Whether rows were handed over before those that are here: a new field is then missing in them.
    had_rows: bool,
    /// Number of the row in progress, counted over rows that were taken back; see [`FieldColumn::seen_in`].
    pub(crate) serial: u64,
    /// A field name cannot be in a layout, or there are too many: the whole record must become JSON.
    pub(crate) demoted: bool,
}

/// A field of a record column.
#[derive(Debug)]
pub(crate) struct FieldColumn {
    pub(crate) name: Box<str>,
    /// The name as the file first wrote it.
    pub(crate) quoted: QuotedName,
    /// `None`: a field that the projection leaves away.
    pub(crate) node: Option<ColumnNode>,
    /// Serial of the last row that had the field.
    pub(crate) seen_in: u64,
}

impl RecordColumn {
    pub(crate) fn with_fillers(rows: usize) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The field with this name; the search begins at `from`, where it most likely is.
    pub(crate) fn find(&self, name: &str, from: usize) -> Option<usize> {
        if self.fields.len() > TABLE_FROM {
            return self.by_name.get(name).copied();
        }
        let is_it = |&index: &usize| *self.fields[index].name == *name;
        (from..self.fields.len())
            .find(is_it)
            .or_else(|| (0..from.min(self.fields.len())).find(is_it))
    }

    /// Appends a field; `kept` is false when the projection leaves it away.
    pub(crate) fn append(&mut self, name: &str, quoted: &[u8], kept: bool) -> usize {
        let node = kept.then(|| {
            if self.rows > 0 || self.had_rows {
                ColumnNode::appended(self.rows)
            } else {
                ColumnNode::unknown()
            }
        });
        let index = self.fields.len();
        self.fields.push(FieldColumn {
            name: name.into(),
            quoted: QuotedName::new(quoted),
            node,
            seen_in: 0,
        });
        self.by_name.insert(name.into(), index);
        index
    }

    /// Ends a row in which `seen` different fields were there.
    #[inline]
    pub(crate) fn end_row(&mut self, seen: usize) {
        if seen < self.fields.len() {
            for field in &mut self.fields {
                if field.seen_in != self.serial
                    && let Some(node) = &mut field.node
                {
                    node.push_absent(presence::MISSING);
                }
            }
        }
        self.rows += 1;
    }

    pub(crate) fn push_filler(&mut self) {
        for node in self.nodes_mut() {
            node.push_filler();
        }
        self.rows += 1;
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        for node in self.nodes_mut() {
            node.truncate(rows);
        }
        self.rows = self.rows.min(rows);
    }

    pub(crate) fn clear(&mut self) {
        for node in self.nodes_mut() {
            node.clear();
        }
        self.had_rows |= self.rows > 0;
        self.rows = 0;
    }

    pub(crate) fn apply_demotions(&mut self) {
        for node in self.nodes_mut() {
            node.apply_demotions();
        }
    }

    pub(crate) fn columns(&self) -> usize {
        self.nodes().map(|(_, node)| node.columns()).sum()
    }

    pub(crate) fn layout_fields(&self) -> Vec<(String, Node)> {
        self.nodes()
            .map(|(name, node)| (name.to_owned(), node.layout()))
            .collect()
    }

    pub(crate) fn collect<'a>(&'a self, buffers: &mut Vec<&'a [u8]>, encodings: &mut Vec<StringEncoding>) {
        for (_, node) in self.nodes() {
            node.collect(buffers, encodings);
        }
    }

    fn nodes(&self) -> impl Iterator<Item = (&str, &ColumnNode)> {
        self.fields
            .iter()
            .filter_map(|field| Some((&*field.name, field.node.as_ref()?)))
    }

    fn nodes_mut(&mut self) -> impl Iterator<Item = &mut ColumnNode> {
        self.fields.iter_mut().filter_map(|field| field.node.as_mut())
    }
}
