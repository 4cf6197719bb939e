//! Buffers start at multiples of 8, in images and in frames.

/// The next multiple of 8.
pub(crate) const fn align8(offset: usize) -> usize {
    offset.next_multiple_of(8)
}

/// A slice of bytes as values. Empty where the bytes do not hold whole, aligned values; validation has made sure that
/// this does not happen for buffers that are asked for by their kind.
pub(crate) fn cast<T: bytemuck::Pod>(bytes: &[u8]) -> &[T] {
    bytemuck::try_cast_slice(bytes).unwrap_or_default()
}

/// As [`cast`], for writing.
pub(crate) fn cast_mut<T: bytemuck::Pod>(bytes: &mut [u8]) -> &mut [T] {
    bytemuck::try_cast_slice_mut(bytes).unwrap_or_default()
}
