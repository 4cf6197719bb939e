//! The members of an object in JSON text, one after the other.

use crate::formats::json::cursor::{JsonCursor, SyntaxError};
use crate::formats::json::unescape::unescape;

/// A member of an object, and where in the text it is.
pub(super) struct ObjectMember<'a, 'n> {
    /// Without escapes.
    pub(super) name: &'n [u8],
    /// With its name.
    pub(super) text: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Reads the object whose opening brace is at the cursor. `open` is memory for the brackets that are open inside values.
#[inline]
pub(super) fn read_members<'a>(
    cursor: &mut JsonCursor<'a>,
    open: &mut Vec<u8>,
    mut take: impl FnMut(ObjectMember<'a, '_>),
) -> Result<(), SyntaxError> {
    let mut name = Vec::new();
    cursor.at += 1;
    cursor.skip_white_space();
    if cursor.eat(b"}") {
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
        cursor.colon()?;
        let value = cursor.at;
        cursor.skip_value(open)?;
        take(ObjectMember {
            name: &name,
            text: cursor.slice(start, cursor.at),
            value: cursor.slice(value, cursor.at),
        });
        cursor.skip_white_space();
        if cursor.eat(b",") {
            cursor.skip_white_space();
        } else if cursor.eat(b"}") {
            return Ok(());
        } else {
            return cursor.not_closed(b'}');
        }
    }
}
