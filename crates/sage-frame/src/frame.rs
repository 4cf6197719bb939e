//! What travels in queues: a batch with its header in one piece of memory, shared and never changed.

use std::sync::Arc;

use sage_types::{LayoutId, Result};

use crate::aligned::align8;
use crate::batch_image::{Buffers, ImageTooSmall, image_header_len, write_image_header};
use crate::batch_view::unknown_layout;
use crate::buffer_pool::PooledBuffer;
use crate::frame_header::{HeaderParts, malformed, read_header};
use crate::validate::{check_rows, validate_batch};
use crate::{BatchView, FrameDraft, Layout, LayoutRegistry};

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum FrameKind {
    /// A batch of rows.
    #[default]
    Data = 0,
    /// No rows: all records before the watermark have come.
    Watermark = 1,
    /// No rows: a checkpoint barrier.
    Barrier = 2,
    /// No rows: nothing follows on this edge.
    End = 3,
    /// No rows: no records come for now, so that nobody waits for this sender's watermark. Ends with the next frame.
    Idle = 4,
    /// No rows: a checkpoint barrier behind which the sender stops.
    LastBarrier = 5,
}

/// What a frame says about its rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameMeta {
    /// What it carries.
    pub kind: FrameKind,
    /// Checkpoint epoch that it belongs to.
    pub epoch: u64,
    /// Greatest event time of its rows in epoch milliseconds; negative infinity where there is none.
    pub max_event_time: f64,
    /// Watermark of the sender in epoch milliseconds; negative infinity where there is none, and with rows.
    pub watermark: f64,
}

impl Default for FrameMeta {
    /// Rows without event time, before the first checkpoint.
    fn default() -> Self {
        Self {
            kind: FrameKind::Data,
            epoch: 0,
            max_event_time: f64::NEG_INFINITY,
            watermark: f64::NEG_INFINITY,
        }
    }
}

/// A frame; cheap to clone, its memory is shared and goes back to a pool with the last clone.
#[derive(Debug, Clone)]
pub struct Frame {
    inner: Arc<FrameInner>,
}

#[derive(Debug)]
struct FrameInner {
    memory: PooledBuffer,
    /// Bytes of the memory that are the frame.
    length: usize,
    /// Where the buffers start.
    body: usize,
    header: HeaderParts,
    /// The layout of a batch that was written by this process, and so needs no check. None for frames that came as bytes
    /// and for frames without rows.
    layout: Option<Arc<Layout>>,
}

impl Frame {
    /// Copies a batch into a frame.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` above 2 GiB.
    pub fn from_view(view: &BatchView<'_>, meta: FrameMeta) -> Result<Self> {
        let lengths = view.buffers().iter().map(|buffer| buffer.len());
        let mut draft = FrameDraft::new(
            Arc::clone(view.layout()),
            view.layout_id(),
            view.rows(),
            lengths,
            view.encodings().iter().copied(),
            meta,
        )?;
        draft.copy_from(view);
        Ok(draft.into_frame())
    }

    /// A frame without rows that says how far the sender's event time is: all records before `watermark` have been sent.
    #[must_use]
    pub fn time(watermark: f64, idle: bool) -> Self {
        let kind = if idle {
            FrameKind::Idle
        } else {
            FrameKind::Watermark
        };
        Self::control(FrameMeta {
            kind,
            watermark,
            ..FrameMeta::default()
        })
    }

    /// Whether it says how far event time is, and nothing else.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(self.meta().kind, FrameKind::Watermark | FrameKind::Idle)
    }

    /// A frame without rows that divides what belongs to checkpoint `epoch` from what comes behind it; behind the `last` one the
    /// sender stops.
    #[must_use]
    pub fn barrier(epoch: u64, last: bool) -> Self {
        let kind = if last {
            FrameKind::LastBarrier
        } else {
            FrameKind::Barrier
        };
        Self::control(FrameMeta {
            kind,
            epoch,
            ..FrameMeta::default()
        })
    }

    /// Epoch of a barrier, and whether it is the last one; none for any other frame.
    #[must_use]
    pub fn as_barrier(&self) -> Option<(u64, bool)> {
        let FrameMeta { kind, epoch, .. } = self.meta();
        match kind {
            FrameKind::Barrier => Some((epoch, false)),
            FrameKind::LastBarrier => Some((epoch, true)),
            FrameKind::Data | FrameKind::Watermark | FrameKind::End | FrameKind::Idle => None,
        }
    }

    /// A frame without rows: a watermark, a barrier, an end.
    #[must_use]
    pub fn control(meta: FrameMeta) -> Self {
        FrameDraft::control(meta).into_frame()
    }

    pub(crate) fn new(
        memory: PooledBuffer,
        length: usize,
        body: usize,
        header: HeaderParts,
        layout: Option<Arc<Layout>>,
    ) -> Self {
        Self {
            inner: Arc::new(FrameInner {
                memory,
                length,
                body,
                header,
                layout,
            }),
        }
    }

    /// Copies a frame that came as bytes. Header and places of buffers are checked now, their content by
    /// [`Frame::view`], which knows the layout.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` when the bytes are not a frame.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (length, rest) = bytes
            .split_first_chunk::<4>()
            .ok_or_else(|| malformed("it is too short"))?;
        let header_length = u32::from_le_bytes(*length) as usize;
        let header = rest
            .get(..header_length)
            .ok_or_else(|| malformed("it ends in its header"))?;
        let header = read_header(header)?;
        let body = align8(4 + header_length);
        let body_length = bytes
            .len()
            .checked_sub(body)
            .ok_or_else(|| malformed("it ends in its header"))?;
        for (index, span) in header.spans.iter().enumerate() {
            let (offset, length) = (span.offset as usize, span.length as usize);
            if !offset.is_multiple_of(8) || offset.checked_add(length).is_none_or(|end| end > body_length) {
                return Err(
                    malformed("a buffer does not lie in the frame, or not at a multiple of 8")
                        .with("buffer", index)
                        .with("offset", offset)
                        .with("length", length),
                );
            }
        }
        check_rows(header.rows as usize)?;
        if i32::try_from(bytes.len() + (1 << 20)).is_err() {
            return Err(malformed("it is larger than 2 GiB"));
        }
        let mut memory = PooledBuffer::take(bytes.len());
        memory.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        Ok(Self::new(memory, bytes.len(), body, header, None))
    }

    /// What the frame says about its rows.
    #[must_use]
    pub fn meta(&self) -> FrameMeta {
        self.inner.header.meta
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.inner.header.rows as usize
    }

    /// Bytes of the frame: what it costs of a queue's byte credit.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.inner.length
    }

    /// The layout of its rows in the job's registry; 0 for frames without rows.
    #[must_use]
    pub fn layout_id(&self) -> LayoutId {
        self.inner.header.layout_id
    }

    /// The whole frame, for a wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.inner.memory.bytes()[..self.inner.length]
    }

    fn body(&self) -> &[u8] {
        &self.as_bytes()[self.inner.body.min(self.inner.length)..]
    }

    /// The batch. Checked in full when the frame came as bytes.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` for a frame without rows (a control frame), or one from a wire that is malformed or whose
    /// layout the registry does not know.
    pub fn view(&self, registry: &LayoutRegistry) -> Result<BatchView<'_>> {
        let header = &self.inner.header;
        if header.meta.kind != FrameKind::Data {
            return Err(malformed("it is a control frame, without rows"));
        }
        let body = self.body();
        let buffers: Buffers<'_> = header
            .spans
            .iter()
            .map(|span| {
                body.get(span.offset as usize..)
                    .and_then(|rest| rest.get(..span.length as usize))
            })
            .map(Option::unwrap_or_default)
            .collect();
        let rows = header.rows as usize;
        let layout = if let Some(layout) = &self.inner.layout {
            Arc::clone(layout)
        } else {
            let layout = registry
                .get(header.layout_id)
                .ok_or_else(|| unknown_layout(header.layout_id))?;
            validate_batch(&layout, rows, &buffers, &header.encodings)?;
            layout
        };
        Ok(BatchView::trusted(
            layout,
            header.layout_id,
            rows,
            buffers,
            header.encodings.clone(),
        ))
    }

    /// Bytes that the batch image of this frame has.
    #[must_use]
    pub fn image_len(&self) -> usize {
        let header = &self.inner.header;
        image_header_len(header.spans.len(), header.encodings.len()) + self.body().len()
    }

    /// Copies the batch into an image and returns its length.
    ///
    /// # Errors
    /// [`ImageTooSmall`] when `dst` has less than [`Frame::image_len`] bytes; nothing is written then.
    pub fn write_image(&self, dst: &mut [u8]) -> Result<usize, ImageTooSmall> {
        let needed = self.image_len();
        let Some(dst) = dst.get_mut(..needed) else {
            return Err(ImageTooSmall { needed_bytes: needed });
        };
        let header = &self.inner.header;
        let first = image_header_len(header.spans.len(), header.encodings.len());
        write_image_header(
            dst,
            header.rows,
            header.layout_id,
            &header.spans,
            &header.encodings,
        );
        dst[first..].copy_from_slice(self.body());
        Ok(needed)
    }
}
