//! WTF-8: UTF-8 in which an unpaired surrogate is three bytes like any other code point of its size.
//!
//! JavaScript strings may hold unpaired surrogates; Rust strings may not. This is the form in which such strings
//! pass through native readers and writers.

/// Number of UTF-16 units of well-formed UTF-8 or WTF-8.
pub(crate) fn utf16_len(text: &[u8]) -> usize {
    // Each byte that is not a continuation starts a code point; the four-byte ones are two units.
    text.iter()
        .map(|&byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0))
        .sum()
}

/// The UTF-16 units of well-formed UTF-8 or WTF-8.
pub(crate) fn utf16_units(text: &[u8]) -> Utf16Units<'_> {
    Utf16Units { text, low: None }
}

/// See [`utf16_units`].
pub(crate) struct Utf16Units<'a> {
    text: &'a [u8],
    /// The second half of a pair whose first half was given last.
    low: Option<u16>,
}

impl Iterator for Utf16Units<'_> {
    type Item = u16;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "units are 16 bits by construction"
    )]
    fn next(&mut self) -> Option<u16> {
        if let Some(low) = self.low.take() {
            return Some(low);
        }
        let (code_point, length) = decode(self.text)?;
        self.text = &self.text[length..];
        if code_point < 0x1_0000 {
            return Some(code_point as u16);
        }
        let offset = code_point - 0x1_0000;
        self.low = Some(0xDC00 | (offset & 0x3FF) as u16);
        Some(0xD800 | (offset >> 10) as u16)
    }
}

/// The first code point and its number of bytes. A malformed sequence is one byte and U+FFFD, so that this always
/// comes to an end.
pub(crate) fn decode(text: &[u8]) -> Option<(u32, usize)> {
    let first = *text.first()?;
    let tail = |index: usize| text.get(index).map_or(0, |&byte| u32::from(byte & 0x3F));
    let lead = u32::from(first);
    let (code_point, length) = match first {
        0..0x80 => (lead, 1),
        0xC2..0xE0 => ((lead & 0x1F) << 6 | tail(1), 2),
        0xE0..0xF0 => ((lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3),
        0xF0..0xF5 => ((lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
        _ => (0xFFFD, 1),
    };
    if length > text.len() {
        Some((0xFFFD, 1))
    } else {
        Some((code_point, length))
    }
}

/// Appends a code point, which may be a surrogate.
#[expect(clippy::cast_possible_truncation, reason = "each byte is masked to its bits")]
pub(crate) fn push_code_point(code_point: u32, text: &mut Vec<u8>) {
    let tail = |shift: u32| 0x80 | (code_point >> shift & 0x3F) as u8;
    match code_point {
        0..0x80 => text.push(code_point as u8),
        0x80..0x800 => text.extend_from_slice(&[0xC0 | (code_point >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => text.extend_from_slice(&[0xE0 | (code_point >> 12) as u8, tail(6), tail(0)]),
        _ => text.extend_from_slice(&[0xF0 | (code_point >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// Position of the first surrogate (which in WTF-8 is an unpaired one), if any.
pub(crate) fn find_surrogate(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(0xED, text).find(|&at| text.get(at + 1).is_some_and(|&next| next >= 0xA0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_standard_library() {
        for text in ["", "plain", "é", "漢字", "a😀b", "\u{FFFF}\u{10FFFF}"] {
            let expected: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(utf16_units(text.as_bytes()).collect::<Vec<_>>(), expected);
            assert_eq!(utf16_len(text.as_bytes()), expected.len());
            let mut again = Vec::new();
            for char in text.chars() {
                push_code_point(u32::from(char), &mut again);
            }
            assert_eq!(again, text.as_bytes());
            assert_eq!(find_surrogate(text.as_bytes()), None);
        }
    }

    #[test]
    fn surrogates_pass() {
        let mut text = b"a".to_vec();
        push_code_point(0xDC00, &mut text);
        assert_eq!(utf16_units(&text).collect::<Vec<_>>(), [0x61, 0xDC00]);
        assert_eq!(find_surrogate(&text), Some(1));
    }
}
