//! The fields of a record that is there as JSON.

use crate::formats::json::{json_members, one_line};

/// Names (as WTF-8) and values (as JSON) of the object's fields, each name once; `None` when it is no object.
pub(crate) fn json_fields(json: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut line = Vec::with_capacity(json.len() + 1);
    one_line(json, &mut line);
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for member in json_members(&line).ok()?? {
        let value = member.value.to_vec();
        match fields.iter_mut().find(|(known, _)| *known == member.name) {
            // The last one counts.
            Some(field) => field.1 = value,
            None => fields.push((member.name, value)),
        }
    }
    Some(fields)
}
