//! The states of an operator that are not in memory.

use std::ops::ControlFlow;
use std::sync::Arc;

use sage_frame::hash_canonical;
use sage_store::{JobStore, KeyList, MAX_KEY_BYTES, RegisteredStates, StoredValue, WriteBatch};
use sage_types::{ErrorCode, KeyGroups, Result, SageError};

use crate::{KeyTable, StateSpec};

/// Bytes of a key of the store besides the key of the user: operator, key group and state.
const HEAD_AND_STATE_BYTES: usize = 7;

/// Where the states of an operator go when there is no more room for them.
#[derive(Debug, Clone)]
pub struct DiskOptions {
    /// The store of the job.
    pub store: Arc<JobStore>,
    /// The number of the operator, the same for all of its instances.
    pub operator: u32,
    /// Key groups of the job: the states of a group lie together.
    pub key_groups: u32,
    /// About how much memory keys and values of this instance may take.
    pub budget_bytes: u64,
}

/// The states of an operator in the store of its job.
#[derive(Debug)]
pub(crate) struct DiskState {
    store: Arc<JobStore>,
    operator: [u8; 4],
    /// Of the states, in their order.
    names: Vec<String>,
    groups: KeyGroups,
    /// The number of each state in the store.
    numbers: Vec<u8>,
    pub(crate) budget_bytes: u64,
    /// Whether the store may have anything: an operator that fits into memory never asks it.
    may_have: bool,
    /// Whether a state expires.
    expires: bool,
    writes: WriteBatch,
    keys: KeyList,
    canonical: Vec<u8>,
}

impl DiskState {
    pub(crate) fn new(specs: &[StateSpec], options: &DiskOptions) -> Result<Self> {
        let store = Arc::clone(&options.store);
        let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
        let registered = register(&store, options.operator, &names)?;
        Ok(Self {
            operator: options.operator.to_be_bytes(),
            groups: KeyGroups::new(options.key_groups, 1),
            names,
            numbers: registered.numbers,
            budget_bytes: options.budget_bytes,
            may_have: registered.known,
            expires: specs.iter().any(|spec| spec.ttl_ms.is_some()),
            store,
            writes: WriteBatch::new(),
            keys: KeyList::new(),
            canonical: Vec::new(),
        })
    }

    /// One more state. What the store has of it from another time is read with the keys that come from now on.
    pub(crate) fn declare(&mut self, spec: &StateSpec) -> Result<()> {
        self.names.push(spec.name.clone());
        match register(&self.store, u32::from_be_bytes(self.operator), &self.names) {
            Ok(registered) => self.numbers = registered.numbers,
            Err(error) => {
                self.names.pop();
                return Err(error);
            }
        }
        self.expires |= spec.ttl_ms.is_some();
        Ok(())
    }

    /// A state may have been given a time to live.
    pub(crate) const fn may_expire(&mut self, expires: bool) {
        self.expires |= expires;
    }

    /// About how many bytes of disk the state of the whole job takes.
    pub(crate) fn bytes_on_disk(&self) -> Result<u64> {
        self.store.writer().store().approximate_bytes()
    }

    /// The number of the operator and the key group of a key: what its key in the store begins with.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are 65,536 key groups at most"
    )]
    fn head(&self, canonical: &[u8]) -> [u8; 6] {
        let group = (self.groups.group_of(hash_canonical(canonical)) as u16).to_be_bytes();
        let [a, b, c, d] = self.operator;
        [a, b, c, d, group[0], group[1]]
    }

    /// Refuses keys that the store cannot hold before anything is done with them.
    #[expect(clippy::unused_self, reason = "only a table with a store has this limit")]
    pub(crate) fn check_key_bytes(&self, key_bytes: usize) -> Result<()> {
        if key_bytes <= MAX_KEY_BYTES - HEAD_AND_STATE_BYTES {
            return Ok(());
        }
        Err(SageError::new(
            ErrorCode::KeyUnsupported,
            format!(
                "a key has {key_bytes} bytes, and state on disk can have keys of {} bytes: use a shorter key, such as a hash, or state in memory",
                MAX_KEY_BYTES - HEAD_AND_STATE_BYTES
            ),
        )
        .with("keyBytes", key_bytes))
    }

    /// Calls `found` with the slot, the state and the value of each state that the store has for these slots.
    pub(crate) fn load(
        &mut self,
        table: &KeyTable,
        slots: &[u32],
        mut found: impl FnMut(u32, u8, StoredValue<'_>),
    ) -> Result<()> {
        if !self.may_have || slots.is_empty() || self.numbers.is_empty() {
            return Ok(());
        }
        self.keys.clear();
        for &slot in slots {
            self.canonical.clear();
            table.append_canonical(slot, &mut self.canonical);
            let head = self.head(&self.canonical);
            for &number in &self.numbers {
                self.keys.push(&[&head, &self.canonical, &[number]]);
            }
        }
        let states = self.numbers.len();
        self.store.writer().read(&self.keys, &mut |index, value| {
            found(slots[index / states], state_at(index % states), value);
        })
    }

    /// The value of a state of a key that is not in memory.
    pub(crate) fn find(
        &self,
        canonical: &[u8],
        state: u8,
        found: &mut dyn FnMut(StoredValue<'_>),
    ) -> Result<()> {
        let mut keys = KeyList::new();
        let number = self.numbers[state as usize];
        keys.push(&[&self.head(canonical), canonical, &[number]]);
        self.store.writer().read(&keys, &mut |_, value| found(value))
    }

    pub(crate) const fn key_groups(&self) -> u32 {
        self.groups.key_groups()
    }

    /// Calls `visit` with the canonical bytes and the value of each key of a key group that has a value of a state.
    pub(crate) fn scan_group(
        &self,
        group: u32,
        state: u8,
        visit: &mut dyn FnMut(&[u8], StoredValue<'_>) -> Result<()>,
    ) -> Result<()> {
        if !self.may_have {
            return Ok(());
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are 65,536 key groups at most"
        )]
        let prefix = [&self.operator[..], &(group as u16).to_be_bytes()].concat();
        let number = self.numbers[state as usize];
        self.store.writer().scan(&prefix, &mut |key, value| {
            // What has no key and state is the catalog's.
            if let Some((&last, canonical)) = key.get(prefix.len()..).and_then(<[u8]>::split_last)
                && last == number
                && !canonical.is_empty()
            {
                visit(canonical, value)?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Adds the value of a state of a key to a batch for [`DiskState::submit_batch`].
    pub(crate) fn put_into(
        &self,
        batch: &mut WriteBatch,
        canonical: &[u8],
        state: u8,
        value: StoredValue<'_>,
    ) {
        let head = self.head(canonical);
        batch.put(&[&head, canonical, &[self.numbers[state as usize]]], value);
    }

    /// Hands values over to the store that were never in memory.
    pub(crate) fn submit_batch(&mut self, batch: WriteBatch) -> Result<()> {
        self.may_have |= !batch.is_empty();
        self.store.writer().submit(batch)
    }

    /// Writes a state of a slot with [`DiskState::submit`]; none removes it.
    pub(crate) fn write(&mut self, table: &KeyTable, slot: u32, state: u8, value: Option<StoredValue<'_>>) {
        self.canonical.clear();
        table.append_canonical(slot, &mut self.canonical);
        let head = self.head(&self.canonical);
        let key: [&[u8]; 3] = [&head, &self.canonical, &[self.numbers[state as usize]]];
        match value {
            Some(value) => self.writes.put(&key, value),
            None => self.writes.remove(&key),
        }
    }

    /// Hands what was written over to the store.
    pub(crate) fn submit(&mut self, now_ms: u64) -> Result<()> {
        if self.writes.is_empty() {
            return Ok(());
        }
        self.may_have = true;
        self.store.writer().submit(std::mem::take(&mut self.writes))?;
        self.advance_to(now_ms)
    }

    /// Tells the store the time.
    pub(crate) fn advance_to(&self, now_ms: u64) -> Result<()> {
        if self.may_have && self.expires {
            self.store.writer().advance_to(now_ms)?;
        }
        Ok(())
    }
}

fn register(store: &JobStore, operator: u32, names: &[String]) -> Result<RegisteredStates> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    store.catalog().register(store.writer(), operator, &names)
}

#[expect(clippy::cast_possible_truncation, reason = "there are 255 states at most")]
const fn state_at(index: usize) -> u8 {
    index as u8
}
