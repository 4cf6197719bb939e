//! A column of strings while it is being filled.

use crate::StringEncoding;
use crate::validate::utf16_units;

/// A column of strings while it is being filled: the narrowest encoding that fits what was pushed.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    /// Ends of complete rows, in UTF-16 units.
    ends: Vec<u32>,
    data: Vec<u8>,
    encoding: StringEncoding,
    units: usize,
    /// Bytes and units before the row that was ended last, to take it back.
    before_last: (usize, usize),
    /// Bytes and units of complete rows.
    complete: (usize, usize),
}

impl TextBuilder {
    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    pub(crate) const fn encoding(&self) -> StringEncoding {
        self.encoding
    }

    /// Adds to the row in progress.
    #[inline]
    pub(crate) fn append(&mut self, text: &str) {
        if self.encoding == StringEncoding::Utf16 {
            self.data.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            self.units = self.data.len() / 2;
            return;
        }
        self.data.extend_from_slice(text.as_bytes());
        if text.is_ascii() {
            self.units += text.len();
        } else {
            self.units += utf16_units(text.as_bytes());
            self.encoding = StringEncoding::Utf8;
        }
    }

    /// Adds to the row in progress; unpaired surrogates make the column UTF-16.
    pub(crate) fn append_utf16(&mut self, units: &[u16]) {
        if let Ok(text) = String::from_utf16(units) {
            self.append(&text);
            return;
        }
        self.make_utf16();
        self.data.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        self.units = self.data.len() / 2;
    }

    fn make_utf16(&mut self) {
        if self.encoding != StringEncoding::Utf16 {
            // What is here was pushed as `str`, so nothing is lost.
            let text = String::from_utf8_lossy(&self.data);
            self.data = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            self.encoding = StringEncoding::Utf16;
            self.before_last.0 = self.before_last.1 * 2;
            self.complete.0 = self.complete.1 * 2;
        }
    }

    /// Ends the row in progress; without an append before, the row is empty (also the filler).
    #[inline]
    pub(crate) fn end_row(&mut self) {
        self.before_last = self.complete;
        self.complete = (self.data.len(), self.units);
        // A column of 2 GiB or more is refused when the frame is made, before anybody reads its ends.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        self.ends.push(self.units as u32);
    }

    /// Takes back the row that was ended last; only one in a row.
    pub(crate) fn take_back(&mut self) {
        self.ends.pop();
        self.complete = self.before_last;
        self.drop_unfinished();
    }

    /// Takes back what was appended since the last complete row.
    pub(crate) fn drop_unfinished(&mut self) {
        self.data.truncate(self.complete.0);
        self.units = self.complete.1;
    }

    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.data.clear();
        self.encoding = StringEncoding::Ascii;
        self.units = 0;
        self.before_last = (0, 0);
        self.complete = (0, 0);
    }
}
