//! Canonical key bytes as values; `docs/internals/data-path.md`, section 4.

use sage_frame::{TokenWriter, key_tag};

use crate::nested::{push_json, survives_json};
use crate::text::Text;
use crate::value::Value;

/// The value of a key that has no parts; none of an array or object.
pub(crate) fn simple_value(key: &[u8]) -> Option<Value<'_>> {
    let (&tag, content) = key.split_first()?;
    let number = || {
        content
            .first_chunk()
            .map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes))
    };
    Some(match tag {
        key_tag::FALSE => Value::Boolean(false),
        key_tag::TRUE => Value::Boolean(true),
        key_tag::NUMBER => Value::Number(number()),
        key_tag::DATE => Value::Date(number()),
        key_tag::STRING => Value::Text(Text::from_wtf8(content)),
        key_tag::ARRAY | key_tag::OBJECT => return None,
        // The core makes no others of what it reads.
        _ => Value::Null,
    })
}

/// Appends a key as JSON; false where JSON loses something of it.
pub(crate) fn push_json_key(key: &[u8], json: &mut Vec<u8>) -> bool {
    if let Some(value) = simple_value(key) {
        push_json(&value, None, json);
        return survives_json(&value);
    }
    let is_array = key.first() == Some(&key_tag::ARRAY);
    let mut survives = true;
    json.push(if is_array { b'[' } else { b'{' });
    let mut parts = Parts::of(key);
    let mut is_first = true;
    while let Some(part) = parts.next() {
        if !std::mem::take(&mut is_first) {
            json.push(b',');
        }
        if is_array {
            survives &= push_json_key(part, json);
        } else {
            push_json(&Value::Text(Text::from_wtf8(part)), None, json);
            json.push(b':');
            survives &= push_json_key(parts.next().unwrap_or_default(), json);
        }
    }
    json.push(if is_array { b']' } else { b'}' });
    survives
}

/// Writes a key as a value of an `any` column.
pub(crate) fn write_key_tokens(key: &[u8], writer: &mut TokenWriter<'_>) {
    match simple_value(key) {
        Some(Value::Number(number)) => writer.f64(number),
        Some(Value::Date(millis)) => writer.date(millis),
        Some(Value::Boolean(value)) => writer.bool(value),
        Some(Value::Text(Text::Utf8(text))) => writer.str(&text),
        Some(Value::Text(Text::Utf16(units))) => writer.utf16(&units),
        Some(_) => writer.null(),
        None => {
            let parts: Vec<&[u8]> = Parts::of(key).collect();
            if key.first() == Some(&key_tag::ARRAY) {
                writer.array(u32::try_from(parts.len()).unwrap_or(0));
                for part in parts {
                    write_key_tokens(part, writer);
                }
                return;
            }
            writer.object(u32::try_from(parts.len() / 2).unwrap_or(0));
            for pair in parts.chunks_exact(2) {
                writer.name(&Text::from_wtf8(pair[0]).to_message());
                write_key_tokens(pair[1], writer);
            }
        }
    }
}

/// The elements of an array, or the names and values of an object.
struct Parts<'k> {
    rest: &'k [u8],
}

impl<'k> Parts<'k> {
    fn of(key: &'k [u8]) -> Self {
        // Behind the tag stands how many there are.
        Self {
            rest: key.get(5..).unwrap_or_default(),
        }
    }
}

impl<'k> Iterator for Parts<'k> {
    type Item = &'k [u8];

    fn next(&mut self) -> Option<&'k [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.rest = rest;
        Some(part)
    }
}
