//! A frame while its columns are being written, straight into the memory that will travel.

use std::sync::Arc;

use sage_types::{LayoutId, Result};

use crate::aligned::{align8, cast_mut};
use crate::batch_image::{Buffers, Spans, place_buffers};
use crate::buffer_pool::PooledBuffer;
use crate::frame_header::{HeaderParts, with_header};
use crate::validate::{check_rows, validate_batch};
use crate::{BatchView, Frame, FrameMeta, Layout, StringEncoding};

/// A frame while its columns are being written.
#[derive(Debug)]
pub struct FrameDraft {
    memory: PooledBuffer,
    length: usize,
    body: usize,
    header: HeaderParts,
    layout: Option<Arc<Layout>>,
}

impl FrameDraft {
    /// Makes room for `rows` rows: `lengths` are those of the buffers in bytes, in the order of the layout. The buffers hold
    /// anything until they are written.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` above 2 GiB, `SAGE_FORMAT_BATCH` for more rows than [`crate::MAX_ROWS`].
    pub fn new(
        layout: Arc<Layout>,
        layout_id: LayoutId,
        rows: usize,
        lengths: impl IntoIterator<Item = usize>,
        encodings: impl IntoIterator<Item = StringEncoding>,
        meta: FrameMeta,
    ) -> Result<Self> {
        check_rows(rows)?;
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_ROWS")]
        let rows = rows as u32;
        let (spans, body_length) = place_buffers(lengths)?;
        let encodings = encodings.into_iter().collect();
        let header = HeaderParts {
            meta,
            layout_id,
            rows,
            spans,
            encodings,
        };
        Ok(Self::place(header, body_length, Some(layout)))
    }

    /// A frame without rows.
    pub(crate) fn control(meta: FrameMeta) -> Self {
        let header = HeaderParts {
            meta,
            layout_id: LayoutId(0),
            rows: 0,
            spans: Spans::new(),
            encodings: smallvec::SmallVec::new(),
        };
        Self::place(header, 0, None)
    }

    fn place(header: HeaderParts, body_length: usize, layout: Option<Arc<Layout>>) -> Self {
        let (memory, body) = with_header(&header, |bytes| {
            let body = align8(4 + bytes.len());
            let mut memory = PooledBuffer::take(body + body_length);
            let dst = memory.bytes_mut();
            // A header has some bytes for each buffer of a layout.
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            dst[..4].copy_from_slice(&length.to_le_bytes());
            dst[4..4 + bytes.len()].copy_from_slice(bytes);
            dst[4 + bytes.len()..body].fill(0);
            (memory, body)
        });
        Self {
            memory,
            length: body + body_length,
            body,
            header,
            layout,
        }
    }

    /// One buffer to write; empty when there is none with this index. (Here and below.)
    pub fn bytes_mut(&mut self, buffer: usize) -> &mut [u8] {
        let Some(span) = self.header.spans.get(buffer) else {
            return &mut [];
        };
        let start = self.body + span.offset as usize;
        &mut self.memory.bytes_mut()[start..start + span.length as usize]
    }

    /// A buffer of numbers to write.
    pub fn f64s_mut(&mut self, buffer: usize) -> &mut [f64] {
        cast_mut(self.bytes_mut(buffer))
    }

    /// A buffer of whole numbers to write.
    pub fn i32s_mut(&mut self, buffer: usize) -> &mut [i32] {
        cast_mut(self.bytes_mut(buffer))
    }

    /// A buffer of ends to write.
    pub fn ends_mut(&mut self, buffer: usize) -> &mut [u32] {
        cast_mut(self.bytes_mut(buffer))
    }

    /// A buffer of ends and the data behind it, to write together.
    pub fn ends_and_data_mut(&mut self, ends: usize) -> (&mut [u32], &mut [u8]) {
        let (Some(first), Some(second)) = (self.header.spans.get(ends), self.header.spans.get(ends + 1))
        else {
            return (&mut [], &mut []);
        };
        let body = &mut self.memory.bytes_mut()[self.body..];
        let (head, tail) = body.split_at_mut(second.offset as usize);
        let start = first.offset as usize;
        (
            cast_mut(&mut head[start..start + first.length as usize]),
            &mut tail[..second.length as usize],
        )
    }

    /// Copies all buffers of a batch of the same shape.
    pub(crate) fn copy_from(&mut self, view: &BatchView<'_>) {
        let body = self.body;
        view.copy_buffers(&self.header.spans, &mut self.memory.bytes_mut()[body..]);
    }

    /// The frame, after checking that what was written is a batch of the layout.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` that names the first buffer that is wrong.
    pub fn finish(self) -> Result<Frame> {
        if let Some(layout) = &self.layout {
            let body = &self.memory.bytes()[self.body..self.length];
            let buffers: Buffers<'_> = self
                .header
                .spans
                .iter()
                .map(|span| &body[span.offset as usize..(span.offset + span.length) as usize])
                .collect();
            validate_batch(
                layout,
                self.header.rows as usize,
                &buffers,
                &self.header.encodings,
            )?;
        }
        Ok(self.into_frame())
    }

    /// The frame, for buffers that this crate wrote from a checked batch.
    pub(crate) fn into_frame(mut self) -> Frame {
        self.clear_padding();
        Frame::new(self.memory, self.length, self.body, self.header, self.layout)
    }

    /// Recycled memory holds bytes of another batch: they must not leave the process between two buffers.
    fn clear_padding(&mut self) {
        let body = self.body;
        let bytes = self.memory.bytes_mut();
        for span in &self.header.spans {
            let end = body + (span.offset + span.length) as usize;
            bytes[end..align8(end)].fill(0);
        }
    }
}
