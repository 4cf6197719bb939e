//! Values in JSON texts that a reader has checked.

use std::borrow::Cow;

use crate::text::Text;
use crate::value::Value;

/// The value of a JSON text.
#[must_use]
pub fn json_value(text: &str) -> Value<'_> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    match text.as_bytes().first() {
        Some(b'"') => Value::Text(unescape(text)),
        Some(b't') => Value::Boolean(true),
        Some(b'f') => Value::Boolean(false),
        Some(b'{' | b'[') => Value::Json(Cow::Borrowed(text)),
        Some(b'-' | b'0'..=b'9') => text.parse().map_or(Value::Null, Value::Number),
        _ => Value::Null,
    }
}

/// The JSON text of a field of an object; none where it is no object, or has no such field. The last of several wins.
#[must_use]
pub fn json_field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut found = None;
    for (key, value) in members(text) {
        if unescape(key) == Text::from(name) {
            found = Some(value);
        }
    }
    found
}

/// The members of an object as JSON texts, in order.
pub(crate) fn members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = Parts::of(text, b'{');
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

/// The elements of an array as JSON texts, in order.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = &str> {
    Parts::of(text, b'[')
}

/// The values in an array, or keys and values in an object.
struct Parts<'t> {
    rest: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str, open: u8) -> Self {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let rest = if text.as_bytes().first() == Some(&open) {
            &text[1..]
        } else {
            ""
        };
        Self { rest }
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let from = self.rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
        let length = value_length(from.as_bytes());
        if length == 0 {
            self.rest = "";
            return None;
        }
        let (value, rest) = from.split_at(length);
        self.rest = rest;
        Some(value)
    }
}

/// Bytes of the value that a text begins with; 0 where an array or object ends.
fn value_length(bytes: &[u8]) -> usize {
    match bytes.first() {
        None | Some(b']' | b'}') => 0,
        Some(b'"') => string_length(bytes),
        Some(b'{' | b'[') => nested_length(bytes),
        Some(_) => bytes
            .iter()
            .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))
            .unwrap_or(bytes.len()),
    }
}

fn nested_length(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => {
                at += string_length(&bytes[at..]);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Bytes of a string with its quotes.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The text of a JSON string with its quotes.
pub(crate) fn unescape(quoted: &str) -> Text<'_> {
    let raw = quoted
        .strip_prefix('"')
        .and_then(|raw| raw.strip_suffix('"'))
        .unwrap_or(quoted);
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Text::from(raw);
    }
    let mut units = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        units.extend(plain.encode_utf16());
        let mut characters = escaped.chars();
        let escape = characters.next();
        rest = characters.as_str();
        match escape {
            Some('u') => {
                let (digits, behind) = rest.split_at_checked(4).unwrap_or((rest, ""));
                units.push(u16::from_str_radix(digits, 16).unwrap_or(0xfffd));
                rest = behind;
            }
            Some('b') => units.push(8),
            Some('f') => units.push(12),
            Some('n') => units.push(10),
            Some('r') => units.push(13),
            Some('t') => units.push(9),
            Some(other) => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
            None => {}
        }
    }
    units.extend(rest.encode_utf16());
    Text::from_units(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_kinds() {
        assert_eq!(json_value(" -1.5e3 "), Value::Number(-1500.0));
        assert_eq!(json_value("true"), Value::Boolean(true));
        assert_eq!(json_value("null"), Value::Null);
        assert_eq!(
            json_value(r#""a\"\u00e9\n😀""#),
            Value::Text(Text::from("a\"é\n😀"))
        );
        assert_eq!(json_value(r#""\ud83d""#), Value::Text(Text::Utf16(vec![0xd83d])));
        assert_eq!(json_value("[1]"), Value::Json(Cow::Borrowed("[1]")));
    }

    #[test]
    fn fields_are_found_by_name_and_the_last_wins() {
        let object = r#"{ "a" : [1,{"b":"]"}], "\u0062": -2 , "c":{"d":{}}, "a":"x,}" }"#;
        assert_eq!(json_field(object, "a"), Some(r#""x,}""#));
        assert_eq!(json_field(object, "b"), Some("-2"));
        assert_eq!(json_field(object, "c"), Some(r#"{"d":{}}"#));
        assert_eq!(json_field(object, "d"), None);
        assert_eq!(json_field("[1]", "0"), None);
        assert_eq!(
            elements(r#"[ 1,"a",[] ,{}]"#).collect::<Vec<_>>(),
            ["1", "\"a\"", "[]", "{}"]
        );
    }
}
