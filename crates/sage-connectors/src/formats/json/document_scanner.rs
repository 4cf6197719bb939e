//! Records in JSON documents, found by their brackets.

use std::ops::Range;

use crate::formats::json::cursor::SyntaxError;
use crate::formats::json::structure::{Skipper, hide_line_ends, is_white_space, string_end, value_end};
use crate::formats::json::unescape::unescape;

/// What comes next in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Records in this range of the text, each with a `\n` behind it, which is nowhere else.
    Records(Range<usize>),
    /// What is behind [`DocumentScanner::position`] is not enough.
    NeedsMore,
}

/// A container on the way to the records.
#[derive(Debug)]
struct Level {
    close: u8,
    /// Number of the next item of an array.
    item: u64,
    /// The part that leads to the records was there.
    found: bool,
}

#[derive(Debug)]
enum Expect {
    /// Another document, or the end.
    Document,
    /// A value on the way to the records, or the records.
    Value,
    /// A name, an item, or the end of the container that was opened last.
    FirstMember,
    /// A name or an item.
    Member,
    /// A comma, or the end of the container.
    MemberEnd,
    /// The rest of a value that nobody asked for.
    Skipped(Skipper),
    /// An element of the array of records.
    Element { first: bool },
    /// A record that is no array.
    Record,
}

/// Finds records: the elements of the array that a path leads to, or the value there that is no array, in one document or
/// several, one behind the other.
///
/// It works in place: elements become lines, which is what [`JsonRowReader`](crate::formats::json::JsonRowReader) reads. Line ends between
/// tokens become `\r`, the comma or bracket behind an element becomes `\n`; [`restore`] turns the latter back. What
/// is beside the path is checked for strings and brackets only.
#[derive(Debug)]
pub(crate) struct DocumentScanner {
    path: Vec<String>,
    levels: Vec<Level>,
    expect: Expect,
    at: usize,
    /// What `restore` puts back behind a record that is no element.
    behind_record: Option<u8>,
}

impl DocumentScanner {
    pub(crate) fn new(path: Vec<String>) -> Self {
        Self {
            path,
            levels: Vec::new(),
            expect: Expect::Document,
            at: 0,
            behind_record: None,
        }
    }

    /// Up to here the text is not needed any more (when its records have been read).
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The first bytes of the text were removed.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.at -= bytes;
    }

    /// Whether the text may end here.
    pub(crate) fn is_between_documents(&self) -> bool {
        matches!(self.expect, Expect::Document)
    }

    /// What is missing where the text ends.
    pub(crate) fn missing(&self) -> &'static str {
        match self.expect {
            Expect::Element { .. } => "the file ends inside the array of records",
            Expect::Record => "the file ends inside a record",
            _ => "the file ends inside a document",
        }
    }

    /// The next records.
    pub(crate) fn scan(&mut self, text: &mut [u8]) -> Result<Scan, SyntaxError> {
        loop {
            let scanned = match &mut self.expect {
                Expect::Element { first } => {
                    let first = *first;
                    return self.elements(text, first);
                }
                Expect::Record => return Ok(self.record(text)),
                Expect::Skipped(skipper) => {
                    let (end, finished) = skipper.skip(&text[self.at..]);
                    self.at += end;
                    if finished {
                        self.expect = Expect::MemberEnd;
                    }
                    finished
                }
                _ => self.structure(text)?,
            };
            if !scanned {
                return Ok(Scan::NeedsMore);
            }
        }
    }

    /// One step on the way to the records; false when there is not enough text.
    fn structure(&mut self, text: &[u8]) -> Result<bool, SyntaxError> {
        while text.get(self.at).is_some_and(|&byte| is_white_space(byte)) {
            self.at += 1;
        }
        let Some(&byte) = text.get(self.at) else {
            return Ok(false);
        };
        match self.expect {
            Expect::Document => self.expect = Expect::Value,
            Expect::Value => self.value(byte)?,
            Expect::FirstMember => match self.levels.last() {
                Some(level) if level.close == byte => self.close()?,
                _ => self.expect = Expect::Member,
            },
            Expect::Member => return self.member(text),
            _ => match self.levels.last() {
                Some(_) if byte == b',' => {
                    self.at += 1;
                    self.expect = Expect::Member;
                }
                Some(level) if level.close == byte => self.close()?,
                Some(level) if level.close == b'}' => {
                    return self.error("a comma or } is expected behind a field");
                }
                _ => return self.error("a comma or ] is expected behind an element"),
            },
        }
        Ok(true)
    }

    fn error<T>(&self, what: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at, what })
    }

    fn value(&mut self, byte: u8) -> Result<(), SyntaxError> {
        if self.levels.len() == self.path.len() {
            if byte == b'[' {
                self.at += 1;
                self.expect = Expect::Element { first: true };
            } else {
                self.expect = Expect::Record;
            }
            return Ok(());
        }
        let close = match byte {
            b'{' => b'}',
            b'[' => b']',
            _ => return self.error("this is no object, and the option at names a field of it"),
        };
        self.at += 1;
        self.levels.push(Level {
            close,
            item: 0,
            found: false,
        });
        self.expect = Expect::FirstMember;
        Ok(())
    }

    /// The name of a field with its colon, or the place of an item.
    fn member(&mut self, text: &[u8]) -> Result<bool, SyntaxError> {
        let depth = self.levels.len();
        let Some((level, wanted)) = self.levels.last_mut().zip(self.path.get(depth - 1)) else {
            return self.error("this is not where a field may be");
        };
        let mut next = self.at;
        let matches = if level.close == b']' {
            level.item += 1;
            wanted.parse() == Ok(level.item - 1)
        } else {
            if text[self.at] != b'"' {
                return self.error("a field name in double quotes is expected");
            }
            let Some(end) = string_end(text, self.at) else {
                return Ok(false);
            };
            next = end;
            while text.get(next).is_some_and(|&byte| is_white_space(byte)) {
                next += 1;
            }
            match text.get(next) {
                None => return Ok(false),
                Some(b':') => next += 1,
                Some(_) => {
                    self.at = next;
                    return self.error("a colon is expected behind a field name");
                }
            }
            let mut name = Vec::new();
            unescape(&text[self.at + 1..end - 1], &mut name);
            name == wanted.as_bytes()
        };
        if matches && level.found {
            return self.error("the field that the option at names is there twice");
        }
        level.found |= matches;
        self.at = next;
        self.expect = if matches {
            Expect::Value
        } else {
            Expect::Skipped(Skipper::default())
        };
        Ok(true)
    }

    /// The end of a container on the way.
    fn close(&mut self) -> Result<(), SyntaxError> {
        match self.levels.pop() {
            Some(level) if !level.found => {
                return self.error("what ends here does not have what the option at names");
            }
            _ => self.at += 1,
        }
        self.end_value();
        Ok(())
    }

    fn end_value(&mut self) {
        self.expect = if self.levels.is_empty() {
            Expect::Document
        } else {
            Expect::MemberEnd
        };
    }

    /// Elements as far as they are complete.
    fn elements(&mut self, text: &mut [u8], mut first: bool) -> Result<Scan, SyntaxError> {
        let start = self.at;
        let mut closed = false;
        while !closed {
            match next_element(text, self.at, first) {
                Ok(None) => break,
                // What is before is good, and comes first.
                Err(_) if self.at > start => break,
                Err(error) => return Err(error),
                Ok(Some((end, was_last))) => {
                    (self.at, closed, first) = (end, was_last, false);
                }
            }
        }
        if closed {
            self.end_value();
        } else {
            self.expect = Expect::Element { first };
        }
        // An empty array leaves nothing but white space.
        let records = start..self.at;
        Ok(if records.is_empty() {
            Scan::NeedsMore
        } else {
            Scan::Records(records)
        })
    }

    /// A record that is no element of an array.
    fn record(&mut self, text: &mut [u8]) -> Scan {
        let start = self.at;
        let Some(end) = value_end(text, start).filter(|&end| end < text.len()) else {
            return Scan::NeedsMore;
        };
        hide_line_ends(&mut text[start..end]);
        self.behind_record = Some(text[end]);
        text[end] = b'\n';
        self.at = end;
        self.end_value();
        Scan::Records(start..end + 1)
    }

    /// Puts back what was behind the records of a range, so that scanning can go on and lines can be counted.
    pub(crate) fn restore(&mut self, records: &mut [u8]) {
        if let Some(behind) = self.behind_record.take() {
            if let Some(last) = records.last_mut() {
                *last = behind;
            }
            return;
        }
        for byte in &mut *records {
            if *byte == b'\n' {
                *byte = b',';
            }
        }
        let is_array_over = !matches!(self.expect, Expect::Element { .. });
        if is_array_over && let Some(last) = records.last_mut() {
            *last = b']';
        }
    }
}

/// Makes a line of the element at `at`. Position behind it and whether it was the last one; `None` when it is not complete.
fn next_element(text: &mut [u8], at: usize, first: bool) -> Result<Option<(usize, bool)>, SyntaxError> {
    let error = |at: usize, what: &'static str| Err(SyntaxError { at, what });
    let start = skip_white_space(text, at);
    match text.get(start) {
        None => return Ok(None),
        Some(b']') if first => {
            // A line without a record.
            hide_line_ends(&mut text[at..start]);
            text[start] = b'\n';
            return Ok(Some((start + 1, true)));
        }
        Some(b',' | b']' | b'}' | b':') => return error(start, "a value is missing here"),
        Some(_) => {}
    }
    let Some(end) = value_end(text, start) else {
        return Ok(None);
    };
    let end = skip_white_space(text, end);
    match text.get(end) {
        None => Ok(None),
        Some(&byte) if byte == b',' || byte == b']' => {
            hide_line_ends(&mut text[at..end]);
            text[end] = b'\n';
            Ok(Some((end + 1, byte == b']')))
        }
        Some(_) => error(end, "a comma or ] is expected behind an element"),
    }
}

/// Position of the next byte that is no white space.
fn skip_white_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|&&byte| is_white_space(byte)).count()
}
