//! A position in a block of JSON lines, and what can be read there.

use crate::columns::QuotedName;
use crate::formats::json::number::{self, Number};

/// Why a line is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// Position in the block.
    pub(crate) at: usize,
    /// What is wrong there, as the end of a sentence.
    pub(crate) what: &'static str,
}

/// A string between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawString {
    /// Position of the first byte behind the opening quote.
    pub(crate) start: usize,
    /// Position of the closing quote.
    pub(crate) end: usize,
    pub(crate) escaped: bool,
    pub(crate) ascii: bool,
}

/// A position in a block of whole lines. Each line, the last one too, ends with `\n`, which is no white space here: so
/// everything that is read ends at the end of its line without looking for it first.
#[derive(Debug)]
pub(crate) struct JsonCursor<'a> {
    text: &'a [u8],
    pub(crate) at: usize,
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// `"` in each byte.
const QUOTES: u64 = LOW_BITS * 0x22;
/// `\` in each byte.
const BACKSLASHES: u64 = LOW_BITS * 0x5C;

impl<'a> JsonCursor<'a> {
    pub(crate) fn new(text: &'a [u8], at: usize) -> Self {
        debug_assert_eq!(text.last(), Some(&b'\n'));
        Self { text, at }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The byte here; `\n` behind the end.
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(b'\n')
    }

    #[inline]
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Moves on if these bytes are next.
    #[inline]
    pub(crate) fn eat(&mut self, expected: &[u8]) -> bool {
        let is_next = self.text.get(self.at..self.at + expected.len()) == Some(expected);
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    /// Moves on if this field name is next.
    #[inline]
    pub(crate) fn eat_name(&mut self, name: &QuotedName) -> bool {
        let is_next = name.is_at(self.text, self.at);
        if is_next {
            self.at += name.len();
        }
        is_next
    }

    #[inline]
    pub(crate) fn skip_white_space(&mut self) {
        // Compact JSON has none: one comparison decides.
        while self.peek() <= b' ' && matches!(self.peek(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    pub(crate) fn error<T>(&self, what: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at, what })
    }

    /// Reads a string whose opening quote is here; the cursor is then behind the closing quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<RawString, SyntaxError> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        let mut high = 0_u64;
        loop {
            let Some(word) = self
                .text
                .get(at..at + 8)
                .and_then(|bytes| bytes.first_chunk::<8>())
            else {
                return self.string_near_the_end(start, at, escaped, high == 0);
            };
            let word = u64::from_le_bytes(*word);
            // In each of the three the lowest marked byte is truly one; marks above it may be wrong.
            let quote = word ^ QUOTES;
            let backslash = word ^ BACKSLASHES;
            let special = (quote.wrapping_sub(LOW_BITS) & !quote)
                | (backslash.wrapping_sub(LOW_BITS) & !backslash)
                | (word.wrapping_sub(LOW_BITS * 0x20) & !word);
            let special = special & HIGH_BITS;
            if special == 0 {
                high |= word & HIGH_BITS;
                at += 8;
                continue;
            }
            let length = special.trailing_zeros() as usize / 8;
            // Bytes before the special one; none when it is the first.
            high |= word & HIGH_BITS & ((1_u64 << (8 * length)) - 1);
            at += length;
            match self.text[at] {
                b'"' => {
                    self.at = at + 1;
                    return Ok(RawString {
                        start,
                        end: at,
                        escaped,
                        ascii: high == 0,
                    });
                }
                b'\\' => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                _ => return self.control_character(at),
            }
        }
    }

    #[cold]
    fn string_near_the_end(
        &mut self,
        start: usize,
        mut at: usize,
        mut escaped: bool,
        mut ascii: bool,
    ) -> Result<RawString, SyntaxError> {
        loop {
            match self.text.get(at).copied().unwrap_or(b'\n') {
                b'"' => {
                    self.at = at + 1;
                    return Ok(RawString {
                        start,
                        end: at,
                        escaped,
                        ascii,
                    });
                }
                b'\\' => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                0..0x20 => return self.control_character(at),
                byte => {
                    ascii &= byte.is_ascii();
                    at += 1;
                }
            }
        }
    }

    #[cold]
    fn control_character<T>(&self, at: usize) -> Result<T, SyntaxError> {
        let what = if self.text.get(at).is_none_or(|&byte| byte == b'\n') {
            "the line ends inside a string"
        } else {
            "a control character inside a string must be written as an escape"
        };
        Err(SyntaxError { at, what })
    }

    /// Checks the escape at `at`; gives the position behind it.
    fn escape(&self, at: usize) -> Result<usize, SyntaxError> {
        match self.text.get(at + 1).copied().unwrap_or(b'\n') {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' if self
                .slice(at + 2, at + 6)
                .iter()
                .filter(|byte| byte.is_ascii_hexdigit())
                .count()
                == 4 =>
            {
                Ok(at + 6)
            }
            b'\n' => self.control_character(at + 1),
            _ => Err(SyntaxError {
                at,
                what: "this is not an escape that JSON has",
            }),
        }
    }

    /// Reads a number whose first byte (`-` or a digit) is here.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<f64, SyntaxError> {
        match number::parse(self.text, self.at) {
            Number::Value { value, end } => {
                self.at = end;
                Ok(value)
            }
            Number::Malformed { at, what } => Err(SyntaxError { at, what }),
        }
    }

    /// Reads `true`, `false` or `null`.
    #[inline]
    pub(crate) fn word(&mut self, word: &'static [u8]) -> Result<(), SyntaxError> {
        if self.eat(word) {
            Ok(())
        } else {
            self.not_a_value()
        }
    }

    #[cold]
    pub(crate) fn not_a_value<T>(&self) -> Result<T, SyntaxError> {
        self.error(match self.peek() {
            b'\n' => "the line ends where a value is expected",
            b'\'' => "a string is written in double quotes",
            b'}' | b']' | b',' => "a value is missing here",
            _ => "this is not a JSON value",
        })
    }

    /// Checks and skips a value. `open` is memory for the containers that are open; it is not a recursion, so that depth is
    /// limited by the length of the line only.
    pub(crate) fn skip_value(&mut self, open: &mut Vec<u8>) -> Result<(), SyntaxError> {
        open.clear();
        loop {
            // A value is expected.
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => {
                    let checked = number::check(self.text, self.at);
                    self.at = checked.map_err(|(at, what)| SyntaxError { at, what })?;
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                b'[' => {
                    self.at += 1;
                    self.skip_white_space();
                    if self.peek() != b']' {
                        open.push(b']');
                        continue;
                    }
                    self.at += 1;
                }
                b'{' => {
                    self.at += 1;
                    self.skip_white_space();
                    if self.peek() != b'}' {
                        open.push(b'}');
                        self.skip_name()?;
                        continue;
                    }
                    self.at += 1;
                }
                _ => return self.not_a_value(),
            }
            // A value has ended: close what ends with it.
            loop {
                let Some(&close) = open.last() else { return Ok(()) };
                self.skip_white_space();
                let byte = self.peek();
                if byte == b',' {
                    self.at += 1;
                    self.skip_white_space();
                    if close == b'}' {
                        self.skip_name()?;
                    }
                    break;
                }
                if byte != close {
                    return self.not_closed(close);
                }
                self.at += 1;
                open.pop();
            }
        }
    }

    fn skip_name(&mut self) -> Result<(), SyntaxError> {
        if self.peek() != b'"' {
            return self.not_a_name();
        }
        self.string()?;
        self.colon()
    }

    /// Skips the colon behind a name and the white space around it.
    #[inline]
    pub(crate) fn colon(&mut self) -> Result<(), SyntaxError> {
        self.skip_white_space();
        if self.peek() != b':' {
            return self.error("a colon is expected behind a field name");
        }
        self.at += 1;
        self.skip_white_space();
        Ok(())
    }

    #[cold]
    pub(crate) fn not_a_name<T>(&self) -> Result<T, SyntaxError> {
        self.error(match self.peek() {
            b'\n' => "the line ends inside an object",
            b'}' => "a comma must be followed by another field",
            _ => "a field name in double quotes is expected",
        })
    }

    #[cold]
    pub(crate) fn not_closed<T>(&self, close: u8) -> Result<T, SyntaxError> {
        self.error(match (self.peek(), close) {
            (b'\n', b'}') => "the line ends inside an object",
            (b'\n', _) => "the line ends inside an array",
            (_, b'}') => "a comma or } is expected behind a field",
            _ => "a comma or ] is expected behind an element",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Result<usize, SyntaxError> {
        let line = format!("{text}\n");
        let mut cursor = JsonCursor::new(line.as_bytes(), 0);
        cursor.skip_value(&mut Vec::new()).map(|()| cursor.at)
    }

    #[test]
    fn what_is_skipped_is_exactly_one_value() {
        for (text, length) in [
            ("1,2", 1),
            ("[1, [2, {\"a\" : []}], {}] x", 24),
            ("\"a\\\"b\" ,", 6),
            ("{\"a\":{\"b\":[null,true,false]}}", 29),
            ("-0.5e+7]", 7),
        ] {
            assert_eq!(skip(text), Ok(length), "{text}");
        }
    }

    #[test]
    fn depth_is_limited_by_memory_only() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(skip(&deep), Ok(400_000));
    }

    #[test]
    fn what_is_malformed_is_said_where_it_is() {
        for (text, at, what) in [
            ("", 0, "ends where a value"),
            ("[1,]", 3, "missing"),
            ("{\"a\":1,}", 7, "another field"),
            ("{\"a\" 1}", 5, "colon"),
            ("{a:1}", 1, "double quotes"),
            ("[1 2]", 3, "comma or ]"),
            ("{\"a\":1]", 6, "comma or }"),
            ("\"ab", 3, "ends inside a string"),
            ("\"a\tb\"", 2, "control character"),
            ("\"a\\x\"", 2, "escape"),
            ("\"a\\u12g4\"", 2, "escape"),
            ("truth", 0, "not a JSON value"),
            ("'a'", 0, "double quotes"),
            ("01", 1, "zero"),
        ] {
            match skip(text) {
                Err(error) => {
                    assert_eq!(error.at, at, "{text}: {}", error.what);
                    assert!(error.what.contains(what), "{text}: {}", error.what);
                }
                // A number ends where it ends; what follows is the caller's matter.
                Ok(end) => assert_eq!((text, end), ("01", 1)),
            }
        }
    }
}
