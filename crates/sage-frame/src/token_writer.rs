//! Values of an `any` column, for native readers; `docs/internals/data-path.md`, section 5.

use crate::text_builder::TextBuilder;
use crate::validate::utf16_units;

/// Writes one value of an `any` column. Exactly one value must be written for each row, for each element of
/// [`TokenWriter::array`], and for each name of [`TokenWriter::object`].
#[derive(Debug)]
pub struct TokenWriter<'b> {
    pub(crate) tokens: &'b mut Vec<u8>,
    pub(crate) pool: &'b mut TextBuilder,
}

impl TokenWriter<'_> {
    /// `null`.
    pub fn null(&mut self) {
        self.tokens.push(0);
    }

    /// `undefined`.
    pub fn undefined(&mut self) {
        self.tokens.push(1);
    }

    /// A boolean.
    pub fn bool(&mut self, boolean: bool) {
        self.tokens.push(2 + u8::from(boolean));
    }

    /// A number.
    pub fn f64(&mut self, number: f64) {
        self.tokens.push(4);
        self.tokens.extend_from_slice(&number.to_le_bytes());
    }

    /// A whole number.
    pub fn i32(&mut self, whole: i32) {
        self.tokens.push(5);
        self.tokens.extend_from_slice(&whole.to_le_bytes());
    }

    /// A string.
    pub fn str(&mut self, text: &str) {
        self.tokens.push(6);
        self.pooled(text);
    }

    /// A string that may have unpaired surrogates.
    pub fn utf16(&mut self, units: &[u16]) {
        self.tokens.push(6);
        self.length(units.len());
        self.pool.append_utf16(units);
    }

    /// A `Date`, in epoch milliseconds.
    pub fn date(&mut self, epoch_millis: f64) {
        self.tokens.push(9);
        self.tokens.extend_from_slice(&epoch_millis.to_le_bytes());
    }

    /// A `bigint`, in decimal.
    pub fn bigint(&mut self, decimal: &str) {
        self.tokens.push(10);
        self.pooled(decimal);
    }

    /// An array; its `count` elements are written next.
    pub fn array(&mut self, count: u32) {
        self.tokens.push(7);
        self.tokens.extend_from_slice(&count.to_le_bytes());
    }

    /// An object; its `count` pairs of [`TokenWriter::name`] and a value are written next.
    pub fn object(&mut self, count: u32) {
        self.tokens.push(14);
        self.tokens.extend_from_slice(&count.to_le_bytes());
    }

    /// The name of a field; its value is written next.
    pub fn name(&mut self, name: &str) {
        self.pooled(name);
    }

    fn pooled(&mut self, text: &str) {
        self.length(utf16_units(text.as_bytes()));
        self.pool.append(text);
    }

    fn length(&mut self, units: usize) {
        // A pool of 2 GiB or more is refused when the frame is made.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        self.tokens.extend_from_slice(&(units as u32).to_le_bytes());
    }
}
