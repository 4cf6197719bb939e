//! A batch that somebody else owns, checked once and then read without further checks.

use std::sync::Arc;

use sage_types::{ErrorCode, LayoutId, Result, SageError};

use crate::aligned::{align8, cast};
use crate::batch_image::{
    Buffers, Encodings, ImageParts, ImageTooSmall, Spans, image_header_len, parse_image, place_buffers,
    write_image_header,
};
use crate::validate::validate_batch;
use crate::{
    BytesColumn, Column, ColumnData, Layout, LayoutRegistry, LeafKind, NodeIndex, PlannedKind, StrColumn,
    StringEncoding,
};

/// A batch in borrowed memory. All of its invariants (lengths, ends, encodings) hold: it cannot be made otherwise.
#[derive(Debug, Clone)]
pub struct BatchView<'a> {
    rows: usize,
    layout: Arc<Layout>,
    layout_id: LayoutId,
    buffers: Buffers<'a>,
    encodings: Encodings,
}

impl<'a> BatchView<'a> {
    /// The batch in an image, fully checked. Bytes behind the last buffer are ignored.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` when the image is malformed or has a layout that the registry does not know.
    pub fn from_image(image: &'a [u8], registry: &LayoutRegistry) -> Result<Self> {
        let ImageParts {
            rows,
            layout_id,
            buffers,
            encodings,
        } = parse_image(image)?;
        let layout = registry.get(layout_id).ok_or_else(|| unknown_layout(layout_id))?;
        validate_batch(&layout, rows, &buffers, &encodings)?;
        Ok(Self {
            rows,
            layout,
            layout_id,
            buffers,
            encodings,
        })
    }

    /// A batch of these buffers, in the order of the layout's [`Layout::buffers`], fully checked.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` when they are not a batch of this layout.
    pub fn from_parts(
        layout: Arc<Layout>,
        layout_id: LayoutId,
        rows: usize,
        buffers: impl IntoIterator<Item = &'a [u8]>,
        encodings: impl IntoIterator<Item = StringEncoding>,
    ) -> Result<Self> {
        let view = Self::trusted(
            layout,
            layout_id,
            rows,
            buffers.into_iter().collect(),
            encodings.into_iter().collect(),
        );
        validate_batch(&view.layout, rows, &view.buffers, &view.encodings)?;
        Ok(view)
    }

    /// A batch of buffers that this crate wrote or has checked.
    pub(crate) fn trusted(
        layout: Arc<Layout>,
        layout_id: LayoutId,
        rows: usize,
        buffers: Buffers<'a>,
        encodings: Encodings,
    ) -> Self {
        Self {
            rows,
            layout,
            layout_id,
            buffers,
            encodings,
        }
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The layout.
    #[must_use]
    pub const fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Id of the layout in the job's registry.
    #[must_use]
    pub const fn layout_id(&self) -> LayoutId {
        self.layout_id
    }

    /// All buffers, in the order of the layout.
    #[must_use]
    pub fn buffers(&self) -> &[&'a [u8]] {
        &self.buffers
    }

    /// All encodings, in the order of the layout.
    #[must_use]
    pub fn encodings(&self) -> &[StringEncoding] {
        &self.encodings
    }

    /// One buffer; empty when there is none with this index. (Here and below.)
    #[must_use]
    pub fn bytes(&self, buffer: usize) -> &'a [u8] {
        self.buffers.get(buffer).copied().unwrap_or_default()
    }

    /// A buffer of numbers.
    #[must_use]
    pub fn f64s(&self, buffer: usize) -> &'a [f64] {
        cast(self.bytes(buffer))
    }

    /// A buffer of whole numbers.
    #[must_use]
    pub fn i32s(&self, buffer: usize) -> &'a [i32] {
        cast(self.bytes(buffer))
    }

    /// A buffer of ends.
    #[must_use]
    pub fn ends(&self, buffer: usize) -> &'a [u32] {
        cast(self.bytes(buffer))
    }

    fn str_column(&self, ends: usize, encoding: Option<usize>) -> StrColumn<'a> {
        let encoding = encoding
            .and_then(|index| self.encodings.get(index))
            .copied()
            .unwrap_or_default();
        StrColumn {
            ends: self.ends(ends),
            data: self.bytes(ends + 1),
            encoding,
        }
    }

    fn bytes_column(&self, ends: usize) -> BytesColumn<'a> {
        BytesColumn {
            ends: self.ends(ends),
            data: self.bytes(ends + 1),
        }
    }

    /// The column of a node; none when there is no such node.
    #[must_use]
    pub fn node(&self, node: NodeIndex) -> Option<Column<'a>> {
        let planned = self.layout.nodes().get(node)?;
        let values = planned.values;
        let data = match planned.kind {
            PlannedKind::Record => ColumnData::Record,
            PlannedKind::Tuple => ColumnData::Tuple,
            PlannedKind::Leaf(LeafKind::F64) => ColumnData::F64(self.f64s(values)),
            PlannedKind::Leaf(LeafKind::I32) => ColumnData::I32(self.i32s(values)),
            PlannedKind::Leaf(LeafKind::Bool) => ColumnData::Bool(self.bytes(values)),
            PlannedKind::Leaf(LeafKind::Date) => ColumnData::Date(self.f64s(values)),
            PlannedKind::Leaf(LeafKind::Bytes) => ColumnData::Bytes(self.bytes_column(values)),
            PlannedKind::Leaf(LeafKind::Str) => ColumnData::Str(self.str_column(values, planned.encoding)),
            PlannedKind::Leaf(LeafKind::Json) => ColumnData::Json(self.str_column(values, planned.encoding)),
            PlannedKind::Leaf(LeafKind::Any) => ColumnData::Any {
                tokens: self.bytes_column(values),
                pool: self.str_column(values + 2, planned.encoding),
            },
            PlannedKind::Leaf(LeafKind::Nil) => ColumnData::Nil,
        };
        Some(Column {
            node,
            presence: planned.presence.map(|buffer| self.bytes(buffer)),
            data,
        })
    }

    /// The column at a path from the record, as [`Layout::node_at`] reads it.
    #[must_use]
    pub fn column(&self, path: &str) -> Option<Column<'a>> {
        self.node(self.layout.node_at(path)?)
    }

    /// The key column of a keyed batch.
    #[must_use]
    pub fn key(&self) -> Option<Column<'a>> {
        self.node(self.layout.key_node()?)
    }

    /// The event times of the rows in epoch milliseconds; none where the layout has no times.
    #[must_use]
    pub fn times(&self) -> Option<&'a [f64]> {
        match self.node(self.layout.time_node()?)?.data {
            ColumnData::F64(times) => Some(times),
            _ => None,
        }
    }

    /// Bytes that the image of this batch has.
    #[must_use]
    pub fn image_len(&self) -> usize {
        let body: usize = self.buffers.iter().map(|buffer| align8(buffer.len())).sum();
        image_header_len(self.buffers.len(), self.encodings.len()) + body
    }

    /// Copies the batch into an image and returns its length. `dst` should start at a multiple of 8, because readers
    /// demand it.
    ///
    /// # Errors
    /// [`ImageTooSmall`] when `dst` has less than [`BatchView::image_len`] bytes; nothing is written then.
    pub fn write_image(&self, dst: &mut [u8]) -> Result<usize, ImageTooSmall> {
        let needed = self.image_len();
        let placed = place_buffers(self.buffers.iter().map(|buffer| buffer.len()));
        let (Ok((spans, _)), Some(dst)) = (placed, dst.get_mut(..needed)) else {
            return Err(ImageTooSmall { needed_bytes: needed });
        };
        let first = image_header_len(self.buffers.len(), self.encodings.len());
        let rows = u32::try_from(self.rows).unwrap_or(u32::MAX);
        write_image_header(dst, rows, self.layout_id, &spans, &self.encodings);
        self.copy_buffers(&spans, &mut dst[first..]);
        Ok(needed)
    }

    /// Copies all buffers to their places in `body`.
    pub(crate) fn copy_buffers(&self, spans: &Spans, body: &mut [u8]) {
        for (span, buffer) in spans.iter().zip(&self.buffers) {
            let offset = span.offset as usize;
            body[offset..offset + buffer.len()].copy_from_slice(buffer);
        }
    }
}

pub(crate) fn unknown_layout(id: LayoutId) -> SageError {
    SageError::new(
        ErrorCode::FormatBatch,
        format!("malformed batch: there is no layout {id}"),
    )
    .with("layoutId", id.0)
}
