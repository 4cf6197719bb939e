//! A batch that a native reader fills row by row, value by value.

use std::sync::Arc;

use sage_types::{LayoutId, Result};

use crate::batch_image::place_buffers;
use crate::column_builder::{ColumnBuilder, Scalar};
use crate::{
    BatchView, Found, Frame, FrameMeta, Layout, Mismatch, NodeIndex, PlannedKind, TokenWriter, presence,
};

/// A batch that is filled row by row. For each row: push a value to each leaf that has one (and
/// [`BatchBuilder::push_record`] or [`BatchBuilder::push_tuple`] for each object and array below the record), in any
/// order, then [`BatchBuilder::end_row`]. A second value for a leaf in one row replaces the first, as in JSON.
///
/// A [`Mismatch`] says that the layout is too narrow: call [`BatchBuilder::abandon_row`], [`BatchBuilder::finish`] with the
/// rows before, widen the layout, and push the row again to a builder of the wider layout.
///
/// ```
/// use std::sync::Arc;
/// use sage_frame::{BatchBuilder, FrameMeta, Layout, LayoutRegistry, Widening};
///
/// let registry = LayoutRegistry::new();
/// let layout = Arc::new(Layout::parse(r#"{"row":{"rec":[["id","f64"],["name","str?"]]}}"#)?);
/// let (id, name) = (layout.node_at("id").unwrap(), layout.node_at("name").unwrap());
/// let mut builder = BatchBuilder::new(Arc::clone(&layout));
///
/// builder.push_f64(id, 1.0).unwrap();
/// builder.push_str(name, "Ada").unwrap();
/// builder.end_row().unwrap();
/// builder.push_f64(id, 2.0).unwrap();
/// builder.end_row().unwrap(); // the name is missing
/// let mismatch = builder.push_str(id, "three").unwrap_err();
/// builder.abandon_row();
///
/// let frame = builder.finish(registry.intern_layout(Arc::clone(&layout))?, FrameMeta::default())?;
/// assert_eq!(frame.rows(), 2);
/// let wider = layout.with_widened(mismatch.node, &mismatch.found_node(), Widening::Any);
/// assert_eq!(&*wider.text, r#"{"row":{"rec":[["id","any"],["name","str?"]]}}"#);
/// # Ok::<(), sage_types::SageError>(())
/// ```
#[derive(Debug)]
pub struct BatchBuilder {
    layout: Arc<Layout>,
    columns: Vec<ColumnBuilder>,
    /// Objects and arrays, parents first.
    containers: Vec<NodeIndex>,
    leaves: usize,
    /// Complete rows.
    rows: usize,
    /// Whether there is a leaf below every object and array, so that they are all present when all leaves are.
    told_by_leaves: bool,
    /// Leaves that have a value or an absence in the row in progress.
    pushed: usize,
    /// Bytes of variable data, replaced and abandoned values included.
    variable_bytes: usize,
}

type Push = Result<(), Mismatch>;

impl BatchBuilder {
    /// An empty batch of this layout.
    #[must_use]
    pub fn new(layout: Arc<Layout>) -> Self {
        let nodes = layout.nodes();
        let is_leaf = |node: &NodeIndex| matches!(nodes[*node].kind, PlannedKind::Leaf(_));
        let (leaves, containers): (Vec<_>, Vec<_>) = (0..nodes.len()).partition(is_leaf);
        let columns = nodes.iter().map(ColumnBuilder::new).collect();
        // Something without a leaf below it has, or is, an empty object or array.
        let empty = |node: &NodeIndex| nodes[*node].children.is_empty();
        let told_by_leaves = !containers.iter().any(empty);
        Self {
            columns,
            containers,
            leaves: leaves.len(),
            layout,
            rows: 0,
            told_by_leaves,
            pushed: 0,
            variable_bytes: 0,
        }
    }

    /// The layout.
    #[must_use]
    pub const fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Complete rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of strings and tokens so far, about: readers close a batch by it.
    #[must_use]
    pub const fn variable_bytes(&self) -> usize {
        self.variable_bytes
    }

    /// Whether a node has a value or an absence in the row in progress.
    #[must_use]
    pub fn has_value(&self, node: NodeIndex) -> bool {
        self.columns
            .get(node)
            .is_some_and(|column| column.rows > self.rows)
    }

    #[inline]
    fn push(&mut self, node: NodeIndex, value: Scalar<'_>) -> Push {
        self.make_room(node);
        let variable = self.columns[node]
            .push(value)
            .map_err(|found| Mismatch { node, found })?;
        self.variable_bytes += variable;
        self.pushed += 1;
        Ok(())
    }

    /// Pushes a number.
    ///
    /// # Errors
    /// [`Mismatch`] when the column cannot hold it; the node has no value in this row then. (Here and below.)
    ///
    /// # Panics
    /// When the layout has no such node. (Here and below.)
    #[inline]
    pub fn push_f64(&mut self, node: NodeIndex, number: f64) -> Push {
        self.push(node, Scalar::F64(number))
    }

    /// Pushes a whole number.
    ///
    /// # Errors
    /// [`Mismatch`].
    #[inline]
    pub fn push_i32(&mut self, node: NodeIndex, whole: i32) -> Push {
        self.push(node, Scalar::I32(whole))
    }

    /// Pushes a boolean.
    ///
    /// # Errors
    /// [`Mismatch`].
    #[inline]
    pub fn push_bool(&mut self, node: NodeIndex, boolean: bool) -> Push {
        self.push(node, Scalar::Bool(boolean))
    }

    /// Pushes a string.
    ///
    /// # Errors
    /// [`Mismatch`].
    #[inline]
    pub fn push_str(&mut self, node: NodeIndex, text: &str) -> Push {
        self.push(node, Scalar::Str(text))
    }

    /// Pushes a string that may have unpaired surrogates.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_utf16(&mut self, node: NodeIndex, units: &[u16]) -> Push {
        self.push(node, Scalar::Utf16(units))
    }

    /// Pushes a `Date`, in epoch milliseconds.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_date(&mut self, node: NodeIndex, epoch_millis: f64) -> Push {
        self.push(node, Scalar::Date(epoch_millis))
    }

    /// Pushes a JSON text to a `json` column. The caller knows that it is one.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_json(&mut self, node: NodeIndex, text: &str) -> Push {
        self.push(node, Scalar::Json(text))
    }

    /// Pushes canonical key bytes to a `bytes` column.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_key(&mut self, node: NodeIndex, canonical: &[u8]) -> Push {
        self.push(node, Scalar::Bytes(canonical))
    }

    /// Pushes any value to an `any` column; `write` writes exactly one.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_any(&mut self, node: NodeIndex, write: impl FnOnce(&mut TokenWriter<'_>)) -> Push {
        self.make_room(node);
        let pushed = self.columns[node].push_tokens(write);
        self.variable_bytes += pushed.map_err(|found| Mismatch { node, found })?;
        self.pushed += 1;
        Ok(())
    }

    /// Pushes an object whose fields are columns; needed below the record only.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_record(&mut self, node: NodeIndex) -> Push {
        self.make_room(node);
        self.columns[node]
            .push_container(Found::Record)
            .map_err(|found| Mismatch { node, found })
    }

    /// Pushes an array whose elements are columns; needed below the record only.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_tuple(&mut self, node: NodeIndex) -> Push {
        self.make_room(node);
        self.columns[node]
            .push_container(Found::Tuple)
            .map_err(|found| Mismatch { node, found })
    }

    /// Pushes `null`.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_null(&mut self, node: NodeIndex) -> Push {
        self.push_absent(node, presence::NULL)
    }

    /// Pushes `undefined`.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_undefined(&mut self, node: NodeIndex) -> Push {
        self.push_absent(node, presence::UNDEFINED)
    }

    /// Says that the field is not there; [`BatchBuilder::end_row`] does that by itself.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn push_missing(&mut self, node: NodeIndex) -> Push {
        self.push_absent(node, presence::MISSING)
    }

    fn push_absent(&mut self, node: NodeIndex, absence: u8) -> Push {
        self.make_room(node);
        self.columns[node]
            .push_absent(absence)
            .map_err(|found| Mismatch { node, found })?;
        self.pushed += usize::from(self.is_leaf(node));
        Ok(())
    }

    fn is_leaf(&self, node: NodeIndex) -> bool {
        matches!(self.layout.nodes()[node].kind, PlannedKind::Leaf(_))
    }

    /// Takes back what the node, and everything below it, has in the row in progress.
    #[inline]
    fn make_room(&mut self, node: NodeIndex) {
        if self.columns[node].rows > self.rows {
            self.take_back(node);
        }
    }

    #[cold]
    fn take_back(&mut self, node: NodeIndex) {
        for at in self.subtree(node) {
            if self.columns[at].rows > self.rows {
                self.columns[at].take_back();
                self.pushed -= usize::from(self.is_leaf(at));
            }
        }
    }

    /// The node and everything below it: contiguous in depth-first order.
    fn subtree(&self, node: NodeIndex) -> std::ops::Range<NodeIndex> {
        let nodes = self.layout.nodes();
        let mut last = node;
        while let Some(&child) = nodes[last].children.last() {
            last = child;
        }
        node..last + 1
    }

    /// Completes the row: nodes without a value are missing.
    ///
    /// # Errors
    /// [`Mismatch`] for a node that is missing and not optional. The row is still in progress then.
    pub fn end_row(&mut self) -> Push {
        if self.told_by_leaves && self.pushed == self.leaves {
            // Every leaf has something: only objects and arrays that nobody named are left.
            for at in 0..self.containers.len() {
                let node = self.containers[at];
                if self.columns[node].rows == self.rows {
                    self.columns[node].push_filler();
                }
            }
            if self
                .containers
                .iter()
                .all(|&node| !self.columns[node].last_is_absent())
            {
                self.complete();
                return Ok(());
            }
        }
        if let Some(key) = self.layout.key_node() {
            self.settle(key)?;
        }
        if let Some(time) = self.layout.time_node() {
            self.settle(time)?;
        }
        let row = self.layout.row_node();
        if !self.is_leaf(row) && self.columns[row].rows == self.rows {
            // The record itself need not be named.
            self.columns[row].push_filler();
        }
        self.settle(row)?;
        self.complete();
        Ok(())
    }

    fn complete(&mut self) {
        self.rows += 1;
        self.pushed = 0;
    }

    /// Gives the node and everything below it something in the row in progress.
    fn settle(&mut self, node: NodeIndex) -> Push {
        if self.columns[node].rows == self.rows {
            if !self.is_leaf(node) && self.subtree(node).any(|below| self.has_value(below)) {
                self.columns[node].push_filler();
            } else {
                self.push_absent(node, presence::MISSING)?;
            }
        }
        if self.is_leaf(node) {
            return Ok(());
        }
        if self.columns[node].last_is_absent() {
            for below in self.subtree(node).skip(1) {
                self.make_room(below);
                self.columns[below].push_filler();
                self.pushed += usize::from(self.is_leaf(below));
            }
            return Ok(());
        }
        for at in 0..self.layout.nodes()[node].children.len() {
            let child = self.layout.nodes()[node].children[at];
            self.settle(child)?;
        }
        Ok(())
    }

    /// Takes the row in progress back.
    pub fn abandon_row(&mut self) {
        for column in &mut self.columns {
            if column.rows > self.rows {
                column.take_back();
            }
        }
        self.pushed = 0;
    }

    /// The complete rows as a frame (perhaps of no rows). The builder is empty afterwards and can go on with the same
    /// layout; a row in progress is abandoned.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` above 2 GiB, `SAGE_FORMAT_BATCH` above [`crate::MAX_ROWS`] rows.
    pub fn finish(&mut self, layout_id: LayoutId, meta: FrameMeta) -> Result<Frame> {
        self.abandon_row();
        let mut buffers = Vec::with_capacity(self.layout.buffers().len());
        let mut encodings = Vec::with_capacity(self.layout.encodings());
        for column in &self.columns {
            column.buffers(&mut buffers, &mut encodings);
        }
        let layout = Arc::clone(&self.layout);
        // Too large a column is reported as that, before its ends, which have wrapped, are looked at.
        let frame = place_buffers(buffers.iter().map(|buffer| buffer.len()))
            .and_then(|_| BatchView::from_parts(layout, layout_id, self.rows, buffers, encodings))
            .and_then(|view| Frame::from_view(&view, meta));
        for column in &mut self.columns {
            column.clear();
        }
        self.rows = 0;
        self.variable_bytes = 0;
        frame
    }
}
