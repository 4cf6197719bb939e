//! How the records of a CSV file are cut into cells.

use std::borrow::Cow;

/// Which bytes mean what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CsvDialect {
    pub(crate) delimiter: u8,
    /// `None`: quotes are bytes like any other.
    pub(crate) quote: Option<u8>,
    /// Before a quote that belongs to the text; the quote itself when quotes are doubled.
    pub(crate) escape: u8,
    /// At the start of a line that is no record.
    pub(crate) comment: Option<u8>,
    /// White space around cells is left away.
    pub(crate) trim: bool,
    /// The delimiter in each byte.
    delimiters: u64,
}

/// Where a cell is, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Of the text, without quotes.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Position of the delimiter or line end behind.
    pub(crate) terminator: usize,
    pub(crate) quoted: bool,
    /// There are escapes in the text.
    pub(crate) escaped: bool,
    /// Something other than white space follows the closing quote.
    pub(crate) malformed: bool,
}

/// A line of the file, or several where quotes hold line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordEnd {
    /// The next record begins here.
    At(usize),
    /// The text ends first. `quoted`: between quotes.
    Beyond { quoted: bool },
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const FEEDS: u64 = LOW_BITS * 0x0A;
const RETURNS: u64 = LOW_BITS * 0x0D;

/// Marks the zero bytes of a word; marks above the lowest one may be wrong.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS
}

impl CsvDialect {
    pub(crate) fn new(
        delimiter: u8,
        quote: Option<u8>,
        escape: Option<u8>,
        comment: Option<u8>,
        trim: bool,
    ) -> Self {
        Self {
            delimiter,
            quote,
            escape: escape.or(quote).unwrap_or(b'"'),
            comment,
            trim,
            delimiters: LOW_BITS * u64::from(delimiter),
        }
    }

    /// The cells of the record at the start of `text`.
    pub(crate) fn cells<'a>(&self, text: &'a [u8]) -> Vec<Cow<'a, [u8]>> {
        let mut cells = Vec::new();
        let mut at = 0;
        while let Some(cell) = self.cell(text, at) {
            let raw = &text[cell.start..cell.end];
            cells.push(if cell.escaped {
                let mut bytes = Vec::new();
                self.unescape(raw, &mut bytes);
                Cow::Owned(bytes)
            } else {
                Cow::Borrowed(raw)
            });
            if text[cell.terminator] != self.delimiter {
                break;
            }
            at = cell.terminator + 1;
        }
        cells
    }

    /// The cell that begins at `at`; `None` when the text ends before the cell does.
    #[inline]
    pub(crate) fn cell(&self, text: &[u8], at: usize) -> Option<Cell> {
        let start = if self.trim { self.skip_blanks(text, at) } else { at };
        if self.quote.is_some() && text.get(start).copied() == self.quote {
            return self.quoted_cell(text, start + 1);
        }
        let terminator = self.terminator(text, start)?;
        let end = if self.trim {
            let blanks = text[start..terminator].iter().rev();
            terminator - blanks.take_while(|&&byte| self.is_blank(byte)).count()
        } else {
            terminator
        };
        Some(Cell {
            start,
            end,
            terminator,
            quoted: false,
            escaped: false,
            malformed: false,
        })
    }

    /// The cell whose text begins at `start`, behind its quote.
    fn quoted_cell(&self, text: &[u8], start: usize) -> Option<Cell> {
        let quote = self.quote?;
        let mut at = start;
        let mut escaped = false;
        let end = loop {
            at += if self.escape == quote {
                memchr::memchr(quote, text.get(at..)?)?
            } else {
                memchr::memchr2(quote, self.escape, text.get(at..)?)?
            };
            // What follows decides: it must be there.
            let next = *text.get(at + 1)?;
            if text[at] == self.escape && (next == quote || next == self.escape) {
                escaped = true;
                at += 2;
            } else if text[at] == quote {
                break at;
            } else {
                at += 1;
            }
        };
        let behind = if self.trim {
            self.skip_blanks(text, end + 1)
        } else {
            end + 1
        };
        let terminator = self.terminator(text, behind)?;
        Some(Cell {
            start,
            end,
            terminator,
            quoted: true,
            escaped,
            malformed: terminator != behind,
        })
    }

    /// Appends the text between the quotes without its escapes.
    pub(crate) fn unescape(&self, raw: &[u8], text: &mut Vec<u8>) {
        let mut rest = raw;
        while let Some(found) = memchr::memchr(self.escape, rest) {
            let next = rest.get(found + 1).copied();
            let escapes = next.is_some() && (next == self.quote || next == Some(self.escape));
            let (kept, skipped) = if escapes {
                (found, found + 1)
            } else {
                (found + 1, found + 1)
            };
            text.extend_from_slice(&rest[..kept]);
            rest = &rest[skipped..];
            if escapes {
                text.push(rest[0]);
                rest = &rest[1..];
            }
        }
        text.extend_from_slice(rest);
    }

    /// Position of the next delimiter or line end.
    #[inline]
    fn terminator(&self, text: &[u8], mut at: usize) -> Option<usize> {
        while let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*bytes);
            // The lowest mark of each is right, and so is the lowest of all.
            let found =
                zero_bytes(word ^ self.delimiters) | zero_bytes(word ^ FEEDS) | zero_bytes(word ^ RETURNS);
            if found != 0 {
                return Some(at + found.trailing_zeros() as usize / 8);
            }
            at += 8;
        }
        let rest = text.get(at..)?;
        let found = rest.iter().position(|&byte| self.is_terminator(byte))?;
        Some(at + found)
    }

    #[inline]
    pub(crate) fn is_terminator(&self, byte: u8) -> bool {
        byte == self.delimiter || byte == b'\n' || byte == b'\r'
    }

    #[inline]
    fn is_blank(&self, byte: u8) -> bool {
        (byte == b' ' || byte == b'\t') && byte != self.delimiter
    }

    pub(crate) fn skip_blanks(&self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|&&byte| self.is_blank(byte)).count()
    }

    /// Position behind the record, comment or empty line that begins at `start`.
    pub(crate) fn record_end(&self, text: &[u8], start: usize) -> RecordEnd {
        let mut at = start;
        if self.is_comment(text, start) {
            return match comment_end(text, start) {
                Some(end) => RecordEnd::At(end),
                None => RecordEnd::Beyond { quoted: false },
            };
        }
        loop {
            let Some(cell) = self.cell(text, at) else {
                let begin = if self.trim { self.skip_blanks(text, at) } else { at };
                let quoted = self.quote.is_some() && text.get(begin).copied() == self.quote;
                return RecordEnd::Beyond { quoted };
            };
            if text[cell.terminator] == self.delimiter {
                at = cell.terminator + 1;
                continue;
            }
            return match line_end(text, cell.terminator) {
                Some(end) => RecordEnd::At(end),
                None => RecordEnd::Beyond { quoted: false },
            };
        }
    }

    #[inline]
    pub(crate) fn is_comment(&self, text: &[u8], start: usize) -> bool {
        self.comment.is_some() && text.get(start).copied() == self.comment
    }
}

/// Position behind the comment that begins at `start`.
pub(crate) fn comment_end(text: &[u8], start: usize) -> Option<usize> {
    let found = memchr::memchr2(b'\n', b'\r', text.get(start..)?)?;
    line_end(text, start + found)
}

/// Position behind the line end at `at`: `\n`, `\r\n` or `\r`. `None` when the text ends with a `\r`, which may be half of one.
#[inline]
pub(crate) fn line_end(text: &[u8], at: usize) -> Option<usize> {
    if text[at] == b'\n' {
        return Some(at + 1);
    }
    match text.get(at + 1) {
        Some(b'\n') => Some(at + 2),
        Some(_) => Some(at + 1),
        None => None,
    }
}
