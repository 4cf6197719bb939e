//! Characters that separate what is in a line of CSV.

pub(super) fn default_delimiter() -> String {
    ",".to_owned()
}

/// A character that can separate: one byte that no number, word or line end has.
pub(super) fn structural(name: &str, text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        &[byte]
            if byte == b'\t'
                || ((b' '..0x7F).contains(&byte)
                    && !byte.is_ascii_alphanumeric()
                    && !b"+-.".contains(&byte)) =>
        {
            Ok(byte)
        }
        _ => Err(format!(
            "{name} must be one ASCII character that is no letter, digit, sign, point or line end, not {text:?}"
        )),
    }
}
