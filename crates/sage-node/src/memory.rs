//! Memory of JavaScript that an export writes into.

use napi::bindgen_prelude::{Env, Float64ArraySlice, Int32ArraySlice, Uint8ArraySlice};
use sage_types::Result;

use crate::guard::{from_napi, internal};

/// These bytes in memory that the engine makes for them. For calls that are rare: where there is one for each batch, JavaScript brings
/// the memory.
///
/// # Errors
/// `SAGE_INTERNAL` when the engine has none.
pub(crate) fn copied_bytes<'env>(env: &'env Env, bytes: &[u8]) -> Result<Uint8ArraySlice<'env>> {
    Uint8ArraySlice::copy_from(env, bytes).map_err(|error| from_napi(&error))
}

/// As `copied_bytes`.
pub(crate) fn copied_integers<'env>(env: &'env Env, integers: &[i32]) -> Result<Int32ArraySlice<'env>> {
    Int32ArraySlice::copy_from(env, integers).map_err(|error| from_napi(&error))
}

/// As `copied_bytes`.
pub(crate) fn copied_numbers<'env>(env: &'env Env, numbers: &[f64]) -> Result<Float64ArraySlice<'env>> {
    Float64ArraySlice::copy_from(env, numbers).map_err(|error| from_napi(&error))
}

/// The bytes of `into` and the integers of `desc`, for writing.
///
/// # Errors
/// `SAGE_INTERNAL` when the two overlap.
pub(crate) fn writable<'a>(
    into: &'a mut Uint8ArraySlice<'_>,
    desc: &'a mut Int32ArraySlice<'_>,
) -> Result<(&'a mut [u8], &'a mut [i32])> {
    disjoint(
        into.as_ptr_range().start.addr(),
        into.len(),
        desc.as_ptr().addr(),
        size_of_val::<[i32]>(desc),
    )?;
    // SAFETY: JavaScript of the owning thread is inside this call and so does not touch its buffers; the two were just
    // checked not to overlap; and nobody else writes, because the contract of every export that writes
    // (`docs/internals/data-path.md`) rules out shared memory.
    Ok(unsafe { (into.as_mut(), desc.as_mut()) })
}

/// The bytes of `into`, for writing.
pub(crate) fn writable_bytes<'a>(into: &'a mut Uint8ArraySlice<'_>) -> &'a mut [u8] {
    // SAFETY: as in `writable`; there is no other buffer.
    unsafe { into.as_mut() }
}

/// The integers of `out`, for writing while `read` is read.
///
/// # Errors
/// `SAGE_INTERNAL` when the two overlap.
pub(crate) fn integers_beside<'a>(out: &'a mut Int32ArraySlice<'_>, read: &[u8]) -> Result<&'a mut [i32]> {
    disjoint(
        out.as_ptr().addr(),
        size_of_val::<[i32]>(out),
        read.as_ptr().addr(),
        read.len(),
    )?;
    // SAFETY: as in `writable`.
    Ok(unsafe { out.as_mut() })
}

/// Integers and numbers, for writing.
///
/// # Errors
/// `SAGE_INTERNAL` when the two overlap.
pub(crate) fn writable_numbers<'a>(
    integers: &'a mut Int32ArraySlice<'_>,
    numbers: &'a mut Float64ArraySlice<'_>,
) -> Result<(&'a mut [i32], &'a mut [f64])> {
    disjoint(
        integers.as_ptr().addr(),
        size_of_val::<[i32]>(integers),
        numbers.as_ptr().addr(),
        size_of_val::<[f64]>(numbers),
    )?;
    // SAFETY: as in `writable`.
    Ok(unsafe { (integers.as_mut(), numbers.as_mut()) })
}

/// The integers of `desc`, for writing when nothing else that the call was given is used any more.
pub(crate) fn writable_integers<'a>(desc: &'a mut Int32ArraySlice<'_>) -> &'a mut [i32] {
    // SAFETY: as in `writable`; other buffers are not used any more.
    unsafe { desc.as_mut() }
}

/// The numbers of `out`, for writing.
pub(crate) fn writable_counts<'a>(out: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: as in `writable`; there is no other buffer.
    unsafe { out.as_mut() }
}

/// The bytes of `into` and the integers of `desc`, for writing while `read` is read.
///
/// # Errors
/// `SAGE_INTERNAL` when two of them overlap.
pub(crate) fn writable_beside<'a>(
    into: &'a mut Uint8ArraySlice<'_>,
    desc: &'a mut Int32ArraySlice<'_>,
    read: &[u8],
) -> Result<(&'a mut [u8], &'a mut [i32])> {
    let (read_start, read_bytes) = (read.as_ptr().addr(), read.len());
    disjoint(
        into.as_ptr_range().start.addr(),
        into.len(),
        read_start,
        read_bytes,
    )?;
    disjoint(
        desc.as_ptr().addr(),
        size_of_val::<[i32]>(desc),
        read_start,
        read_bytes,
    )?;
    writable(into, desc)
}

fn disjoint(a: usize, a_bytes: usize, b: usize, b_bytes: usize) -> Result<()> {
    let empty = a_bytes == 0 || b_bytes == 0;
    if empty || a + a_bytes <= b || b + b_bytes <= a {
        return Ok(());
    }
    Err(internal("two buffers of one call overlap"))
}
