//! A fixed number of values for each slot, in pieces that never move.

/// Slots of one piece: large enough that the list of pieces stays in the cache, small enough that filling a new
/// one goes unnoticed.
const PIECE_SLOTS_LOG2: u32 = 16;
const PIECE_SLOTS: usize = 1 << PIECE_SLOTS_LOG2;

/// `width` values for each slot, the values of one slot side by side: they share a cache line. Grows piece by piece, so
/// that nothing is copied when there are many.
#[derive(Debug, Clone)]
pub(crate) struct SlotRows<T> {
    pieces: Vec<Vec<T>>,
    width: usize,
    slots: usize,
}

impl<T: Copy> SlotRows<T> {
    /// No slots yet, `width` values for each.
    pub(crate) fn new(width: usize) -> Self {
        Self {
            pieces: Vec::new(),
            width,
            slots: 0,
        }
    }

    /// Makes room for one more value of each slot, and puts `value` there. Copies everything.
    pub(crate) fn widen(&mut self, value: T) {
        let mut wider = Self::new(self.width + 1);
        let slots = u32::try_from(self.slots).unwrap_or(u32::MAX);
        let mut row = vec![value; wider.width];
        for slot in 0..slots {
            row[..self.width].copy_from_slice(self.row(slot));
            wider.push(&row);
        }
        *self = wider;
    }

    /// Number of slots.
    pub(crate) const fn len(&self) -> usize {
        self.slots
    }

    /// Appends slots that hold `row` until there are `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize, row: &[T]) {
        while self.slots < slots {
            self.push(row);
        }
    }

    /// Appends a slot. `row` has `width` values.
    pub(crate) fn push(&mut self, row: &[T]) {
        debug_assert_eq!(row.len(), self.width);
        if self.slots & (PIECE_SLOTS - 1) == 0 {
            // The first piece grows with its content, so that a table of ten keys is small; it is copied a few times, and
            // never again.
            let capacity = if self.slots == 0 { 16 } else { PIECE_SLOTS };
            self.pieces.push(Vec::with_capacity(capacity * self.width));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.extend_from_slice(row);
            self.slots += 1;
        }
    }

    /// The values of a slot; panics when there is no such slot. (Here and below.)
    #[inline]
    pub(crate) fn row(&self, slot: u32) -> &[T] {
        let start = (slot as usize & (PIECE_SLOTS - 1)) * self.width;
        &self.pieces[(slot >> PIECE_SLOTS_LOG2) as usize][start..start + self.width]
    }

    /// The values of a slot, for writing.
    #[inline]
    pub(crate) fn row_mut(&mut self, slot: u32) -> &mut [T] {
        let start = (slot as usize & (PIECE_SLOTS - 1)) * self.width;
        &mut self.pieces[(slot >> PIECE_SLOTS_LOG2) as usize][start..start + self.width]
    }

    /// `N` of the values of a slot, from the value `at` on.
    #[inline]
    pub(crate) fn part_mut<const N: usize>(&mut self, slot: u32, at: usize) -> &mut [T] {
        let start = (slot as usize & (PIECE_SLOTS - 1)) * self.width + at;
        &mut self.pieces[(slot >> PIECE_SLOTS_LOG2) as usize][start..start + N]
    }

    /// The first value of a slot; none when there is no such slot.
    #[inline]
    pub(crate) fn first(&self, slot: u32) -> Option<T> {
        let piece = self.pieces.get((slot >> PIECE_SLOTS_LOG2) as usize)?;
        piece
            .get((slot as usize & (PIECE_SLOTS - 1)) * self.width)
            .copied()
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        let values: usize = self.pieces.iter().map(Vec::capacity).sum();
        values * size_of::<T>() + self.pieces.capacity() * size_of::<Vec<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_more_slots_than_a_piece_holds_then_each_keeps_its_values() {
        let mut rows = SlotRows::new(2);
        let slots = u32::try_from(PIECE_SLOTS * 2 + 3).unwrap();
        for slot in 0..slots {
            rows.push(&[slot, slot ^ 0xffff]);
        }

        assert_eq!(rows.len(), slots as usize);
        for slot in 0..slots {
            assert_eq!(rows.row(slot), [slot, slot ^ 0xffff]);
            assert_eq!(rows.first(slot), Some(slot));
        }
        assert_eq!(rows.first(slots), None);
        assert_eq!(rows.first(u32::MAX), None);
    }

    #[test]
    fn a_piece_does_not_move_when_others_are_added() {
        let mut rows = SlotRows::new(1);
        rows.grow_to(PIECE_SLOTS, &[1_u64]);
        let place = rows.row(0).as_ptr();
        rows.grow_to(PIECE_SLOTS * 5, &[2]);
        assert_eq!(rows.row(0).as_ptr(), place);
        assert_eq!(rows.row(0), [1]);
    }

    #[test]
    fn part_of_a_slot_can_be_changed() {
        let mut rows = SlotRows::new(3);
        rows.grow_to(4, &[0_i32; 3]);
        rows.part_mut::<2>(2, 1).copy_from_slice(&[7, 8]);
        assert_eq!(rows.row(1), [0, 0, 0]);
        assert_eq!(rows.row(2), [0, 7, 8]);
        assert_eq!(rows.row(3), [0, 0, 0]);
    }

    #[test]
    fn given_one_more_value_then_each_slot_keeps_those_that_it_had() {
        let mut rows = SlotRows::new(0);
        rows.grow_to(3, &[]);
        rows.widen(1_u8);
        rows.row_mut(1)[0] = 5;
        rows.widen(2);
        assert_eq!(
            (rows.row(0), rows.row(1), rows.len()),
            (&[1, 2][..], &[5, 2][..], 3)
        );
        rows.grow_to(4, &[8, 9]);
        assert_eq!(rows.row(3), [8, 9]);
    }
}
