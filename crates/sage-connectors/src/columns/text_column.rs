//! Strings of a column on their way into a batch.

use sage_frame::{StrColumn, StringEncoding};

use crate::wtf8;

/// The strings of one column, concatenated, as a batch has them: ends in UTF-16 units and one run of bytes.
///
/// The bytes are UTF-8 until a string with an unpaired surrogate arrives; then the whole column becomes UTF-16LE.
#[derive(Debug)]
pub(crate) struct TextColumn {
    ends: Vec<u32>,
    bytes: Vec<u8>,
    encoding: StringEncoding,
    /// UTF-16 units so far: the last of `ends`.
    units: u32,
    /// Length of `bytes` before the last string, so that it can be taken back.
    bytes_before_last: usize,
}

impl TextColumn {
    /// A column of `rows` empty strings.
    pub(crate) fn with_fillers(rows: usize) -> Self {
        Self {
            ends: vec![0; rows],
            bytes: Vec::new(),
            encoding: StringEncoding::Ascii,
            units: 0,
            bytes_before_last: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn encoding(&self) -> StringEncoding {
        self.encoding
    }

    /// Adds a string of ASCII bytes.
    #[inline]
    pub(crate) fn push_ascii(&mut self, text: &[u8]) {
        debug_assert!(text.is_ascii());
        if self.encoding == StringEncoding::Utf16 {
            self.push_utf16(text.iter().map(|&byte| u16::from(byte)));
            return;
        }
        self.bytes_before_last = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.push_end(text.len());
    }

    /// Adds a string of well-formed UTF-8.
    #[inline]
    pub(crate) fn push_utf8(&mut self, text: &[u8]) {
        if text.is_ascii() {
            self.push_ascii(text);
        } else if self.encoding == StringEncoding::Utf16 {
            self.push_utf16(wtf8::utf16_units(text));
        } else {
            self.encoding = StringEncoding::Utf8;
            self.bytes_before_last = self.bytes.len();
            self.bytes.extend_from_slice(text);
            self.push_end(wtf8::utf16_len(text));
        }
    }

    /// Adds the strings that end at these bytes of `text`, which is ASCII, to a column without rows.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch is far smaller than 4 GiB"
    )]
    pub(crate) fn extend_ascii(&mut self, ends: impl Iterator<Item = usize>, text: &[u8]) {
        debug_assert!(self.ends.is_empty() && text.is_ascii());
        self.bytes.extend_from_slice(text);
        self.ends.extend(ends.map(|end| end as u32));
        self.units = text.len() as u32;
    }

    /// Where the strings end in bytes, of a column that is not UTF-16.
    pub(crate) fn byte_ends(&self) -> Vec<u32> {
        StrColumn {
            ends: &self.ends,
            data: &self.bytes,
            encoding: self.encoding,
        }
        .wtf8()
        .ends()
        .to_vec()
    }

    /// Adds a string that may have unpaired surrogates, each as three bytes.
    pub(crate) fn push_wtf8(&mut self, text: &[u8]) {
        if std::str::from_utf8(text).is_ok() {
            self.push_utf8(text);
            return;
        }
        if self.encoding != StringEncoding::Utf16 {
            let units: Vec<u8> = wtf8::utf16_units(&self.bytes)
                .flat_map(u16::to_le_bytes)
                .collect();
            self.bytes = units;
            self.encoding = StringEncoding::Utf16;
        }
        self.push_utf16(wtf8::utf16_units(text));
    }

    fn push_utf16(&mut self, units: impl Iterator<Item = u16>) {
        self.bytes_before_last = self.bytes.len();
        self.bytes.extend(units.flat_map(u16::to_le_bytes));
        self.push_end((self.bytes.len() - self.bytes_before_last) / 2);
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch is closed far below 4 GiB and a line is limited to less"
    )]
    fn push_end(&mut self, units: usize) {
        self.units += units as u32;
        self.ends.push(self.units);
    }

    /// Adds the filler of a row that has no string.
    #[inline]
    pub(crate) fn push_filler(&mut self) {
        self.bytes_before_last = self.bytes.len();
        self.ends.push(self.units);
    }

    /// Takes the last string back; at most one after each push.
    pub(crate) fn pop(&mut self) {
        self.ends.pop();
        self.units = self.ends.last().copied().unwrap_or(0);
        self.bytes.truncate(self.bytes_before_last);
    }

    /// Removes all rows and keeps the memory, unless one huge string made it huge.
    pub(crate) fn clear(&mut self) {
        const KEPT_BYTES: usize = 1 << 20;
        self.ends.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.encoding = StringEncoding::Ascii;
        self.units = 0;
        self.bytes_before_last = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_count_utf16_units_whatever_the_encoding() {
        let mut column = TextColumn::with_fillers(1);
        column.push_ascii(b"ab");
        assert_eq!(column.encoding(), StringEncoding::Ascii);
        column.push_utf8("é😀".as_bytes());
        assert_eq!(column.encoding(), StringEncoding::Utf8);
        assert_eq!(column.ends(), [0, 2, 5]);
        assert_eq!(column.bytes(), "abé😀".as_bytes());
    }

    #[test]
    fn an_unpaired_surrogate_makes_the_whole_column_utf16() {
        let mut column = TextColumn::with_fillers(0);
        column.push_utf8("é".as_bytes());
        column.push_wtf8(b"x\xED\xA0\xBD"); // x, U+D83D
        column.push_ascii(b"y");
        assert_eq!(column.encoding(), StringEncoding::Utf16);
        assert_eq!(column.ends(), [1, 3, 4]);
        let units: Vec<u16> = column
            .bytes()
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(units, [0xE9, u16::from(b'x'), 0xD83D, u16::from(b'y')]);

        column.pop();
        assert_eq!(column.ends(), [1, 3]);
        assert_eq!(column.bytes().len(), 6);
        column.clear();
        assert_eq!((column.len(), column.encoding()), (0, StringEncoding::Ascii));
    }
}
