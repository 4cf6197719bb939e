//! The batch image: what JavaScript hands to the core and the core to JavaScript. One buffer with a table of
//! offsets; `docs/internals/data-path.md`, section 2.

use smallvec::SmallVec;

use sage_types::{ErrorCode, LayoutId, Result, SageError};

use crate::StringEncoding;
use crate::aligned::{align8, cast};
use crate::validate::malformed;

/// Where one buffer is in a batch: offset in bytes (a multiple of 8), length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u32,
    pub(crate) length: u32,
}

pub(crate) type Spans = SmallVec<[Span; 16]>;
pub(crate) type Buffers<'a> = SmallVec<[&'a [u8]; 16]>;
pub(crate) type Encodings = SmallVec<[StringEncoding; 8]>;

/// The destination of an image has no room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the image needs {needed_bytes} bytes")]
pub struct ImageTooSmall {
    /// Bytes that the image needs.
    pub needed_bytes: usize,
}

/// An image taken apart; offsets and lengths lie inside it, nothing else is checked.
pub(crate) struct ImageParts<'a> {
    pub(crate) rows: usize,
    pub(crate) layout_id: LayoutId,
    pub(crate) buffers: Buffers<'a>,
    pub(crate) encodings: Encodings,
}

/// Bytes before the first buffer.
pub(crate) const fn image_header_len(buffers: usize, encodings: usize) -> usize {
    align8(4 * (4 + 2 * buffers + encodings))
}

/// Writes everything before the first buffer; the offsets of `spans` count from the first buffer.
///
/// `dst` must have [`image_header_len`] bytes.
pub(crate) fn write_image_header(
    dst: &mut [u8],
    rows: u32,
    layout_id: LayoutId,
    spans: &[Span],
    encodings: &[StringEncoding],
) {
    let first = image_header_len(spans.len(), encodings.len());
    // The counts are those of a layout, far below 2^31.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let counts = [
        rows,
        layout_id.0,
        spans.len() as u32,
        encodings.len() as u32,
        first as u32,
    ];
    let words = counts[..4]
        .iter()
        .copied()
        .chain(
            spans
                .iter()
                .flat_map(|span| [span.offset + counts[4], span.length]),
        )
        .chain(encodings.iter().map(|&encoding| encoding as u32));
    let words = words.chain(std::iter::repeat(0));
    for (place, word) in dst[..first].as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
}

/// Takes an image apart.
///
/// # Errors
/// `SAGE_FORMAT_BATCH` when it is not aligned, too short for its own table, or a buffer lies outside or on the table.
pub(crate) fn parse_image(image: &[u8]) -> Result<ImageParts<'_>> {
    if !image.as_ptr().addr().is_multiple_of(8) {
        return Err(malformed("the image does not start at a multiple of 8"));
    }
    let words: &[u32] = cast(&image[..image.len() & !3]);
    let &[rows, layout_id, buffer_count, encoding_count, ref table @ ..] = words else {
        return Err(malformed("the image is shorter than its header"));
    };
    let (buffer_count, encoding_count) = (buffer_count as usize, encoding_count as usize);
    // Counts that the image has no room for are refused before anything is computed from them.
    if buffer_count > table.len() || encoding_count > table.len() {
        return Err(malformed("the image is shorter than its table"));
    }
    let first = image_header_len(buffer_count, encoding_count);
    let (spans, rest) = table.split_at_checked(2 * buffer_count).ok_or_else(too_short)?;
    let encodings = rest.get(..encoding_count).ok_or_else(too_short)?;
    let buffer = |(index, span): (usize, &[u32; 2])| {
        let (offset, length) = (span[0] as usize, span[1] as usize);
        let inside = offset >= first && offset.is_multiple_of(8);
        let buffer = inside.then(|| image.get(offset..)?.get(..length)).flatten();
        buffer.ok_or_else(|| {
            malformed("a buffer does not lie in the image, or not at a multiple of 8")
                .with("buffer", index)
                .with("offset", offset)
                .with("length", length)
                .with("imageLength", image.len())
        })
    };
    Ok(ImageParts {
        rows: rows as usize,
        layout_id: LayoutId(layout_id),
        buffers: spans
            .as_chunks::<2>()
            .0
            .iter()
            .enumerate()
            .map(buffer)
            .collect::<Result<_>>()?,
        encodings: encodings
            .iter()
            .map(|&number| StringEncoding::from_number(number))
            .collect::<Result<_>>()?,
    })
}

fn too_short() -> SageError {
    malformed("the image is shorter than its table")
}

/// Places buffers of these lengths one behind the other; returns their spans and the length of all.
///
/// # Errors
/// `SAGE_LIMIT_BATCH` above 2 GiB: offsets of an image are int32.
pub(crate) fn place_buffers(lengths: impl IntoIterator<Item = usize>) -> Result<(Spans, usize)> {
    // Leaves room for any header.
    const MAX_BODY_BYTES: usize = (i32::MAX as usize) - (1 << 20);
    let mut spans = Spans::new();
    let mut offset = 0_usize;
    for length in lengths {
        let end = offset.saturating_add(length);
        if end > MAX_BODY_BYTES {
            return Err(SageError::new(
                ErrorCode::LimitBatch,
                "one batch would be larger than 2 GiB",
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "below MAX_BODY_BYTES")]
        spans.push(Span {
            offset: offset as u32,
            length: length as u32,
        });
        offset = align8(end);
    }
    Ok((spans, offset))
}
