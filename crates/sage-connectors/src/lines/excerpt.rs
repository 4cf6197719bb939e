//! A few words of a broken line.

/// Bytes that are shown on each side of the error.
const AROUND_BYTES: usize = 32;

/// The part of `line` around `at`, with an ellipsis where something is left out. Bytes that are not UTF-8 and control
/// characters are shown as replacement characters.
pub(crate) fn excerpt(line: &[u8], at: usize) -> String {
    let at = at.min(line.len());
    let is_boundary = |&at: &usize| line.get(at).is_none_or(|&byte| byte & 0xC0 != 0x80);
    // At most three bytes belong to a character that began before.
    let start = at.saturating_sub(AROUND_BYTES);
    let start = (start..=(start + 3).min(at)).find(is_boundary).unwrap_or(start);
    let end = (at + AROUND_BYTES).min(line.len());
    let end = (end.saturating_sub(3).max(at)..=end)
        .rfind(is_boundary)
        .unwrap_or(end);
    let mut text = String::new();
    if start > 0 {
        text.push('…');
    }
    let shown = String::from_utf8_lossy(&line[start..end]);
    text.extend(
        shown
            .chars()
            .map(|char| if char.is_control() { '\u{FFFD}' } else { char }),
    );
    if end < line.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_shown_whole_and_a_long_one_around_the_error() {
        assert_eq!(excerpt(b"{\"a\":}", 5), "{\"a\":}");
        let line = "x".repeat(1000) + "|" + &"y".repeat(1000);
        assert_eq!(
            excerpt(line.as_bytes(), 1000),
            format!("…{}|{}…", "x".repeat(32), "y".repeat(31))
        );
        assert_eq!(excerpt(b"a\0b\xFFc", 0), "a\u{FFFD}b\u{FFFD}c");
    }

    #[test]
    fn characters_are_not_cut() {
        for padding in 0..4 {
            let line = "a".repeat(padding) + &"😀".repeat(50);
            for at in 0..=line.len() {
                let shown = excerpt(line.as_bytes(), at);
                assert!(
                    !shown.contains('\u{FFFD}') || !line.is_char_boundary(at),
                    "{at}: {shown}"
                );
            }
        }
    }
}
