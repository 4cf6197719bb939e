//! Names of partition directories, as Hive and Spark write them.

/// The value of records that have none.
const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Characters that are written as `%` and two hexadecimal digits: those that Hive escapes, and NUL.
const ESCAPED: &[u8] = b"\"#%'*/:=?\\\x7F{[]^";

/// Appends `<name>=<value>`. No value is [`DEFAULT_PARTITION`], and so is the empty one, for a name that ends with `=` is
/// one that Hive does not know.
pub(crate) fn push_directory(name: &str, value: Option<&str>, path: &mut String) {
    push_escaped(name, path);
    path.push('=');
    match value {
        None | Some("") => path.push_str(DEFAULT_PARTITION),
        Some(value) => push_escaped(value, path),
    }
}

fn push_escaped(text: &str, path: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for char in text.chars() {
        match u8::try_from(char) {
            Ok(byte)
                if char.is_ascii() && (byte < 0x20 || ESCAPED.contains(&byte) || is_escaped_here(byte)) =>
            {
                path.push('%');
                path.push(DIGITS[usize::from(byte >> 4)].into());
                path.push(DIGITS[usize::from(byte & 15)].into());
            }
            _ => path.push(char),
        }
    }
}

/// What only Windows does not allow in names.
const fn is_escaped_here(byte: u8) -> bool {
    cfg!(windows) && matches!(byte, b' ' | b'<' | b'>' | b'|' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_as_hive_does() {
        let directory = |value: Option<&str>| {
            let mut path = String::new();
            push_directory("a b", value, &mut path);
            path
        };
        assert_eq!(directory(Some("NL")), "a b=NL");
        assert_eq!(directory(None), "a b=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(directory(Some("")), "a b=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(directory(Some("../x/é%\u{1}\0")), "a b=..%2Fx%2Fé%25%01%00");
        assert_eq!(directory(Some("12:30=\"'")), "a b=12%3A30%3D%22%27");
    }
}
