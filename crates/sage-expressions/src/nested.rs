//! Values with parts - objects and arrays, in columns or as JSON texts - as JSON, as tokens, and as keys.

use sage_frame::{
    BatchView, ColumnData, NodeIndex, TokenWriter, canonical_number, key_tag, presence, push_iso_date,
    push_json_number,
};

use crate::json_value::{elements, json_value, members, unescape};
use crate::text::Text;
use crate::value::Value;

/// One part of an object or array in columns.
enum Part<'a> {
    Value(Value<'a>),
    /// `undefined`: an element, or a field with that value.
    Undefined,
    /// The field is not there.
    Missing,
}

fn part<'a>(view: &BatchView<'a>, node: NodeIndex, row: usize) -> Part<'a> {
    let Some(column) = view.node(node) else {
        return Part::Missing;
    };
    match column.presence_of(row) {
        presence::NULL => return Part::Value(Value::Null),
        presence::UNDEFINED => return Part::Undefined,
        presence::MISSING => return Part::Missing,
        _ => {}
    }
    let text = |column: &sage_frame::StrColumn<'a>| Text::from_wtf8(column.wtf8().row(row)).into_owned();
    let number = |values: &[f64]| values.get(row).copied().unwrap_or(f64::NAN);
    Part::Value(match column.data {
        ColumnData::F64(values) => Value::Number(number(values)),
        ColumnData::I32(values) => Value::Number(values.get(row).copied().map_or(f64::NAN, f64::from)),
        ColumnData::Bool(values) => Value::Boolean(values.get(row).is_some_and(|&value| value != 0)),
        ColumnData::Date(values) => Value::Date(number(values)),
        ColumnData::Str(column) => Value::Text(text(&column)),
        ColumnData::Json(column) => match json_value(&text(&column).to_message()) {
            Value::Json(json) => Value::Json(json.into_owned().into()),
            Value::Text(text) => Value::Text(text.into_owned()),
            Value::Number(number) => Value::Number(number),
            Value::Boolean(value) => Value::Boolean(value),
            _ => Value::Null,
        },
        ColumnData::Record => Value::Nested {
            node,
            row,
            is_array: false,
        },
        ColumnData::Tuple => Value::Nested {
            node,
            row,
            is_array: true,
        },
        ColumnData::Bytes(_) | ColumnData::Any { .. } | ColumnData::Nil => Value::Null,
    })
}

/// Names and parts of an object, or the parts of an array with empty names.
fn parts<'a>(view: &BatchView<'a>, node: NodeIndex, row: usize) -> Vec<(String, Part<'a>)> {
    let nodes = view.layout().nodes();
    nodes[node]
        .children
        .iter()
        .map(|&child| {
            let name = nodes[child].name.as_deref().unwrap_or_default().to_owned();
            (name, part(view, child, row))
        })
        .collect()
}

/// Appends what `JSON.stringify` gives.
/// `view` has the parts of nested values.
pub(crate) fn push_json(value: &Value<'_>, view: Option<&BatchView<'_>>, json: &mut Vec<u8>) {
    match value {
        Value::Null => json.extend_from_slice(b"null"),
        Value::Number(number) => push_json_number(*number, json),
        Value::Boolean(value) => json.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Date(millis) => {
            let mut text = Vec::new();
            if push_iso_date(*millis, &mut text) {
                json.push(b'"');
                json.extend_from_slice(&text);
                json.push(b'"');
            } else {
                json.extend_from_slice(b"null");
            }
        }
        Value::Text(text) => push_json_text(text, json),
        Value::Json(text) => json.extend_from_slice(text.as_bytes()),
        Value::Nested { node, row, is_array } => {
            let Some(view) = view else { return };
            json.push(if *is_array { b'[' } else { b'{' });
            let mut is_first = true;
            for (name, part) in parts(view, *node, *row) {
                let value = match part {
                    Part::Value(value) => value,
                    Part::Undefined | Part::Missing if *is_array => Value::Null,
                    Part::Undefined | Part::Missing => continue,
                };
                if !std::mem::take(&mut is_first) {
                    json.push(b',');
                }
                if !*is_array {
                    push_json_text(&Text::from(&*name), json);
                    json.push(b':');
                }
                push_json(&value, Some(view), json);
            }
            json.push(if *is_array { b']' } else { b'}' });
        }
    }
}

/// Appends an object with these members as JSON.
pub(crate) fn push_json_object(members: &[(Text<'_>, Value<'_>)], view: &BatchView<'_>, json: &mut Vec<u8>) {
    json.push(b'{');
    for (place, (name, value)) in members.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        push_json_text(name, json);
        json.push(b':');
        push_json(value, Some(view), json);
    }
    json.push(b'}');
}

/// Writes an object with these members.
pub(crate) fn write_object(
    members: &[(Text<'_>, Value<'_>)],
    view: &BatchView<'_>,
    writer: &mut TokenWriter<'_>,
) {
    writer.object(count(members.len()));
    for (name, value) in members {
        writer.name(&name.to_message());
        write_tokens(value, view, writer);
    }
}

/// Appends a JSON string; unpaired surrogates as escapes, as `JSON.stringify` writes them.
fn push_json_text(text: &Text<'_>, json: &mut Vec<u8>) {
    json.push(b'"');
    for decoded in char::decode_utf16(text.units().iter().copied()) {
        match decoded {
            Ok('"') => json.extend_from_slice(b"\\\""),
            Ok('\\') => json.extend_from_slice(b"\\\\"),
            Ok('\u{8}') => json.extend_from_slice(b"\\b"),
            Ok('\u{c}') => json.extend_from_slice(b"\\f"),
            Ok('\n') => json.extend_from_slice(b"\\n"),
            Ok('\r') => json.extend_from_slice(b"\\r"),
            Ok('\t') => json.extend_from_slice(b"\\t"),
            Ok(control) if control < ' ' => push_escape(u32::from(control), json),
            Ok(character) => json.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(unpaired) => push_escape(u32::from(unpaired.unpaired_surrogate()), json),
        }
    }
    json.push(b'"');
}

fn push_escape(unit: u32, json: &mut Vec<u8>) {
    json.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
}

/// Whether the value is the same after JSON: it is no date, and a number that JSON has.
pub(crate) fn survives_json(value: &Value<'_>) -> bool {
    match value {
        Value::Number(number) => number.is_finite() && !(*number == 0.0 && number.is_sign_negative()),
        Value::Date(_) | Value::Nested { .. } => false,
        _ => true,
    }
}

/// Writes a value of an `any` column.
pub(crate) fn write_tokens(value: &Value<'_>, view: &BatchView<'_>, writer: &mut TokenWriter<'_>) {
    match value {
        Value::Null => writer.null(),
        Value::Number(number) => writer.f64(*number),
        Value::Boolean(value) => writer.bool(*value),
        Value::Date(millis) => writer.date(*millis),
        Value::Text(Text::Utf8(text)) => writer.str(text),
        Value::Text(Text::Utf16(units)) => writer.utf16(units),
        Value::Json(text) if text.starts_with('[') => {
            let items: Vec<&str> = elements(text).collect();
            writer.array(count(items.len()));
            for item in items {
                write_tokens(&json_value(item), view, writer);
            }
        }
        Value::Json(text) => {
            let members: Vec<(&str, &str)> = members(text).collect();
            writer.object(count(members.len()));
            for (name, member) in members {
                writer.name(&unescape(name).to_message());
                write_tokens(&json_value(member), view, writer);
            }
        }
        Value::Nested { node, row, is_array } => {
            let mut parts = parts(view, *node, *row);
            if *is_array {
                writer.array(count(parts.len()));
            } else {
                parts.retain(|(_, part)| !matches!(part, Part::Missing));
                writer.object(count(parts.len()));
            }
            for (name, part) in parts {
                if !*is_array {
                    writer.name(&name);
                }
                match part {
                    Part::Value(value) => write_tokens(&value, view, writer),
                    Part::Undefined | Part::Missing => writer.undefined(),
                }
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "parts of one value, in a batch of less than 2 GiB"
)]
const fn count(length: usize) -> u32 {
    length as u32
}

/// Appends canonical key bytes; `docs/internals/data-path.md`, section 4.
pub(crate) fn push_canonical(value: &Value<'_>, view: &BatchView<'_>, key: &mut Vec<u8>) {
    match value {
        Value::Null => key.push(key_tag::NULL),
        Value::Number(number) => key.extend_from_slice(&canonical_number(*number)),
        Value::Boolean(value) => key.push(if *value { key_tag::TRUE } else { key_tag::FALSE }),
        Value::Date(millis) => {
            key.push(key_tag::DATE);
            key.extend_from_slice(&canonical_number(*millis)[1..]);
        }
        Value::Text(text) => {
            key.push(key_tag::STRING);
            push_wtf8(text, key);
        }
        Value::Json(text) if text.starts_with('[') => {
            let items: Vec<Value<'_>> = elements(text).map(json_value).collect();
            push_array(&items, view, key);
        }
        Value::Json(text) => {
            let mut fields: Vec<(Text<'_>, Value<'_>)> = Vec::new();
            for (name, member) in members(text) {
                let name = unescape(name);
                // The last of several wins, as in JavaScript.
                fields.retain(|(other, _)| *other != name);
                fields.push((name, json_value(member)));
            }
            push_object(fields, view, key);
        }
        Value::Nested { node, row, is_array } => {
            let parts = parts(view, *node, *row);
            if *is_array {
                let items: Vec<Value<'_>> = parts
                    .into_iter()
                    .map(|(_, part)| {
                        if let Part::Value(value) = part {
                            value
                        } else {
                            Value::Null
                        }
                    })
                    .collect();
                push_array(&items, view, key);
            } else {
                // Native readers have no undefined: a field has a value, or is not there.
                let fields = parts
                    .into_iter()
                    .filter_map(|(name, part)| match part {
                        Part::Value(value) => Some((Text::Utf8(name.into()), value)),
                        Part::Undefined | Part::Missing => None,
                    })
                    .collect();
                push_object(fields, view, key);
            }
        }
    }
}

fn push_array(items: &[Value<'_>], view: &BatchView<'_>, key: &mut Vec<u8>) {
    key.push(key_tag::ARRAY);
    key.extend_from_slice(&count(items.len()).to_le_bytes());
    for item in items {
        push_sized(key, |key| push_canonical(item, view, key));
    }
}

fn push_object(mut fields: Vec<(Text<'_>, Value<'_>)>, view: &BatchView<'_>, key: &mut Vec<u8>) {
    fields.sort_by(|(a, _), (b, _)| a.compare(b));
    key.push(key_tag::OBJECT);
    key.extend_from_slice(&count(fields.len()).to_le_bytes());
    for (name, value) in &fields {
        push_sized(key, |key| push_wtf8(name, key));
        push_sized(key, |key| push_canonical(value, view, key));
    }
}

/// The length of what `push` appends, and that.
fn push_sized(key: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    let at = key.len();
    key.extend_from_slice(&[0; 4]);
    push(key);
    let length = count(key.len() - at - 4);
    key[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

fn push_wtf8(text: &Text<'_>, bytes: &mut Vec<u8>) {
    match text {
        Text::Utf8(text) => bytes.extend_from_slice(text.as_bytes()),
        Text::Utf16(units) => {
            for decoded in char::decode_utf16(units.iter().copied()) {
                match decoded {
                    Ok(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                    Err(unpaired) => {
                        // The three-byte form that UTF-8 forbids for surrogates.
                        let [high, low] = unpaired.unpaired_surrogate().to_be_bytes();
                        bytes.extend_from_slice(&[
                            0xe0 | (high >> 4),
                            0x80 | ((high & 0x0f) << 2) | (low >> 6),
                            0x80 | (low & 0x3f),
                        ]);
                    }
                }
            }
        }
    }
}

/// What an aggregator is told that it was given instead of a number, in the words of JavaScript.
pub(crate) fn described_input(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("the string {}", text.to_message()),
        Value::Boolean(value) => format!("the boolean {value}"),
        _ => "an object".to_owned(),
    }
}
