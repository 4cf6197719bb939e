//! The fields of a record that is there as JSON.

use crate::formats::json::{JsonCursor, unescape};

/// Names (as WTF-8) and values (as JSON) of the object's fields, each name once; `None` when it is no object.
pub(crate) fn json_fields(json: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    // On one line, which the cursor needs: between tokens a line end is white space, and inside strings it is an escape.
    let is_break = |byte: u8| byte == b'\n' || byte == b'\r';
    let mut line: Vec<u8> = json
        .iter()
        .map(|&byte| if is_break(byte) { b' ' } else { byte })
        .collect();
    line.push(b'\n');
    let mut cursor = JsonCursor::new(&line, 0);
    cursor.skip_white_space();
    if !cursor.eat(b"{") {
        return None;
    }
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut open = Vec::new();
    cursor.skip_white_space();
    if cursor.eat(b"}") {
        return Some(fields);
    }
    loop {
        let raw = cursor.string().ok()?;
        let mut name = Vec::new();
        unescape(cursor.slice(raw.start, raw.end), &mut name);
        cursor.colon().ok()?;
        let start = cursor.at;
        cursor.skip_value(&mut open).ok()?;
        let value = cursor.slice(start, cursor.at).to_vec();
        match fields.iter_mut().find(|(known, _)| *known == name) {
            // The last one counts.
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
        cursor.skip_white_space();
        if cursor.eat(b"}") {
            return Some(fields);
        }
        if !cursor.eat(b",") {
            return None;
        }
        cursor.skip_white_space();
    }
}
