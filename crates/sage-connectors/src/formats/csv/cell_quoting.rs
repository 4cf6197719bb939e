//! Cells as RFC 4180 writes them.

use crate::spec::CsvSinkQuote;

/// When a cell is put in quotes, and how.
#[derive(Debug, Clone)]
pub(crate) struct CellQuoting {
    delimiter: u8,
    quote: CsvSinkQuote,
    null_text: Vec<u8>,
}

impl CellQuoting {
    pub(crate) fn new(delimiter: u8, quote: CsvSinkQuote, null_text: &str) -> Self {
        Self {
            delimiter,
            quote,
            null_text: null_text.as_bytes().to_vec(),
        }
    }

    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Appends what stands for nothing. It has no quotes, which is how it differs from a string of the same text.
    pub(crate) fn push_null(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(&self.null_text);
    }

    /// Whether there is a byte in the cells of a column, one behind the other, for which one of them must be put in quotes.
    #[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
    pub(crate) fn is_special(&self, bytes: &[u8]) -> bool {
        bytes.iter().fold(false, |found, &byte| {
            found | (byte == self.delimiter) | (byte == b'"') | (byte == b'\n') | (byte == b'\r')
        })
    }

    /// Appends a cell none of whose bytes [is special](Self::is_special).
    #[inline]
    pub(crate) fn push_plain(&self, cell: &[u8], line: &mut Vec<u8>) {
        if self.quote == CsvSinkQuote::Always || self.is_ambiguous(cell) {
            line.push(b'"');
            line.extend_from_slice(cell);
            line.push(b'"');
        } else {
            line.extend_from_slice(cell);
        }
    }

    /// Appends a cell.
    pub(crate) fn push(&self, cell: &[u8], line: &mut Vec<u8>) {
        if !self.is_special(cell) {
            self.push_plain(cell, line);
            return;
        }
        line.push(b'"');
        let mut rest = cell;
        while let Some(found) = memchr::memchr(b'"', rest) {
            line.extend_from_slice(&rest[..=found]);
            line.push(b'"');
            rest = &rest[found + 1..];
        }
        line.extend_from_slice(rest);
        line.push(b'"');
    }

    /// Whether a reader might take the cell for null, for a byte order mark, or cut white space off it.
    fn is_ambiguous(&self, cell: &[u8]) -> bool {
        match cell {
            [] => self.null_text.is_empty(),
            [b' ' | b'\t' | 0xEF, ..] | [.., b' ' | b'\t'] => true,
            _ => cell == self.null_text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(quoting: &CellQuoting, cell: &str) -> String {
        let mut line = Vec::new();
        quoting.push(cell.as_bytes(), &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn quotes_are_written_where_the_cell_could_not_be_read_without() {
        let quoting = CellQuoting::new(b';', CsvSinkQuote::Needed, "NULL");
        for (cell, expected) in [
            ("a,b", "a,b"),
            ("a;b", "\"a;b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("two\rlines", "\"two\rlines\""),
            (" a", "\" a\""),
            ("a\t", "\"a\t\""),
            ("NULL", "\"NULL\""),
            ("\u{FEFF}a", "\"\u{FEFF}a\""),
            ("", ""),
        ] {
            assert_eq!(written(&quoting, cell), expected, "{cell:?}");
        }
        let quoting = CellQuoting::new(b',', CsvSinkQuote::Needed, "");
        assert_eq!(written(&quoting, ""), "\"\"");
        let quoting = CellQuoting::new(b',', CsvSinkQuote::Always, "");
        assert_eq!(written(&quoting, "a"), "\"a\"");
    }
}
