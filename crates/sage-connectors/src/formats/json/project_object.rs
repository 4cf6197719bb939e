//! Objects without the fields that nobody asked for.

use std::collections::HashSet;

use crate::formats::json::cursor::{JsonCursor, SyntaxError};
use crate::formats::json::object_members::read_members;

/// Copies the object at the cursor with only the fields of the projection.
// Rare: it must not make the reading of other records larger.
#[inline(never)]
pub(crate) fn project_object(
    cursor: &mut JsonCursor<'_>,
    projection: &HashSet<Box<str>>,
    open: &mut Vec<u8>,
    object: &mut Vec<u8>,
) -> Result<(), SyntaxError> {
    object.push(b'{');
    read_members(cursor, open, |member| {
        if std::str::from_utf8(member.name).is_ok_and(|name| projection.contains(name)) {
            if object.len() > 1 {
                object.push(b',');
            }
            object.extend_from_slice(member.text);
        }
    })?;
    object.push(b'}');
    Ok(())
}
