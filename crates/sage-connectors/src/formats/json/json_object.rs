//! The top-level fields of an object in JSON text.

use crate::formats::json::cursor::{JsonCursor, SyntaxError};
use crate::formats::json::object_members::read_members;

/// A field of an object: its name without escapes, and where in the text it and its value are.
pub(crate) struct JsonMember<'a> {
    pub(crate) name: Vec<u8>,
    /// With its name.
    pub(crate) text: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The members of the object; `None` when the text is another value. The text ends with the only line end in it, as
/// [`one_line`] makes it.
pub(crate) fn json_members(text: &[u8]) -> Result<Option<Vec<JsonMember<'_>>>, SyntaxError> {
    let mut cursor = JsonCursor::new(text, 0);
    let mut members = Vec::new();
    cursor.skip_white_space();
    if cursor.peek() != b'{' {
        return Ok(None);
    }
    read_members(&mut cursor, &mut Vec::new(), |member| {
        members.push(JsonMember {
            name: member.name.to_vec(),
            text: member.text,
            value: member.value,
        });
    })?;
    Ok(Some(members))
}

/// Appends the text without line ends: between tokens they are white space, and inside strings they are escapes.
pub(crate) fn push_one_line(json: &[u8], text: &mut Vec<u8>) {
    let is_break = |byte: u8| byte == b'\n' || byte == b'\r';
    text.extend(json.iter().map(|&byte| if is_break(byte) { b' ' } else { byte }));
}

/// The text on one line, with a line end behind it, which a cursor needs.
pub(crate) fn one_line(json: &[u8], line: &mut Vec<u8>) {
    line.clear();
    push_one_line(json, line);
    line.push(b'\n');
}
