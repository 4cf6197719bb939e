//! Names of states, as the small numbers that stand in keys.

use std::sync::{Mutex, PoisonError};

use sage_types::{ErrorCode, Result, SageError};

use crate::{KeyList, StoredValue, WriteBatch, WriteBehind};

/// States that one operator has at most.
pub const MAX_STATES: usize = 255;

/// Which number each state of each operator has. It is kept in the store itself, so that a state has the same number when
/// the store is opened again, whatever other states there are then.
///
/// A key of a state is `operator: u32 BE | key group: u16 BE | canonical key bytes | state: u8`: the states of a key are
/// neighbours, and so are the keys of a key group, which move together when the parallelism changes.
#[derive(Debug, Default)]
pub struct StateCatalog {
    /// One operator at a time: instances register at the same time.
    registering: Mutex<()>,
}

/// The states of an operator, as the store knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredStates {
    /// The number of each, in the order in which they were given.
    pub numbers: Vec<u8>,
    /// Whether the store had states of the operator before: only then may there be values.
    pub known: bool,
}

/// In the place of a key group, of which there are fewer.
const CATALOG_GROUP: u16 = u16::MAX;

impl StateCatalog {
    /// The number of each of these states of an operator, in their order. New names get new numbers.
    ///
    /// # Errors
    /// `SAGE_PLAN_ARGUMENT` when an operator has more than [`MAX_STATES`]; `SAGE_STATE_CORRUPT`, and the errors of the store.
    pub fn register(&self, store: &WriteBehind, operator: u32, names: &[&str]) -> Result<RegisteredStates> {
        let _one = self.registering.lock().unwrap_or_else(PoisonError::into_inner);
        let key = [&operator.to_be_bytes()[..], &CATALOG_GROUP.to_be_bytes()].concat();
        let mut keys = KeyList::new();
        keys.push(&[&key]);
        let mut stored: Option<Vec<u8>> = None;
        store.read(&keys, &mut |_, value| stored = Some(value.bytes.to_vec()))?;
        let mut known: Vec<String> = match &stored {
            None => Vec::new(),
            Some(json) => serde_json::from_slice(json).map_err(|error| {
                SageError::new(
                    ErrorCode::StateCorrupt,
                    format!("the list of states of operator {operator} is damaged: remove the state directory and run the job again"),
                )
                .caused_by(error)
            })?,
        };
        let before = known.len();
        let numbers = names
            .iter()
            .map(|&name| {
                let number = known.iter().position(|one| one == name).unwrap_or_else(|| {
                    known.push(name.to_owned());
                    known.len() - 1
                });
                u8::try_from(number)
                    .ok()
                    .filter(|_| number < MAX_STATES)
                    .ok_or_else(|| too_many(operator))
            })
            .collect::<Result<Vec<u8>>>()?;
        if known.len() > before {
            let json = serde_json::to_vec(&known).unwrap_or_default();
            let mut batch = WriteBatch::new();
            batch.put(&[&key], StoredValue::lasting(&json));
            store.submit(batch)?;
        }
        Ok(RegisteredStates {
            numbers,
            known: stored.is_some(),
        })
    }
}

fn too_many(operator: u32) -> SageError {
    SageError::new(
        ErrorCode::PlanArgument,
        format!(
            "operator {operator} has more than {MAX_STATES} states: keep names that change in one map state instead"
        ),
    )
    .with("operator", operator)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::MemoryStore;

    #[test]
    fn a_state_keeps_its_number() {
        let store = WriteBehind::start(Arc::new(MemoryStore::new()), "memory", 1 << 20).unwrap();
        let catalog = StateCatalog::default();
        let numbers = |catalog: &StateCatalog, operator, names: &[&str]| {
            let registered = catalog.register(&store, operator, names).unwrap();
            (registered.numbers, registered.known)
        };
        assert_eq!(numbers(&catalog, 1, &["count", "last"]), (vec![0, 1], false));
        assert_eq!(numbers(&catalog, 1, &["last", "new"]), (vec![1, 2], true));
        assert_eq!(numbers(&catalog, 2, &["new"]), (vec![0], false));
        assert_eq!(
            numbers(&StateCatalog::default(), 1, &["new", "count"]),
            (vec![2, 0], true)
        );
    }

    #[test]
    fn given_too_many_states_then_the_error_says_what_to_do() {
        let store = WriteBehind::start(Arc::new(MemoryStore::new()), "memory", 1 << 20).unwrap();
        let names: Vec<String> = (0..=MAX_STATES).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let error = StateCatalog::default().register(&store, 1, &names).unwrap_err();
        assert_eq!(error.code, ErrorCode::PlanArgument);
        assert!(error.message.contains("map state"), "{error}");
    }
}
