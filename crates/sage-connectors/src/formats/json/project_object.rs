//! Objects without the fields that nobody asked for.

use std::collections::HashSet;

use crate::formats::json::cursor::{JsonCursor, SyntaxError};
use crate::formats::json::unescape::unescape;

/// Copies the object at the cursor with only the fields of the projection.
pub(crate) fn project_object(
    cursor: &mut JsonCursor<'_>,
    projection: &HashSet<Box<str>>,
    open: &mut Vec<u8>,
    object: &mut Vec<u8>,
) -> Result<(), SyntaxError> {
    let mut name = Vec::new();
    object.push(b'{');
    cursor.at += 1;
    cursor.skip_white_space();
    if cursor.eat(b"}") {
        object.push(b'}');
        return Ok(());
    }
    loop {
        if cursor.peek() != b'"' {
            return cursor.not_a_name();
        }
        let start = cursor.at;
        let raw = cursor.string()?;
        name.clear();
        unescape(cursor.slice(raw.start, raw.end), &mut name);
        let kept = std::str::from_utf8(&name).is_ok_and(|name| projection.contains(name));
        cursor.colon()?;
        cursor.skip_value(open)?;
        if kept {
            if object.len() > 1 {
                object.push(b',');
            }
            object.extend_from_slice(cursor.slice(start, cursor.at));
        }
        cursor.skip_white_space();
        if cursor.eat(b",") {
            cursor.skip_white_space();
        } else if cursor.eat(b"}") {
            object.push(b'}');
            return Ok(());
        } else {
            return cursor.not_closed(b'}');
        }
    }
}
