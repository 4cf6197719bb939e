//! Running results as a batch image, written in place.

use sage_types::{ErrorCode, LayoutId, Result, SageError};

use crate::AggregateSpec;
use crate::aggregate_kernels::is_empty;

/// A result column of an image: `f64`, or `f64?` where there is a presence buffer.
pub(crate) struct ResultColumn<'d> {
    presence: Option<&'d mut [u8]>,
    values: &'d mut [[u8; 8]],
}

impl<'d> ResultColumn<'d> {
    /// Writes row after row with what is given to the returned function, which ignores more than there are rows.
    pub(crate) fn writer(self) -> impl FnMut(f64) + 'd {
        let mut values = self.values.iter_mut();
        let mut presence = self.presence.map(|presence| presence.iter_mut());
        move |result| {
            let empty = is_empty(result);
            if let Some(value) = values.next() {
                *value = if empty { [0; 8] } else { result.to_le_bytes() };
            }
            if let Some(place) = presence.as_mut().and_then(Iterator::next) {
                *place = if empty {
                    sage_frame::presence::NULL
                } else {
                    sage_frame::presence::VALUE
                };
            }
        }
    }
}

/// Lengths of the buffers of `rows` results in bytes.
pub(crate) fn result_lengths(specs: &[AggregateSpec], rows: usize) -> impl Iterator<Item = usize> + '_ {
    specs.iter().flat_map(move |spec| {
        let presence = spec.kind.is_nullable().then_some(rows);
        presence.into_iter().chain([rows * 8])
    })
}

const fn header_len(buffers: usize) -> usize {
    ((4 + 2 * buffers) * 4).next_multiple_of(8)
}

/// Bytes of the image of `rows` results.
///
/// # Errors
/// `SAGE_LIMIT_BATCH` from 2 GiB on.
pub(crate) fn image_len(specs: &[AggregateSpec], rows: usize) -> Result<usize> {
    let body: usize = result_lengths(specs, rows)
        .map(|length| length.next_multiple_of(8))
        .sum();
    let length = header_len(result_lengths(specs, rows).count()) + body;
    if i32::try_from(length).is_err() {
        return Err(SageError::new(
            ErrorCode::LimitBatch,
            "one batch of results would have 2 GiB or more",
        ));
    }
    Ok(length)
}

/// Writes everything but the results; returns the columns to write them to. `image` has [`image_len`] bytes.
pub(crate) fn begin_image<'d>(
    image: &'d mut [u8],
    specs: &[AggregateSpec],
    rows: usize,
    layout_id: LayoutId,
) -> Vec<ResultColumn<'d>> {
    let buffers = result_lengths(specs, rows).count();
    let first = header_len(buffers).min(image.len());
    let (header, mut body) = image.split_at_mut(first);
    // The last word may be padding.
    header.fill(0);
    let mut offset = first;
    let spans = result_lengths(specs, rows).flat_map(|length| {
        let span = [offset, length];
        offset += length.next_multiple_of(8);
        span
    });
    // All below 2^31: see `image_len`.
    let words = [rows, layout_id.index(), buffers, 0].into_iter().chain(spans);
    for (place, word) in header.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *place = u32::try_from(word).unwrap_or(u32::MAX).to_le_bytes();
    }
    let mut take = |length: usize| {
        let rest = std::mem::take(&mut body);
        let (taken, rest) = rest.split_at_mut(length.next_multiple_of(8).min(rest.len()));
        body = rest;
        let (buffer, padding) = taken.split_at_mut(length.min(taken.len()));
        padding.fill(0);
        buffer
    };
    specs
        .iter()
        .map(|spec| ResultColumn {
            presence: spec.kind.is_nullable().then(|| take(rows)),
            values: take(rows * 8).as_chunks_mut().0,
        })
        .collect()
}
