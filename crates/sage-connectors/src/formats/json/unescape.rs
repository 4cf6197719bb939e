//! Strings of JSON with escapes.

use crate::wtf8;

/// Appends the string between two quotes, whose escapes have been checked, as WTF-8: `\ud83d\ude00` becomes one code point,
/// an unpaired surrogate stays one.
pub(crate) fn unescape(raw: &[u8], text: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &raw[at..]) {
        text.extend_from_slice(&raw[at..at + found]);
        at += found + 2;
        match raw.get(at - 1) {
            Some(b'u') => {
                let mut code_point = hex(raw, at);
                at += 4;
                if (0xD800..0xDC00).contains(&code_point) && raw.get(at..at + 2) == Some(b"\\u") {
                    let low = hex(raw, at + 2);
                    if (0xDC00..0xE000).contains(&low) {
                        code_point = 0x1_0000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
                        at += 6;
                    }
                }
                wtf8::push_code_point(code_point, text);
            }
            Some(b'b') => text.push(0x08),
            Some(b'f') => text.push(0x0C),
            Some(b'n') => text.push(b'\n'),
            Some(b'r') => text.push(b'\r'),
            Some(b't') => text.push(b'\t'),
            Some(&other) => text.push(other),
            None => return,
        }
    }
    text.extend_from_slice(&raw[at..]);
}

/// The four hexadecimal digits at `at`.
fn hex(raw: &[u8], at: usize) -> u32 {
    raw.iter().skip(at).take(4).fold(0, |value, &byte| {
        value << 4 | char::from(byte).to_digit(16).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(raw: &str) -> Vec<u8> {
        let mut text = Vec::new();
        unescape(raw.as_bytes(), &mut text);
        text
    }

    #[test]
    fn every_escape_of_json() {
        assert_eq!(
            unescaped(r#"a\"\\\/\b\f\n\r\t\u0041\u00e9\u6F22z"#),
            "a\"\\/\u{8}\u{c}\n\r\tAé漢z".as_bytes()
        );
    }

    #[test]
    fn surrogates_pair_up_or_stay_alone() {
        assert_eq!(unescaped(r"\ud83d\ude00"), "😀".as_bytes());
        assert_eq!(unescaped(r"\ud83d"), b"\xED\xA0\xBD");
        assert_eq!(unescaped(r"\ude00\ud83d"), b"\xED\xB8\x80\xED\xA0\xBD");
        assert_eq!(unescaped(r"\ud83dx\ude00"), b"\xED\xA0\xBDx\xED\xB8\x80");
        assert_eq!(unescaped(r"\ud83d\ud83d\ude00"), b"\xED\xA0\xBD\xF0\x9F\x98\x80");
    }
}
