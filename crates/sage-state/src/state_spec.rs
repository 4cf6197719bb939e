//! Which states the functions of an operator keep for each key.

use sage_store::MAX_STATES;
use sage_types::{ErrorCode, Result, SageError};
use serde_json::{Map, Value};

/// One state of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSpec {
    /// Its name, as the user gave it.
    pub name: String,
    /// How long after the last time it was written it counts as absent; none for ever.
    pub ttl_ms: Option<u64>,
}

impl StateSpec {
    /// Reads `[{"name":"count"},{"name":"last","ttlMs":60000},...]`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is anything else, `SAGE_PLAN_ARGUMENT` for more than 255 states.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>> {
        let list =
            serde_json::from_str(json).map_err(|error| malformed("they are not JSON").caused_by(error))?;
        Self::list_from_value(&list)
    }

    /// As [`StateSpec::list_from_json`], from a part of a larger specification.
    ///
    /// # Errors
    /// As [`StateSpec::list_from_json`].
    pub fn list_from_value(list: &Value) -> Result<Vec<Self>> {
        let list: Vec<&Map<String, Value>> = list
            .as_array()
            .and_then(|list| list.iter().map(Value::as_object).collect())
            .ok_or_else(|| malformed("they are not a list of objects"))?;
        if list.len() > MAX_STATES {
            return Err(SageError::new(
                ErrorCode::PlanArgument,
                format!(
                    "an operator has {MAX_STATES} states at most, and this one has {}: keep names that change in one map state instead",
                    list.len()
                ),
            ));
        }
        let specs = list
            .iter()
            .copied()
            .map(Self::from_object)
            .collect::<Result<Vec<Self>>>()?;
        let mut names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(malformed("two states have the same name"));
        }
        Ok(specs)
    }

    /// Reads one: `{"name":"last","ttlMs":60000}`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is anything else.
    pub fn from_json(json: &str) -> Result<Self> {
        let spec: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| malformed("one is not a JSON object").caused_by(error))?;
        Self::from_object(&spec)
    }

    fn from_object(spec: &Map<String, Value>) -> Result<Self> {
        let name = spec.get("name").and_then(Value::as_str);
        let ttl_ms = match spec.get("ttlMs") {
            None | Some(Value::Null) => None,
            Some(ttl) => Some(
                ttl.as_u64()
                    .filter(|&ttl_ms| ttl_ms > 0)
                    .ok_or_else(|| malformed("ttlMs is not a whole number of milliseconds above 0"))?,
            ),
        };
        Ok(Self {
            name: name.ok_or_else(|| malformed("a state has no name"))?.to_owned(),
            ttl_ms,
        })
    }
}

pub(crate) fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatGraph, format!("malformed states: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_json() {
        let specs = StateSpec::list_from_json(r#"[{"name":"a"},{"name":"b","ttlMs":5}]"#).unwrap();
        assert_eq!((specs[0].name.as_str(), specs[0].ttl_ms), ("a", None));
        assert_eq!((specs[1].name.as_str(), specs[1].ttl_ms), ("b", Some(5)));
        assert_eq!(StateSpec::list_from_json("[]").unwrap(), []);
        assert_eq!(
            StateSpec::from_json(r#"{"name":"b","ttlMs":5}"#).unwrap(),
            specs[1]
        );
        assert!(StateSpec::from_json("[]").is_err());
        for wrong in [
            "{}",
            "[{}]",
            r#"[{"name":"a","ttlMs":0}]"#,
            r#"[{"name":"a","ttlMs":1.5}]"#,
            r#"[{"name":"a"},{"name":"a"}]"#,
        ] {
            assert!(StateSpec::list_from_json(wrong).is_err(), "{wrong}");
        }
    }
}
