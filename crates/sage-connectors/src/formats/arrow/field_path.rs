//! The place of a field in a record.

use std::fmt;

/// Names of fields from the outermost one on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldPath(Vec<String>);

impl FieldPath {
    /// The path of a field of the record that is here.
    pub(crate) fn child(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// How the option `schema` of a sink names the field, as JavaScript: `{ "order": { "note": "str?" } }`.
    pub(crate) fn declaration(&self, type_name: &str) -> String {
        let innermost = format!("\"{type_name}?\"");
        self.0.iter().rev().fold(innermost, |inner, name| {
            format!("{{ {}: {inner} }}", serde_json::Value::from(name.as_str()))
        })
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_has_an_object_for_each_record_around_the_field() {
        let path = FieldPath::default().child("a").child("b.\"c");
        assert_eq!(path.to_string(), "a.b.\"c");
        assert_eq!(path.declaration("str"), r#"{ "a": { "b.\"c": "str?" } }"#);
    }
}
