//! Which slots are in memory, and which of them are given up when there is no more room.

use crate::slot_rows::SlotRows;

/// What is known of a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Resident {
    /// The batch that used it last.
    batch: u32,
    /// How many want it to stay, such as timers of its key.
    holds: u32,
    /// About how much memory its key and values take; 0 while nothing of it is in memory.
    bytes: u32,
    /// Used again since the hand passed it.
    used_again: bool,
}

/// The clock of residency: a hand goes round the slots and gives up those that no batch has used again since it passed them
/// last. A slot that is used once only goes first, so that a scan over many keys does not drive out those in use.
#[derive(Debug)]
pub(crate) struct ResidentSlots {
    slots: SlotRows<Resident>,
    /// The number of the batch at work; never 0.
    batch: u32,
    hand: u32,
    bytes: u64,
    len: usize,
}

/// How a slot was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched {
    /// Nothing of it was in memory.
    Absent,
    /// The first row of the batch with it.
    First,
    /// The batch has it already.
    Again,
}

impl ResidentSlots {
    pub(crate) fn new() -> Self {
        Self {
            slots: SlotRows::new(1),
            batch: 0,
            hand: 0,
            bytes: 0,
            len: 0,
        }
    }

    /// Makes room for slots up to `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        self.slots.grow_to(slots, &[Resident::default()]);
    }

    fn slot_mut(&mut self, slot: u32) -> &mut Resident {
        &mut self.slots.part_mut::<1>(slot, 0)[0]
    }

    /// The next batch is at work.
    pub(crate) const fn next_batch(&mut self) {
        // A slot that was not used for 2^32 batches may be taken for one of this batch once; it stays, that is all.
        self.batch = if self.batch == u32::MAX { 1 } else { self.batch + 1 };
    }

    /// A row of the batch has this slot. One that was absent is resident from now on, with `overhead_bytes`.
    pub(crate) fn touch(&mut self, slot: u32, overhead_bytes: u32) -> Touched {
        let batch = self.batch;
        let resident = self.slot_mut(slot);
        if resident.bytes == 0 {
            resident.bytes = overhead_bytes.max(1);
            resident.batch = batch;
            resident.used_again = false;
            self.bytes += u64::from(overhead_bytes.max(1));
            self.len += 1;
            return Touched::Absent;
        }
        if resident.batch == batch {
            return Touched::Again;
        }
        resident.batch = batch;
        resident.used_again = true;
        Touched::First
    }

    /// Whether the batch at work has the slot.
    pub(crate) fn is_in_batch(&self, slot: u32) -> bool {
        self.slots
            .first(slot)
            .is_some_and(|resident| resident.bytes > 0 && resident.batch == self.batch)
    }

    /// Whether the slot is in memory.
    pub(crate) fn is_resident(&self, slot: u32) -> bool {
        self.slots.first(slot).is_some_and(|resident| resident.bytes > 0)
    }

    /// A value of the slot takes more or less memory than before.
    pub(crate) fn resize(&mut self, slot: u32, before: u32, after: u32) {
        let resident = self.slot_mut(slot);
        let old = resident.bytes;
        // Never 0: that would mean absent.
        resident.bytes = old.saturating_sub(before).max(1).saturating_add(after);
        let new = resident.bytes;
        self.bytes = self.bytes - u64::from(old) + u64::from(new);
    }

    /// Nothing of the slot is in memory any more.
    pub(crate) fn leave(&mut self, slot: u32) {
        let resident = self.slot_mut(slot);
        let bytes = resident.bytes;
        *resident = Resident {
            holds: resident.holds,
            ..Resident::default()
        };
        if bytes > 0 {
            self.bytes -= u64::from(bytes);
            self.len -= 1;
        }
    }

    /// One more or one less wants the slot to stay; how many do then. None when there was none.
    pub(crate) fn hold(&mut self, slot: u32, more: bool) -> Option<u32> {
        let resident = self.slot_mut(slot);
        resident.holds = if more {
            resident.holds.checked_add(1)?
        } else {
            resident.holds.checked_sub(1)?
        };
        Some(resident.holds)
    }

    /// Whether somebody wants the slot to stay.
    pub(crate) fn is_held(&self, slot: u32) -> bool {
        self.slots.first(slot).is_some_and(|resident| resident.holds > 0)
    }

    /// Moves the hand to the next slot that may be given up, `looks` slots at most, and takes them off. None when all that
    /// are in memory have to stay, or nothing was found so far.
    pub(crate) fn next_victim(&mut self, looks: &mut usize) -> Option<u32> {
        let slots = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        // After one round every mark of use is gone, so that the second finds all there are.
        for _ in 0..u64::from(slots) * 2 {
            *looks = looks.checked_sub(1)?;
            let slot = self.hand;
            self.hand = if slot + 1 < slots { slot + 1 } else { 0 };
            let batch = self.batch;
            let resident = self.slot_mut(slot);
            if resident.bytes == 0 || resident.holds > 0 || resident.batch == batch {
                continue;
            }
            if !std::mem::take(&mut resident.used_again) {
                return Some(slot);
            }
        }
        None
    }

    /// Memory of all that is resident.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of resident slots.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory held for this bookkeeping.
    pub(crate) fn bytes_used(&self) -> usize {
        self.slots.bytes_used()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(resident: &mut ResidentSlots, slots: &[u32]) {
        resident.next_batch();
        for &slot in slots {
            resident.touch(slot, 10);
        }
    }

    #[test]
    fn what_was_used_once_goes_before_what_is_used_again() {
        let mut resident = ResidentSlots::new();
        resident.grow_to(6);
        touch(&mut resident, &[0, 1, 2]);
        touch(&mut resident, &[1]);
        touch(&mut resident, &[3]);
        let mut victims = Vec::new();
        while let Some(slot) = resident.next_victim(&mut 100) {
            resident.leave(slot);
            victims.push(slot);
        }
        // 3 is in the batch at work.
        assert_eq!(victims, [0, 2, 1]);
        assert_eq!((resident.bytes(), resident.len()), (10, 1));
    }

    #[test]
    fn what_is_held_stays() {
        let mut resident = ResidentSlots::new();
        resident.grow_to(2);
        touch(&mut resident, &[0, 1]);
        assert_eq!(resident.hold(0, true), Some(1));
        touch(&mut resident, &[]);
        assert_eq!(resident.next_victim(&mut 100), Some(1));
        resident.leave(1);
        assert_eq!(resident.next_victim(&mut 100), None);
        assert_eq!(resident.hold(0, false), Some(0));
        assert_eq!(resident.hold(0, false), None);
        assert_eq!(resident.next_victim(&mut 0), None);
        assert_eq!(resident.next_victim(&mut 100), Some(0));
    }

    #[test]
    fn bytes_follow_what_is_in_memory() {
        let mut resident = ResidentSlots::new();
        resident.grow_to(1);
        touch(&mut resident, &[0, 0]);
        assert_eq!(resident.touch(0, 10), Touched::Again);
        resident.resize(0, 0, 90);
        assert_eq!(resident.bytes(), 100);
        resident.resize(0, 90, 20);
        assert_eq!(resident.bytes(), 30);
        resident.leave(0);
        assert_eq!(resident.bytes(), 0);
        assert!(!resident.is_in_batch(0));
    }
}
