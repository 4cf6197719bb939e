//! State of which an epoch has what has changed, on top of the epoch before: totals by key, and which keys are open. Every third record
//! of a key closes it, so that there are keys that go and come again.

use std::collections::{BTreeMap, BTreeSet};

use sage_checkpoint::{EntryReader, EntryWriter};
use sage_frame::{canonical_number, hash_canonical};
use sage_types::KeyGroups;

use super::sim_task::said;
use super::timed_task::whole;
use crate::support::Record;

/// So many records close a key.
const CLOSES: u64 = 3;

#[derive(Debug, Default)]
pub struct Table {
    /// Count and sum by key.
    pub totals: BTreeMap<u64, (u64, u64)>,
    /// How many records have come since the key was closed; none for a closed one.
    open: BTreeMap<u64, u64>,
    /// Keys that have changed since they were saved.
    changed: BTreeSet<u64>,
    /// The epoch that has what was saved last.
    saved: Option<u64>,
}

impl Table {
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            let key = record.key.to_bits();
            let total = self.totals.entry(key).or_default();
            total.0 += 1;
            total.1 += whole(record.number);
            let open = self.open.entry(key).or_default();
            *open += 1;
            if *open == CLOSES {
                self.open.remove(&key);
            }
            self.changed.insert(key);
        }
    }

    /// Whether it saves only what has changed, in an epoch that may be on top of `base`.
    pub fn saves_changes(&self, base: Option<u64>) -> bool {
        base.is_some() && base == self.saved
    }

    /// Totals and open keys: all, or those that have changed.
    pub fn parts(&self, is_full: bool, key_groups: u32) -> [(&'static str, Vec<u8>); 2] {
        let keys: Vec<u64> = if is_full {
            self.totals.keys().copied().collect()
        } else {
            self.changed.iter().copied().collect()
        };
        let groups = KeyGroups::new(key_groups, 1);
        let (mut totals, mut open) = (EntryWriter::new(), EntryWriter::new());
        for bits in keys {
            let key = canonical_number(f64::from_bits(bits));
            let group = u16::try_from(groups.group_of(hash_canonical(&key))).unwrap();
            let (count, sum) = self.totals[&bits];
            let total = [count.to_le_bytes(), sum.to_le_bytes()].concat();
            totals.put(group, &key, &total).unwrap();
            match self.open.get(&bits) {
                Some(count) => open.put(group, &key, &count.to_le_bytes()).unwrap(),
                None if is_full => {}
                None => open.delete(group, &key).unwrap(),
            }
        }
        [("totals", totals.into_bytes()), ("open", open.into_bytes())]
    }

    /// It has handed over what it saved.
    pub fn was_saved(&mut self, epoch: u64) {
        self.changed.clear();
        self.saved = Some(epoch);
    }

    pub fn restore(&mut self, name: &str, payload: &[u8]) -> Result<(), String> {
        for entry in EntryReader::new(payload) {
            let entry = said("reading entries", entry)?;
            let value = entry.value.ok_or("a part that is whole removes a key")?;
            let key = f64::from_le_bytes(entry.key[1..].try_into().unwrap()).to_bits();
            let word = |place: usize| u64::from_le_bytes(value[place * 8..][..8].try_into().unwrap());
            let was_there = if name == "totals" {
                self.totals.insert(key, (word(0), word(1))).is_some()
            } else {
                self.open.insert(key, word(0)).is_some()
            };
            if was_there {
                return Err(format!("the key {} is twice in {name}", f64::from_bits(key)));
            }
        }
        Ok(())
    }

    /// Both parts are of the same moment.
    pub fn check(&self) -> Result<(), String> {
        let expected: BTreeMap<u64, u64> = self
            .totals
            .iter()
            .map(|(&key, &(count, _))| (key, count % CLOSES))
            .filter(|&(_, open)| open > 0)
            .collect();
        if self.open == expected {
            return Ok(());
        }
        Err(format!("open keys are {:?}, and not {expected:?}", self.open))
    }
}
