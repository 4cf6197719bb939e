//! Where values of JSON end, by their quotes and brackets.

#[inline]
pub(crate) fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Turns each line end between the tokens of a complete value, and in the white space around it, into one `\r`: so that `\n` is
/// free to stand for something else, and lines can still be counted. Those inside strings, where none may be, stay.
pub(crate) fn hide_line_ends(text: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr::memchr3(b'"', b'\n', b'\r', &text[at..]) {
        at += found;
        match (text[at], text.get(at + 1)) {
            (b'"', _) => {
                at = string_end(text, at).unwrap_or(text.len());
                continue;
            }
            (b'\r', Some(b'\n')) => text[at] = b' ',
            (b'\n', _) => text[at] = b'\r',
            _ => {}
        }
        at += 1;
    }
}

/// Position behind the string whose opening quote is at `start`; `None` when it does not end.
pub(crate) fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Bytes at which something happens between tokens.
const STRUCTURAL: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

/// Position behind the value at `start`; `None` when the text ends first. Whether it is a value is for others to say.
pub(crate) fn value_end(text: &[u8], start: usize) -> Option<usize> {
    match text.get(start)? {
        b'"' => return string_end(text, start),
        b'{' | b'[' => {}
        _ => {
            let rest = &text[start..];
            let found = rest.iter().position(|&byte| {
                is_white_space(byte) || matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"')
            });
            return found.map(|found| start + found.max(1));
        }
    }
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        at += text
            .get(at..)?
            .iter()
            .position(|&byte| STRUCTURAL[byte as usize])?;
        match text[at] {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            _ => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
        }
        at += 1;
    }
}

/// Skips a value that comes in pieces, in constant memory.
#[derive(Debug, Default)]
pub(crate) struct Skipper {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// A number or word has begun.
    in_scalar: bool,
}

impl Skipper {
    /// Skips what is there of the value; how much that is, and whether the value ended.
    pub(crate) fn skip(&mut self, text: &[u8]) -> (usize, bool) {
        for (at, &byte) in text.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let ends_scalar = is_white_space(byte) || matches!(byte, b',' | b']' | b'}');
            if self.in_scalar && ends_scalar {
                return (at, true);
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    if self.depth <= 1 {
                        // A closing bracket without a value is left to who reads on.
                        return (at + self.depth, true);
                    }
                    self.depth -= 1;
                }
                b',' if self.depth == 0 => return (at, true),
                _ => self.in_scalar = self.depth == 0 && !is_white_space(byte),
            }
        }
        (text.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_close() {
        for (text, end) in [
            (r#"{"a":[1,"]}\""]} x"#, Some(16)),
            (r#""a\"b","#, Some(6)),
            ("12,", Some(2)),
            ("true]", Some(4)),
            ("12", None),
            (r#"{"a":"#, None),
            (r#""a\"#, None),
        ] {
            assert_eq!(value_end(text.as_bytes(), 0), end, "{text}");
        }
    }

    #[test]
    fn line_ends_outside_strings_are_hidden() {
        let mut text = b"\r\n[1,\r\n2,\n\n\r\"a\nb\\\"\n\"]\n".to_vec();
        hide_line_ends(&mut text);
        assert_eq!(text, b" \r[1, \r2,\r\r\r\"a\nb\\\"\n\"]\r");
    }

    #[test]
    fn a_value_can_be_skipped_in_pieces() {
        for (text, end) in [
            (r#" {"a":[1,"]}\""]} x"#, 17),
            (r#""a\"b","#, 6),
            (" 12 ,", 3),
            ("null}", 4),
            ("[]]", 2),
        ] {
            for cut in 0..end {
                let mut skipper = Skipper::default();
                let (first, finished) = skipper.skip(&text.as_bytes()[..cut]);
                assert_eq!((first, finished), (cut, false), "{text} {cut}");
                assert_eq!(
                    skipper.skip(&text.as_bytes()[cut..]),
                    (end - cut, true),
                    "{text} {cut}"
                );
            }
        }
    }
}
