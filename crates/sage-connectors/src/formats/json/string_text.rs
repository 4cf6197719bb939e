//! Strings as `JSON.stringify` writes them.

use crate::wtf8;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Whether some string of a column needs an escape: then, and only then, it is looked at byte by byte.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
pub(crate) fn needs_escapes(bytes: &[u8]) -> bool {
    // Without a branch in it, this is done many bytes at a time.
    bytes.iter().fold(false, |found, &byte| {
        found | (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0xED)
    })
}

/// Appends a string in WTF-8 with its quotes; an unpaired surrogate is written as `\udXXX`.
pub(crate) fn push_json_string(string: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    let mut start = 0;
    let mut at = 0;
    while let Some(&byte) = string.get(at) {
        let is_surrogate = byte == 0xED && string.get(at + 1).is_some_and(|&next| next >= 0xA0);
        if byte >= 0x20 && byte != b'"' && byte != b'\\' && !is_surrogate {
            at += 1;
            continue;
        }
        text.extend_from_slice(&string[start..at]);
        let (code_point, length) = wtf8::decode(&string[at..]).unwrap_or((u32::from(byte), 1));
        push_escape(code_point, text);
        at += length;
        start = at;
    }
    text.extend_from_slice(&string[start..]);
    text.push(b'"');
}

fn push_escape(code_point: u32, text: &mut Vec<u8>) {
    let short = match code_point {
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        0x22 => b'"',
        0x5C => b'\\',
        _ => {
            text.extend_from_slice(b"\\u");
            text.extend([12, 8, 4, 0].map(|shift| HEX[(code_point >> shift & 0xF) as usize]));
            return;
        }
    };
    text.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(string: &[u8]) -> String {
        let mut text = Vec::new();
        push_json_string(string, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn unpaired_surrogates_are_written_as_escapes() {
        assert_eq!(written(b"a\xED\xA0\xBDb\xED\xBF\xBF"), r#""a\ud83db\udfff""#);
        // U+D7FF is no surrogate although its first byte is the same.
        assert_eq!(written("\u{D7FF}".as_bytes()), "\"\u{D7FF}\"");
    }

    #[test]
    fn delete_and_line_separators_are_not_escaped() {
        assert_eq!(written("\u{7f}\u{2028}/".as_bytes()), "\"\u{7f}\u{2028}/\"");
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(string in any::<String>()) {
            // Its escapes are those of JSON.stringify.
            prop_assert_eq!(written(string.as_bytes()), serde_json::to_string(&string).unwrap());
        }

        #[test]
        fn what_needs_no_escape_is_only_put_in_quotes(string in any::<String>()) {
            if !needs_escapes(string.as_bytes()) {
                prop_assert_eq!(written(string.as_bytes()), format!("\"{string}\""));
            }
        }
    }
}
