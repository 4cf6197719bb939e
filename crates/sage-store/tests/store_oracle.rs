//! Every store against the simplest one.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use proptest::prelude::*;
use sage_store::{
    FjallOptions, FjallStore, KeyList, MemoryStore, NEVER_MS, StateStore, StoredValue, WriteBatch,
    WriteBehind,
};

/// Key, and value with its expiry; none removes.
type Write = (Vec<u8>, Option<(u64, Vec<u8>)>);

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<Write>),
    Read(Vec<Vec<u8>>),
    Scan(Vec<u8>),
    Advance(u64),
    Reopen,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    // Few and short, so that keys meet and are prefixes of each other; 0xff has no successor.
    prop::collection::vec(prop::sample::select(vec![0, b'a', b'b', 0xff]), 1..4)
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop::option::of((
        prop::sample::select(vec![NEVER_MS, 50, 120]),
        prop::collection::vec(any::<u8>(), 0..40),
    ));
    prop_oneof![
        5 => prop::collection::vec((key(), value), 0..30).prop_map(Step::Write),
        5 => prop::collection::vec(key(), 0..20).prop_map(Step::Read),
        2 => prop::collection::vec(prop::sample::select(vec![0, b'a', b'b', 0xff]), 0..3).prop_map(Step::Scan),
        1 => (0_u64..200).prop_map(Step::Advance),
        1 => Just(Step::Reopen),
    ]
}

fn batch_of(writes: &[Write]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for (key, value) in writes {
        match value {
            Some((expires_at_ms, bytes)) => {
                let (head, tail) = key.split_at(key.len() / 2);
                batch.put(
                    &[head, tail],
                    StoredValue {
                        bytes,
                        expires_at_ms: *expires_at_ms,
                    },
                );
            }
            None => batch.remove(&[key]),
        }
    }
    batch
}

type Model = BTreeMap<Vec<u8>, (u64, Vec<u8>)>;

fn live(value: StoredValue<'_>, now_ms: u64) -> Option<(u64, Vec<u8>)> {
    (!value.is_expired(now_ms)).then(|| (value.expires_at_ms, value.bytes.to_vec()))
}

fn check(steps: &[Step], mut open: impl FnMut() -> Arc<dyn StateStore>) -> Result<(), TestCaseError> {
    let start = |store| WriteBehind::start(store, "test", 500).unwrap();
    let mut store = start(open());
    let (mut model, mut now_ms) = (Model::new(), 0);
    for step in steps {
        match step {
            Step::Write(writes) => {
                store.submit(batch_of(writes)).unwrap();
                for (key, value) in writes {
                    match value {
                        Some(value) => model.insert(key.clone(), value.clone()),
                        None => model.remove(key),
                    };
                }
            }
            Step::Read(wanted) => {
                let mut keys = KeyList::new();
                for key in wanted {
                    keys.push(&[key]);
                }
                let mut found = BTreeMap::new();
                store
                    .read(&keys, &mut |index, value| {
                        found.extend(live(value, now_ms).map(|value| (index, value)));
                    })
                    .unwrap();
                let expected: BTreeMap<usize, _> = wanted
                    .iter()
                    .enumerate()
                    .filter_map(|(index, key)| Some((index, model.get(key)?.clone())))
                    .filter(|(_, (expires_at_ms, _))| *expires_at_ms > now_ms)
                    .collect();
                prop_assert_eq!(found, expected);
            }
            Step::Scan(prefix) => {
                let mut found = Vec::new();
                store
                    .scan(prefix, &mut |key, value| {
                        found.extend(live(value, now_ms).map(|value| (key.to_vec(), value)));
                        Ok(ControlFlow::Continue(()))
                    })
                    .unwrap();
                // The store has an entry of its own behind all others.
                found.retain(|(key, _)| !key.starts_with(&[0xff; 4]));
                let expected: Vec<_> = model
                    .iter()
                    .filter(|(key, (expires_at_ms, _))| key.starts_with(prefix) && *expires_at_ms > now_ms)
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                prop_assert_eq!(found, expected);
            }
            Step::Advance(to_ms) => {
                now_ms = now_ms.max(*to_ms);
                store.advance_to(now_ms).unwrap();
            }
            Step::Reopen => {
                store.flush().unwrap();
                store
                    .sync()
                    .unwrap()
                    .wait(std::time::Duration::from_secs(60))
                    .unwrap()
                    .unwrap();
                drop(store);
                store = start(open());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn the_store_on_disk_is_a_map(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        check(&steps, || Arc::new(FjallStore::open(folder.path(), FjallOptions::default()).unwrap()))?;
    }

    #[test]
    fn the_store_in_memory_is_a_map(steps in prop::collection::vec(step(), 1..60)) {
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
        check(&steps, || Arc::clone(&store))?;
    }
}
