//! Copies chosen rows of a batch into a new frame, column by column.

use std::borrow::Cow;
use std::sync::Arc;

use sage_types::{ErrorCode, Result, SageError};

use crate::str_column::utf8_ends;
use crate::{BatchView, BufferKind, EndsUnit, Frame, FrameDraft, FrameMeta, StrColumn, StringEncoding};

/// Short rows are copied as so many bytes at once, whatever their length: one load and one store instead of a call.
const WORD: usize = 16;

/// A batch prepared for taking rows out of it.
pub(crate) struct Gather<'v, 'a> {
    view: &'v BatchView<'a>,
    columns: Vec<Source<'a>>,
    encodings: Vec<StringEncoding>,
}

/// One buffer, or ends with their data, to take rows from.
enum Source<'a> {
    Fixed { buffer: usize, width: usize },
    Varying(Varying<'a>),
}

struct Varying<'a> {
    /// Index of the ends; the data is the next buffer.
    buffer: usize,
    /// Where rows end in the data, in bytes.
    byte_ends: Cow<'a, [u32]>,
    /// Where rows end in units, where a unit is not a byte.
    unit_ends: Option<&'a [u32]>,
    data: Cow<'a, [u8]>,
}

impl Varying<'_> {
    #[inline]
    fn row(&self, row: usize) -> (usize, usize) {
        let start = if row == 0 { 0 } else { self.byte_ends[row - 1] };
        (start as usize, self.byte_ends[row] as usize)
    }

    /// Copies `rows` to `ends` and `data`; the slices have exactly the room that is needed.
    fn copy(&self, rows: &[u32], ends: &mut [u32], data: &mut [u8]) {
        let source = &*self.data;
        let mut written = 0;
        for (place, &row) in ends.iter_mut().zip(rows) {
            let (start, end) = self.row(row as usize);
            let length = end - start;
            // Writing beyond the row is fine: the next row overwrites it, and the room ends the shortcut.
            if length <= WORD
                && let Some(from) = source.get(start..start + WORD)
                && let Some(to) = data.get_mut(written..written + WORD)
            {
                to.copy_from_slice(from);
            } else {
                data[written..written + length].copy_from_slice(&source[start..end]);
            }
            written += length;
            *place = to_u32(written);
        }
        if let Some(units) = self.unit_ends {
            let mut written = 0;
            for (place, &row) in ends.iter_mut().zip(rows) {
                let row = row as usize;
                written += units[row] - if row == 0 { 0 } else { units[row - 1] };
                *place = written;
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a batch has less than 2^31 bytes")]
const fn to_u32(length: usize) -> u32 {
    length as u32
}

impl<'v, 'a> Gather<'v, 'a> {
    /// Finds out where the rows of each column are.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` above 2 GiB (a column that has to be encoded again grows).
    pub(crate) fn new(view: &'v BatchView<'a>) -> Result<Self> {
        let mut encodings = view.encodings().to_vec();
        let kinds = view.layout().buffers();
        let mut columns = Vec::with_capacity(kinds.len());
        for (buffer, kind) in kinds.iter().enumerate() {
            match *kind {
                BufferKind::Presence => columns.push(Source::Fixed { buffer, width: 1 }),
                BufferKind::Fixed { width } => columns.push(Source::Fixed { buffer, width }),
                BufferKind::Ends {
                    unit: EndsUnit::Bytes,
                } => columns.push(Source::Varying(Varying {
                    buffer,
                    byte_ends: Cow::Borrowed(view.ends(buffer)),
                    unit_ends: None,
                    data: Cow::Borrowed(view.bytes(buffer + 1)),
                })),
                BufferKind::Ends {
                    unit: EndsUnit::Utf16,
                } => {
                    if let Some(BufferKind::Data {
                        encoding: Some(encoding),
                    }) = kinds.get(buffer + 1).copied()
                    {
                        columns.push(Source::Varying(text_source(
                            view,
                            buffer,
                            &mut encodings[encoding],
                        )?));
                    }
                }
                // Copied together with its ends.
                BufferKind::Data { .. } => {}
            }
        }
        Ok(Self {
            view,
            columns,
            encodings,
        })
    }

    /// A frame of these rows, in this order.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` above 2 GiB.
    pub(crate) fn frame(&self, rows: &[u32], meta: FrameMeta) -> Result<Frame> {
        let mut lengths = vec![0; self.view.buffers().len()];
        for column in &self.columns {
            match column {
                Source::Fixed { buffer, width } => lengths[*buffer] = rows.len() * width,
                Source::Varying(varying) => {
                    lengths[varying.buffer] = rows.len() * 4;
                    let row_length = |&row: &u32| {
                        let (start, end) = varying.row(row as usize);
                        end - start
                    };
                    lengths[varying.buffer + 1] = rows.iter().map(row_length).sum();
                }
            }
        }
        let mut draft = FrameDraft::new(
            Arc::clone(self.view.layout()),
            self.view.layout_id(),
            rows.len(),
            lengths,
            self.encodings.iter().copied(),
            meta,
        )?;
        for column in &self.columns {
            match column {
                Source::Fixed { buffer, width: 8 } => {
                    pick(self.view.f64s(*buffer), rows, draft.f64s_mut(*buffer));
                }
                Source::Fixed { buffer, width: 4 } => {
                    pick(self.view.i32s(*buffer), rows, draft.i32s_mut(*buffer));
                }
                Source::Fixed { buffer, .. } => {
                    pick(self.view.bytes(*buffer), rows, draft.bytes_mut(*buffer));
                }
                Source::Varying(varying) => {
                    let (ends, data) = draft.ends_and_data_mut(varying.buffer);
                    varying.copy(rows, ends, data);
                }
            }
        }
        Ok(draft.into_frame())
    }
}

fn pick<T: Copy>(values: &[T], rows: &[u32], out: &mut [T]) {
    for (place, &row) in out.iter_mut().zip(rows) {
        *place = values[row as usize];
    }
}

/// Where the rows of a text column are in bytes. Re-encodes a UTF-8 column in which two rows share a character.
fn text_source<'a>(
    view: &BatchView<'a>,
    buffer: usize,
    encoding: &mut StringEncoding,
) -> Result<Varying<'a>> {
    let (ends, data) = (view.ends(buffer), view.bytes(buffer + 1));
    let (byte_ends, unit_ends, data) = match *encoding {
        StringEncoding::Ascii => (Cow::Borrowed(ends), None, Cow::Borrowed(data)),
        StringEncoding::Utf8 => {
            if let Some(byte_ends) = utf8_ends(ends, data) {
                (Cow::Owned(byte_ends), Some(ends), Cow::Borrowed(data))
            } else {
                let units = StrColumn {
                    ends,
                    data,
                    encoding: *encoding,
                }
                .units();
                *encoding = StringEncoding::Utf16;
                let data = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
                (Cow::Owned(double(ends)?), Some(ends), Cow::Owned(data))
            }
        }
        StringEncoding::Utf16 => (Cow::Owned(double(ends)?), Some(ends), Cow::Borrowed(data)),
    };
    Ok(Varying {
        buffer,
        byte_ends,
        unit_ends,
        data,
    })
}

/// Ends in UTF-16 units as ends in bytes.
fn double(ends: &[u32]) -> Result<Vec<u32>> {
    let doubled = ends.iter().map(|&end| end.checked_mul(2)).collect::<Option<_>>();
    doubled.ok_or_else(|| SageError::new(ErrorCode::LimitBatch, "one column would be larger than 2 GiB"))
}
