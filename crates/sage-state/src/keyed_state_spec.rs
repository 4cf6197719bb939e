//! How an operator keeps its states.

use std::path::PathBuf;

use sage_types::Result;
use serde_json::{Map, Value};

use crate::StateSpec;
use crate::state_spec::malformed;

/// The states of an operator, and where they go when there is no more room for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedStateSpec {
    /// The states of each key.
    pub states: Vec<StateSpec>,
    /// None when all of them stay in memory.
    pub disk: Option<DiskSpec>,
}

/// How an operator keeps states on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSpec {
    /// The number of the operator in the job.
    pub operator: u32,
    /// About how much memory keys and values of one instance may take.
    pub budget_bytes: u64,
    /// Where the directory of the job goes; none for the place of temporary files.
    pub directory: Option<PathBuf>,
}

impl KeyedStateSpec {
    /// Reads `{"states":[...],"disk":{"operator":3,"budgetBytes":67108864,"directory":"..."}}`, where `disk` and `directory`
    /// may be left away or null.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is anything else, `SAGE_PLAN_ARGUMENT` for more than 255 states.
    pub fn from_json(json: &str) -> Result<Self> {
        let spec: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| malformed("they are not a JSON object").caused_by(error))?;
        let states = StateSpec::list_from_value(spec.get("states").unwrap_or(&Value::Null))?;
        let disk = match spec.get("disk") {
            None | Some(Value::Null) => None,
            Some(disk) => Some(DiskSpec::from_value(disk)?),
        };
        Ok(Self { states, disk })
    }
}

impl DiskSpec {
    fn from_value(disk: &Value) -> Result<Self> {
        let whole = |name: &str| disk.get(name).and_then(Value::as_u64);
        let operator = whole("operator").and_then(|operator| u32::try_from(operator).ok());
        let directory = match disk.get("directory") {
            None | Some(Value::Null) => None,
            Some(directory) => Some(
                directory
                    .as_str()
                    .ok_or_else(|| malformed("the directory is not a text"))?,
            ),
        };
        Ok(Self {
            operator: operator.ok_or_else(|| malformed("the operator has no number"))?,
            budget_bytes: whole("budgetBytes")
                .ok_or_else(|| malformed("budgetBytes is not a whole number"))?,
            directory: directory.map(PathBuf::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specification_is_read_from_json() {
        let spec = KeyedStateSpec::from_json(
            r#"{"states":[{"name":"a"}],"disk":{"operator":3,"budgetBytes":10,"directory":"here"}}"#,
        );
        let disk = spec.unwrap().disk.unwrap();
        assert_eq!(
            (disk.operator, disk.budget_bytes, disk.directory),
            (3, 10, Some("here".into()))
        );
        let in_memory =
            KeyedStateSpec::from_json(r#"{"states":[{"name":"a","ttlMs":null}],"disk":null}"#).unwrap();
        assert_eq!((in_memory.states.len(), in_memory.disk), (1, None));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"states":[{"name":"a"}],"disk":{}}"#,
            r#"{"states":[{"name":"a"}],"disk":{"operator":-1,"budgetBytes":1}}"#,
            r#"{"states":[{"name":"a"}],"disk":{"operator":1,"budgetBytes":1.5}}"#,
            r#"{"states":[{"name":"a"}],"disk":{"operator":1,"budgetBytes":1,"directory":2}}"#,
        ] {
            assert!(KeyedStateSpec::from_json(wrong).is_err(), "{wrong}");
        }
    }
}
