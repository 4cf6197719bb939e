//! What tests of epochs share: the state of a small job, and what an epoch holds of it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may say what it expects in the shortest way"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{
    CheckpointStore, EntryReader, EntryWriter, EpochSummary, EpochWriter, PartKey, PartKind, PartPayload,
    RestoredEpoch,
};
use sage_types::Result;

pub const DIRECTORY: &str = "/checkpoints";
pub const INSTANCES: u32 = 2;

/// A key of an instance: its number, the key group, the key.
pub type Slot = (u32, u16, Vec<u8>);
/// What a change does to a key: none deletes.
pub type Change = (Slot, Option<Vec<u8>>);
/// The entries of one instance.
pub type Entries = BTreeMap<(u16, Vec<u8>), Vec<u8>>;

/// A source with a position, and an operator with keyed state in two instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    pub position: u64,
    pub state: BTreeMap<u32, Entries>,
}

pub fn own_key() -> PartKey {
    PartKey {
        operator: "name:source".into(),
        instance: 0,
        parallelism: 1,
        name: "position".into(),
    }
}

pub fn keyed_key(instance: u32) -> PartKey {
    PartKey {
        operator: "count".into(),
        instance,
        parallelism: INSTANCES,
        name: "state".into(),
    }
}

impl Job {
    pub fn apply(&mut self, changes: &[Change]) {
        self.position += 1;
        for ((instance, group, key), value) in changes {
            let entries = self.state.entry(*instance).or_default();
            match value {
                Some(value) => entries.insert((*group, key.clone()), value.clone()),
                None => entries.remove(&(*group, key.clone())),
            };
        }
    }

    /// Hands everything over.
    pub fn add_whole(&self, writer: &mut EpochWriter) -> Result<()> {
        writer.add(&own_key(), PartKind::Own, true, &self.position.to_le_bytes())?;
        for instance in 0..INSTANCES {
            let mut payload = EntryWriter::new();
            for ((group, key), value) in self.state.get(&instance).into_iter().flatten() {
                payload.put(*group, key, value)?;
            }
            writer.add(&keyed_key(instance), PartKind::Keyed, true, payload.as_bytes())?;
        }
        Ok(())
    }

    /// Hands the position over and what was changed.
    pub fn add_changes(&self, writer: &mut EpochWriter, changes: &[Change]) -> Result<()> {
        writer.add(&own_key(), PartKind::Own, false, &self.position.to_le_bytes())?;
        for instance in 0..INSTANCES {
            let mut payload = EntryWriter::new();
            for ((owner, group, key), value) in changes {
                if *owner == instance {
                    match value {
                        Some(value) => payload.put(*group, key, value)?,
                        None => payload.delete(*group, key)?,
                    }
                }
            }
            writer.add(&keyed_key(instance), PartKind::Keyed, false, payload.as_bytes())?;
        }
        Ok(())
    }

    pub fn metadata(&self) -> String {
        format!("{{\"position\":{}}}", self.position)
    }

    pub fn commit_whole(&self, store: &CheckpointStore, epoch: u64) -> Result<EpochSummary> {
        let mut writer = store.begin(epoch)?;
        self.add_whole(&mut writer)?;
        writer.commit(&self.metadata())
    }

    pub fn commit_changes(
        &self,
        store: &CheckpointStore,
        epoch: u64,
        base: u64,
        changes: &[Change],
    ) -> Result<EpochSummary> {
        let mut writer = store.begin_changes(epoch, base)?;
        self.add_changes(&mut writer, changes)?;
        writer.commit(&self.metadata())
    }

    /// The job that an epoch was taken of.
    pub fn of(epoch: &RestoredEpoch) -> Result<Self> {
        let mut job = Self::default();
        let positions = epoch.part("name:source", "position")?;
        assert_eq!(positions.len(), 1);
        assert_eq!(positions[0].0, own_key());
        job.position = u64::from_le_bytes(positions[0].1.bytes().try_into().unwrap());
        let parts = epoch.part("count", "state")?;
        assert_eq!(parts.len(), INSTANCES as usize);
        for (key, payload) in parts {
            assert!(matches!(payload, PartPayload::Keyed(_)));
            let entries = entries_of(payload.bytes());
            if !entries.is_empty() {
                job.state.insert(key.instance, entries);
            }
        }
        assert_eq!(epoch.metadata(), job.metadata());
        Ok(job)
    }

    /// As [`Job::of`] gives it.
    pub fn without_empty(&self) -> Self {
        let mut job = self.clone();
        job.state.retain(|_, entries| !entries.is_empty());
        job
    }
}

/// Each key is there once and has a value.
pub fn entries_of(payload: &[u8]) -> Entries {
    let mut entries = Entries::new();
    for entry in EntryReader::new(payload) {
        let entry = entry.unwrap();
        let before = entries.insert(
            (entry.key_group, entry.key.to_vec()),
            entry.value.unwrap().to_vec(),
        );
        assert_eq!(before, None);
    }
    entries
}

pub fn put(instance: u32, group: u16, key: &str, value: &str) -> Change {
    ((instance, group, key.into()), Some(value.into()))
}

pub fn delete(instance: u32, group: u16, key: &str) -> Change {
    ((instance, group, key.into()), None)
}

/// Few keys, so that they meet; values of which some are longer than a sector.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = prop::sample::select(vec![vec![], b"a".to_vec(), b"b".to_vec(), b"ab".to_vec()]);
    let slot = (0..INSTANCES, 0_u16..3, key);
    let value = prop::option::weighted(0.7, (any::<u8>(), prop::sample::select(vec![0, 1, 600])));
    let value = value.prop_map(|value| value.map(|(byte, length)| vec![byte; length]));
    prop::collection::vec((slot, value), 0..6)
}

pub fn store_in(files: &SimulatedFiles, retained: usize) -> Result<CheckpointStore> {
    CheckpointStore::open(files.shared(), DIRECTORY, retained)
}

pub fn path_of(epoch: u64) -> PathBuf {
    Path::new(DIRECTORY).join(format!("epoch-{epoch:020}.ckpt"))
}
