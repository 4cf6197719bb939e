//! A column of strings, and the form in which readers take its rows one by one.

use std::borrow::Cow;

use crate::StringEncoding;

/// A column of strings as a batch holds it: ends in UTF-16 units, and the data of all rows.
#[derive(Debug, Clone, Copy)]
pub struct StrColumn<'a> {
    /// Where each row ends, in UTF-16 units from the start of the data.
    pub ends: &'a [u32],
    /// The strings of all rows.
    pub data: &'a [u8],
    /// How the data is written.
    pub encoding: StringEncoding,
}

impl<'a> StrColumn<'a> {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows as WTF-8 (UTF-8 that may also hold unpaired surrogates), cut by row. Borrows where the column is ASCII;
    /// one pass over the data otherwise.
    #[must_use]
    pub fn wtf8(&self) -> Wtf8Column<'a> {
        match self.encoding {
            StringEncoding::Ascii => Wtf8Column {
                ends: Cow::Borrowed(self.ends),
                data: Cow::Borrowed(self.data),
                well_formed: true,
            },
            StringEncoding::Utf8 => match utf8_ends(self.ends, self.data) {
                Some(ends) => Wtf8Column {
                    ends: Cow::Owned(ends),
                    data: Cow::Borrowed(self.data),
                    well_formed: true,
                },
                None => wtf8_rows(self.ends, &self.units()),
            },
            StringEncoding::Utf16 => wtf8_rows(self.ends, &self.units()),
        }
    }

    /// All rows in UTF-16 units.
    #[must_use]
    pub fn units(&self) -> Vec<u16> {
        match self.encoding {
            StringEncoding::Ascii => self.data.iter().map(|&byte| u16::from(byte)).collect(),
            // Validated when the batch was taken; a column that somebody made up gives replacement characters.
            StringEncoding::Utf8 => String::from_utf8_lossy(self.data).encode_utf16().collect(),
            StringEncoding::Utf16 => self
                .data
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&unit| u16::from_le_bytes(unit))
                .collect(),
        }
    }
}

/// Where the rows of UTF-8 data end in bytes; none when a row ends inside a sequence.
pub(crate) fn utf8_ends(ends: &[u32], data: &[u8]) -> Option<Vec<u32>> {
    let mut byte_ends = Vec::with_capacity(ends.len());
    let (mut byte, mut unit) = (0_usize, 0_usize);
    for &end in ends {
        let end = end as usize;
        while unit < end {
            // Eight ASCII characters at once: the usual content of a column with a few other ones.
            if end - unit >= 8
                && let Some(eight) = data.get(byte..).and_then(<[u8]>::first_chunk::<8>)
                && u64::from_le_bytes(*eight) & 0x8080_8080_8080_8080 == 0
            {
                byte += 8;
                unit += 8;
                continue;
            }
            let (bytes, units) = match data.get(byte)? {
                ..0x80 => (1, 1),
                ..0xe0 => (2, 1),
                ..0xf0 => (3, 1),
                _ => (4, 2),
            };
            byte += bytes;
            unit += units;
        }
        if unit > end {
            return None;
        }
        byte_ends.push(u32::try_from(byte).ok()?);
    }
    Some(byte_ends)
}

/// Encodes each row for itself, so that surrogates of two rows never make a pair.
fn wtf8_rows<'a>(ends: &[u32], units: &[u16]) -> Wtf8Column<'a> {
    let mut data = Vec::with_capacity(units.len() * 2);
    let mut byte_ends = Vec::with_capacity(ends.len());
    let mut well_formed = true;
    let mut start = 0;
    for &end in ends {
        let row = units.get(start..end as usize).unwrap_or_default();
        well_formed &= push_wtf8(row, &mut data);
        // A column has less than 2^31 bytes, and grows to at most 3 bytes for 2.
        byte_ends.push(u32::try_from(data.len()).unwrap_or(u32::MAX));
        start = end as usize;
    }
    Wtf8Column {
        ends: Cow::Owned(byte_ends),
        data: Cow::Owned(data),
        well_formed,
    }
}

/// Appends UTF-16 as WTF-8; whether it is UTF-8, that is, had no unpaired surrogate.
pub(crate) fn push_wtf8(units: &[u16], out: &mut Vec<u8>) -> bool {
    let mut well_formed = true;
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(unpaired) => {
                let unit = unpaired.unpaired_surrogate();
                well_formed = false;
                // The three-byte form that UTF-8 forbids for surrogates.
                let [high, low] = unit.to_be_bytes();
                out.extend_from_slice(&[
                    0xe0 | (high >> 4),
                    0x80 | ((high & 0x0f) << 2) | (low >> 6),
                    0x80 | (low & 0x3f),
                ]);
            }
        }
    }
    well_formed
}

/// Rows of strings as WTF-8, ends in bytes.
#[derive(Debug, Clone)]
pub struct Wtf8Column<'a> {
    ends: Cow<'a, [u32]>,
    data: Cow<'a, [u8]>,
    well_formed: bool,
}

impl Wtf8Column<'_> {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether every row is UTF-8: no row has an unpaired surrogate.
    #[must_use]
    pub const fn is_well_formed(&self) -> bool {
        self.well_formed
    }

    /// Where each row ends, in bytes.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// The bytes of all rows.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes of one row; empty beyond the last.
    #[inline]
    #[must_use]
    pub fn row(&self, row: usize) -> &[u8] {
        row_bytes(&self.ends, &self.data, row)
    }

    /// The string of one row; none where it has an unpaired surrogate.
    #[inline]
    #[must_use]
    pub fn row_str(&self, row: usize) -> Option<&str> {
        std::str::from_utf8(self.row(row)).ok()
    }

    /// The bytes of all rows, one after the other.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|row| self.row(row))
    }
}

/// The bytes of one row of a column whose ends count bytes; empty beyond the last.
#[inline]
pub(crate) fn row_bytes<'d>(ends: &[u32], data: &'d [u8], row: usize) -> &'d [u8] {
    let start = if row == 0 {
        0
    } else {
        ends.get(row - 1).copied().unwrap_or(u32::MAX)
    };
    let end = ends.get(row).copied().unwrap_or(start);
    data.get(start as usize..end as usize).unwrap_or_default()
}
