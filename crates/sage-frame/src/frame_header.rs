//! The FlatBuffers header of a frame: written and read here, and nowhere else.

use flatbuffers::{FlatBufferBuilder, WIPOffset};

use sage_types::{ErrorCode, LayoutId, Result, SageError};

use crate::batch_image::{Encodings, Span, Spans};
use crate::generated as fb;
use crate::{FrameKind, FrameMeta, StringEncoding};

/// Version of the frame format.
const VERSION: u16 = 1;

/// What a frame's header says.
#[derive(Debug)]
pub(crate) struct HeaderParts {
    pub(crate) meta: FrameMeta,
    pub(crate) layout_id: LayoutId,
    pub(crate) rows: u32,
    pub(crate) spans: Spans,
    pub(crate) encodings: Encodings,
}

/// Encodes a header and gives it to `use_bytes`.
pub(crate) fn with_header<R>(parts: &HeaderParts, use_bytes: impl FnOnce(&[u8]) -> R) -> R {
    let mut builder = FlatBufferBuilder::with_capacity(128 + 8 * parts.spans.len() + parts.encodings.len());
    let spans: WIPOffset<flatbuffers::Vector<'_, fb::Span>> = builder.create_vector_from_iter(
        parts
            .spans
            .iter()
            .map(|span| fb::Span::new(span.offset, span.length)),
    );
    let encodings = builder.create_vector_from_iter(parts.encodings.iter().map(|&encoding| encoding as u8));
    let header = fb::FrameHeader::create(
        &mut builder,
        &fb::FrameHeaderArgs {
            version: VERSION,
            kind: fb::FrameKind(parts.meta.kind as u8),
            layout: parts.layout_id.0,
            rows: parts.rows,
            max_event_time: parts.meta.max_event_time,
            watermark: parts.meta.watermark,
            epoch: parts.meta.epoch,
            buffers: Some(spans),
            encodings: Some(encodings),
        },
    );
    fb::finish_frame_header_buffer(&mut builder, header);
    use_bytes(builder.finished_data())
}

/// Decodes a header that came from somewhere else.
///
/// # Errors
/// `SAGE_FORMAT_BATCH` when it is not a frame header, or one of another version.
pub(crate) fn read_header(bytes: &[u8]) -> Result<HeaderParts> {
    // The identifier is behind the root offset.
    if bytes.len() < 8 || !fb::frame_header_buffer_has_identifier(bytes) {
        return Err(malformed("it has no frame header"));
    }
    let header = fb::root_as_frame_header(bytes)
        .map_err(|error| malformed("its header is damaged").caused_by(error))?;
    if header.version() != VERSION {
        return Err(malformed("its version is another").with("version", u32::from(header.version())));
    }
    let kind = match header.kind() {
        fb::FrameKind::Data => FrameKind::Data,
        fb::FrameKind::Watermark => FrameKind::Watermark,
        fb::FrameKind::Barrier => FrameKind::Barrier,
        fb::FrameKind::End => FrameKind::End,
        fb::FrameKind::Idle => FrameKind::Idle,
        fb::FrameKind::LastBarrier => FrameKind::LastBarrier,
        _ => return Err(malformed("its kind is unknown")),
    };
    let spans = header.buffers().into_iter().flatten();
    let encodings = header.encodings().into_iter().flatten();
    Ok(HeaderParts {
        meta: FrameMeta {
            kind,
            epoch: header.epoch(),
            max_event_time: header.max_event_time(),
            watermark: header.watermark(),
        },
        layout_id: LayoutId(header.layout()),
        rows: header.rows(),
        spans: spans
            .map(|span| Span {
                offset: span.offset(),
                length: span.length(),
            })
            .collect(),
        encodings: encodings
            .map(|number| StringEncoding::from_number(u32::from(number)))
            .collect::<Result<_>>()?,
    })
}

pub(crate) fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatBatch, format!("malformed frame: {why}"))
}
