//! Checks that buffers are a batch of a layout, so that no reader of a batch has to check anything again.

use sage_types::{ErrorCode, Result, SageError};

use crate::aligned::cast;
use crate::{BufferKind, Layout, StringEncoding};

/// Rows that a batch may have. Far above what writers send (1024); it bounds what a damaged count can make a reader do
/// where a layout has no buffers (an empty object a row).
pub const MAX_ROWS: usize = 1 << 20;

/// Checks kinds, lengths, alignment, ends and encodings of all buffers.
///
/// # Errors
/// `SAGE_FORMAT_BATCH` that names the first buffer that is wrong and why.
pub(crate) fn validate_batch(
    layout: &Layout,
    rows: usize,
    buffers: &[&[u8]],
    encodings: &[StringEncoding],
) -> Result<()> {
    check_rows(rows)?;
    let kinds = layout.buffers();
    if buffers.len() != kinds.len() || encodings.len() != layout.encodings() {
        return Err(
            malformed("the number of buffers or encodings is not that of the layout")
                .with("layout", &*layout.text)
                .with("buffers", buffers.len())
                .with("encodings", encodings.len()),
        );
    }
    let mut ends: &[u32] = &[];
    for (index, (kind, buffer)) in kinds.iter().zip(buffers).enumerate() {
        let checked = match *kind {
            _ if i32::try_from(buffer.len()).is_err() => Err("a buffer is larger than 2 GiB"),
            BufferKind::Presence => check_small(buffer, rows, 3),
            BufferKind::Fixed { width: 1 } => check_small(buffer, rows, 1),
            BufferKind::Fixed { width } => check_fixed(buffer, rows, width),
            BufferKind::Ends { .. } => check_fixed(buffer, rows, 4).and_then(|()| {
                ends = cast(buffer);
                if ends.is_sorted() {
                    Ok(())
                } else {
                    Err("the ends go back")
                }
            }),
            BufferKind::Data { encoding: None } => check_data(ends, buffer.len()),
            BufferKind::Data { encoding: Some(e) } => check_text(ends, buffer, encodings[e]),
        };
        checked.map_err(|why| {
            malformed(why)
                .with("layout", &*layout.text)
                .with("buffer", index)
                .with("rows", rows)
                .with("length", buffer.len())
        })?;
    }
    Ok(())
}

/// # Errors
/// `SAGE_FORMAT_BATCH` for more rows than a batch may have.
pub(crate) fn check_rows(rows: usize) -> Result<()> {
    if rows > MAX_ROWS {
        return Err(malformed("it has more rows than a batch may have").with("rows", rows));
    }
    Ok(())
}

pub(crate) fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatBatch, format!("malformed batch: {why}"))
}

fn check_small(buffer: &[u8], rows: usize, greatest: u8) -> Result<(), &'static str> {
    if buffer.len() != rows {
        return Err("a buffer does not have one value for each row");
    }
    if buffer.iter().fold(0, |seen, &value| seen.max(value)) > greatest {
        return Err("a presence or boolean has a value that it cannot have");
    }
    Ok(())
}

fn check_fixed(buffer: &[u8], rows: usize, width: usize) -> Result<(), &'static str> {
    if Some(buffer.len()) != rows.checked_mul(width) {
        return Err("a buffer does not have one value for each row");
    }
    if !buffer.is_empty() && !buffer.as_ptr().addr().is_multiple_of(width) {
        return Err("a buffer is not aligned");
    }
    Ok(())
}

fn check_data(ends: &[u32], length: usize) -> Result<(), &'static str> {
    if ends.last().copied().unwrap_or(0) as usize == length {
        return Ok(());
    }
    Err("the data is longer or shorter than its ends say")
}

fn check_text(ends: &[u32], data: &[u8], encoding: StringEncoding) -> Result<(), &'static str> {
    match encoding {
        StringEncoding::Ascii => {
            if !data.is_ascii() {
                return Err("ASCII data has a byte above 127");
            }
            check_data(ends, data.len())
        }
        StringEncoding::Utf8 => {
            if std::str::from_utf8(data).is_err() {
                return Err("UTF-8 data is not well-formed");
            }
            check_data(ends, utf16_units(data))
        }
        StringEncoding::Utf16 => {
            if !data.len().is_multiple_of(2) {
                return Err("UTF-16 data has half a unit");
            }
            check_data(ends, data.len() / 2)
        }
    }
}

/// UTF-16 units of well-formed UTF-8: one for each first byte of a sequence, one more for sequences of 4.
pub(crate) fn utf16_units(data: &[u8]) -> usize {
    // Small counters let the compiler use byte lanes; 255 bytes of at most 1 each cannot overflow them.
    let count = |chunk: &[u8]| {
        let firsts = chunk
            .iter()
            .fold(0_u8, |sum, &byte| sum + u8::from(byte & 0xc0 != 0x80));
        let long = chunk.iter().fold(0_u8, |sum, &byte| sum + u8::from(byte >= 0xf0));
        usize::from(firsts) + usize::from(long)
    };
    data.chunks(255).map(count).sum()
}
