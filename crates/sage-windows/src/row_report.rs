//! What became of rows that are in no window, and of keys that have nothing.

use sage_state::ChangedSlots;

/// What the bookkeeping reports of the rows of a call.
#[derive(Debug, Default)]
pub(crate) struct RowReport {
    /// Slots of whose keys something has changed that a checkpoint has, but for those that get rows.
    pub(crate) changed: ChangedSlots,
    /// Rows that came after all of their windows had closed.
    pub(crate) late: Vec<u32>,
    /// Rows that belong to no window.
    pub(crate) gaps: u64,
    /// Slots of all these rows: keys that may have nothing.
    pub(crate) refused_slots: Vec<u32>,
    /// Slots whose keys have nothing left.
    pub(crate) dropped_slots: Vec<u32>,
}

impl RowReport {
    /// A row that was late for all of its windows.
    #[cold]
    pub(crate) fn late(&mut self, row: u32, slot: u32) {
        self.late.push(row);
        self.refused_slots.push(slot);
    }

    /// A row between windows.
    #[cold]
    pub(crate) fn gap(&mut self, slot: u32) {
        self.gaps += 1;
        self.refused_slots.push(slot);
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        let words = self.late.capacity() + self.refused_slots.capacity() + self.dropped_slots.capacity();
        words * size_of::<u32>() + self.changed.bytes_used()
    }
}
