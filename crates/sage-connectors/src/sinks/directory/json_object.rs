//! The top-level fields of an object in JSON text.

use crate::formats::json::{JsonCursor, SyntaxError, unescape};

/// A field of an object: its name without escapes, and where in the text it and its value are.
pub(crate) struct JsonMember<'a> {
    pub(crate) name: Vec<u8>,
    /// With its name.
    pub(crate) text: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The members of the object; `None` when the text is another value. The text ends with the only line end in it.
pub(crate) fn json_members(text: &[u8]) -> Result<Option<Vec<JsonMember<'_>>>, SyntaxError> {
    let mut cursor = JsonCursor::new(text, 0);
    let (mut open, mut members) = (Vec::new(), Vec::new());
    cursor.skip_white_space();
    if !cursor.eat(b"{") {
        return Ok(None);
    }
    cursor.skip_white_space();
    if cursor.eat(b"}") {
        return Ok(Some(members));
    }
    loop {
        if cursor.peek() != b'"' {
            return cursor.not_a_name();
        }
        let start = cursor.at;
        let raw = cursor.string()?;
        let mut name = Vec::new();
        unescape(cursor.slice(raw.start, raw.end), &mut name);
        cursor.colon()?;
        let value = cursor.at;
        cursor.skip_value(&mut open)?;
        members.push(JsonMember {
            name,
            text: cursor.slice(start, cursor.at),
            value: cursor.slice(value, cursor.at),
        });
        cursor.skip_white_space();
        if cursor.eat(b",") {
            cursor.skip_white_space();
        } else if cursor.eat(b"}") {
            return Ok(Some(members));
        } else {
            return cursor.not_closed(b'}');
        }
    }
}
