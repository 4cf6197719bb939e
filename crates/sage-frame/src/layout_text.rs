//! The canonical text of a layout: compact JSON, two layouts are equal when their texts are equal.

use std::collections::HashSet;

use sage_types::{ErrorCode, Result, SageError};
use serde_json::Value;

use crate::{LeafKind, Node};

/// Writes `{"key":node,"time":"f64","row":node}`; key and time where there are any, as JavaScript writes it.
pub(crate) fn write_layout(key: Option<&Node>, timed: bool, row: &Node) -> String {
    let mut text = String::from("{");
    if let Some(key) = key {
        text.push_str("\"key\":");
        write_node(key, &mut text);
        text.push(',');
    }
    if timed {
        text.push_str("\"time\":\"f64\",");
    }
    text.push_str("\"row\":");
    write_node(row, &mut text);
    text.push('}');
    text
}

fn write_node(node: &Node, text: &mut String) {
    match node {
        Node::Leaf { kind, optional } => {
            text.push('"');
            text.push_str(kind.as_str());
            text.push_str(if *optional { "?\"" } else { "\"" });
        }
        Node::Record { fields, optional } => {
            text.push_str("{\"rec\":[");
            for (i, (name, field)) in fields.iter().enumerate() {
                text.push_str(if i == 0 { "[" } else { ",[" });
                // The same escapes as JSON.stringify.
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(',');
                write_node(field, text);
                text.push(']');
            }
            text.push_str(if *optional { "],\"opt\":true}" } else { "]}" });
        }
        Node::Tuple { items, optional } => {
            text.push_str("{\"tup\":[");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_node(item, text);
            }
            text.push_str(if *optional { "],\"opt\":true}" } else { "]}" });
        }
    }
}

/// Reads a layout's text; key, whether there are times, and row, not yet checked against each other.
///
/// # Errors
/// `SAGE_FORMAT_LAYOUT` when the text is not JSON or not a layout.
pub(crate) fn parse_layout(text: &str) -> Result<(Option<Node>, bool, Node)> {
    let json: Value = serde_json::from_str(text).map_err(|error| malformed(text, &error.to_string()))?;
    let members = json
        .as_object()
        .ok_or_else(|| malformed(text, "a layout is an object"))?;
    if let Some(unknown) = members
        .keys()
        .find(|name| !matches!(name.as_str(), "key" | "time" | "row"))
    {
        return Err(malformed(text, &format!("unknown member {unknown:?}")));
    }
    let key = match members.get("key") {
        None | Some(Value::Null) => None,
        Some(key) => Some(parse_node(key, text)?),
    };
    let timed = match members.get("time") {
        None => false,
        Some(Value::String(kind)) if kind == "f64" => true,
        Some(_) => return Err(malformed(text, "the time of a layout is f64 or left away")),
    };
    let row = members
        .get("row")
        .ok_or_else(|| malformed(text, "there is no row"))?;
    Ok((key, timed, parse_node(row, text)?))
}

fn parse_node(json: &Value, text: &str) -> Result<Node> {
    match json {
        Value::String(word) => {
            let (word, optional) = word
                .strip_suffix('?')
                .map_or((word.as_str(), false), |word| (word, true));
            let kind = LeafKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            let kind = kind.ok_or_else(|| malformed(text, &format!("unknown column kind {word:?}")))?;
            Ok(Node::leaf(kind).with_optional(optional))
        }
        Value::Object(members) => {
            let optional = match members.get("opt") {
                None => false,
                Some(Value::Bool(optional)) => *optional,
                Some(_) => return Err(malformed(text, "opt is true or left away")),
            };
            if members.len() != 1 + usize::from(members.contains_key("opt")) {
                return Err(malformed(
                    text,
                    "a node has rec or tup, and nothing but opt beside it",
                ));
            }
            match (members.get("rec"), members.get("tup")) {
                (Some(Value::Array(fields)), None) => parse_record(fields, optional, text),
                (None, Some(Value::Array(items))) => {
                    let items = items
                        .iter()
                        .map(|item| parse_node(item, text))
                        .collect::<Result<_>>()?;
                    Ok(Node::Tuple { items, optional })
                }
                _ => Err(malformed(text, "a node has rec or tup, and that is an array")),
            }
        }
        _ => Err(malformed(text, "a node is a column kind, a rec or a tup")),
    }
}

fn parse_record(fields: &[Value], optional: bool, text: &str) -> Result<Node> {
    let mut names = HashSet::with_capacity(fields.len());
    let mut parsed = Vec::with_capacity(fields.len());
    for field in fields {
        match field.as_array().map(Vec::as_slice) {
            Some([Value::String(name), node]) => {
                if !names.insert(name.as_str()) {
                    return Err(malformed(text, &format!("field {name:?} is there twice")));
                }
                parsed.push((name.clone(), parse_node(node, text)?));
            }
            _ => return Err(malformed(text, "a field is [name, node]")),
        }
    }
    Ok(Node::Record {
        fields: parsed,
        optional,
    })
}

fn malformed(text: &str, why: &str) -> SageError {
    let shown: String = text.chars().take(200).collect();
    SageError::new(ErrorCode::FormatLayout, format!("malformed layout: {why}")).with("layout", shown)
}
