//! Which keys of a table have changed since it was saved last.

use std::collections::BTreeSet;

use crate::slot_rows::SlotRows;

/// So many keys that have gone are noted at most; behind that everything is saved.
const MOST_GONE: usize = 1 << 19;

/// The slots whose keys have changed since everything, or what had changed, was saved last, and the keys that have gone: what a checkpoint has
/// to have that is on top of the one before. Notes nothing before everything was saved once, so that it costs nothing without checkpoints.
#[derive(Debug)]
pub struct ChangedSlots {
    is_noting: bool,
    /// A bit for each slot: whether it is in `slots`.
    marks: SlotRows<u64>,
    slots: Vec<u32>,
    /// Canonical bytes.
    gone: BTreeSet<Vec<u8>>,
}

/// What [`ChangedSlots::take`] gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SlotChanges {
    /// Canonical bytes of keys that have gone. One may have come again, in any slot: so these come first.
    pub gone: BTreeSet<Vec<u8>>,
    /// Slots that have changed, in the order of their first change, and have a key, perhaps another one than before.
    pub slots: Vec<u32>,
}

impl Default for ChangedSlots {
    fn default() -> Self {
        Self::new()
    }
}

impl ChangedSlots {
    /// Nothing was saved yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            is_noting: false,
            marks: SlotRows::new(1),
            slots: Vec::new(),
            gone: BTreeSet::new(),
        }
    }

    /// What there is of the keys of these slots may be other than it was.
    #[inline]
    pub fn note_all(&mut self, slots: &[u32]) {
        if self.is_noting {
            for &slot in slots {
                self.mark(slot);
            }
        }
    }

    /// What there is of the key of a slot may be other than it was.
    #[inline]
    pub fn note(&mut self, slot: u32) {
        if self.is_noting {
            self.mark(slot);
        }
    }

    fn mark(&mut self, slot: u32) {
        let (word, bit) = (slot >> 6, 1_u64 << (slot & 63));
        if self.marks.len() <= word as usize {
            self.marks.grow_to(word as usize + 1, &[0]);
        }
        let [marks] = self.marks.part_mut::<1>(word, 0) else {
            return;
        };
        if *marks & bit == 0 {
            *marks |= bit;
            self.slots.push(slot);
        }
    }

    /// There is nothing of a key any more, whose canonical bytes `append` gives.
    pub fn note_gone(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        if !self.is_noting {
            return;
        }
        let mut key = Vec::new();
        append(&mut key);
        self.gone.insert(key);
        if self.gone.len() > MOST_GONE {
            self.stop();
        }
    }

    /// Everything is saved.
    pub fn restart(&mut self) {
        self.clear();
        self.is_noting = true;
    }

    /// Everything has to be saved next.
    pub fn stop(&mut self) {
        self.clear();
        self.is_noting = false;
    }

    fn clear(&mut self) -> SlotChanges {
        let slots = std::mem::take(&mut self.slots);
        for &slot in &slots {
            self.marks.part_mut::<1>(slot >> 6, 0)[0] = 0;
        }
        SlotChanges {
            gone: std::mem::take(&mut self.gone),
            slots,
        }
    }

    /// What has changed; none when everything has to be saved: for the first time, or because that is hardly more. `kept` is how many keys
    /// there are, `is_kept` says of a slot whether it has one.
    pub fn take(&mut self, kept: usize, is_kept: impl Fn(u32) -> bool) -> Option<SlotChanges> {
        if !self.is_noting {
            return None;
        }
        let noted = self.slots.iter().filter(|&&slot| is_kept(slot)).count();
        if (noted + self.gone.len()) * 2 > kept {
            return None;
        }
        let mut changes = self.clear();
        changes.slots.retain(|&slot| is_kept(slot));
        Some(changes)
    }

    /// Bytes of memory held; those of keys that have gone without the nodes of their set.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        let gone: usize = self
            .gone
            .iter()
            .map(|key| key.capacity() + size_of::<Vec<u8>>())
            .sum();
        self.marks.bytes_used() + self.slots.capacity() * size_of::<u32>() + gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(changes: &SlotChanges) -> Vec<&[u8]> {
        changes.gone.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn given_nothing_was_saved_then_nothing_is_noted_and_everything_has_to_be_saved() {
        let mut changed = ChangedSlots::new();
        changed.note_all(&[1, 2]);
        changed.note(3);
        changed.note_gone(|_| unreachable!("nobody asks for the key"));
        assert_eq!(changed.take(1000, |_| true), None);
        changed.restart();
        assert_eq!(changed.take(1000, |_| true), Some(SlotChanges::default()));
    }

    #[test]
    fn given_changes_when_they_are_taken_then_each_is_there_once_and_is_noted_anew() {
        let mut changed = ChangedSlots::new();
        changed.restart();
        changed.note_all(&[700, 3, 700, 64]);
        changed.note(3);
        changed.note_gone(|key| key.extend_from_slice(b"b"));
        changed.note_gone(|key| key.extend_from_slice(b"a"));
        changed.note_gone(|key| key.extend_from_slice(b"b"));

        let first = changed.take(10, |_| true).unwrap();
        assert_eq!(
            (&*first.slots, &*gone(&first)),
            (&[700, 3, 64][..], &[&b"a"[..], b"b"][..])
        );
        changed.note(64);
        let second = changed.take(2, |_| true).unwrap();
        assert_eq!((&*second.slots, gone(&second).len()), (&[64][..], 0));
    }

    #[test]
    fn given_slots_without_a_key_then_they_are_neither_given_nor_counted() {
        let mut changed = ChangedSlots::new();
        changed.restart();
        changed.note_all(&[1, 2, 3]);
        assert_eq!(changed.take(2, |slot| slot == 2).unwrap().slots, [2]);
    }

    #[test]
    fn given_more_than_half_of_the_keys_have_changed_then_everything_is_saved_and_noting_goes_on_behind_it() {
        let mut changed = ChangedSlots::new();
        changed.restart();
        changed.note_all(&[0, 1]);
        changed.note_gone(|key| key.push(7));
        assert_eq!(changed.take(5, |_| true), None);
        changed.restart();
        changed.note(1);
        assert_eq!(changed.take(5, |_| true).unwrap().slots, [1]);
    }

    #[test]
    fn given_too_many_keys_have_gone_then_none_is_kept_and_everything_is_saved() {
        let mut changed = ChangedSlots::new();
        changed.restart();
        for key in 0..=u32::try_from(MOST_GONE).unwrap() {
            changed.note_gone(|bytes| bytes.extend_from_slice(&key.to_be_bytes()));
        }
        changed.note(1);
        assert_eq!(changed.take(usize::MAX, |_| true), None);
        assert!(changed.gone.is_empty() && changed.slots.is_empty());
    }
}
