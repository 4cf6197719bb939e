//! One value a slot, in pieces that never move.

const PIECE_SLOTS_LOG2: u32 = 12;
const PIECE_SLOTS: usize = 1 << PIECE_SLOTS_LOG2;

/// One value for each slot; grows piece by piece, so that millions of keys cause no pause.
#[derive(Debug)]
pub(crate) struct SlotList<T> {
    pieces: Vec<Vec<T>>,
    slots: usize,
}

impl<T: Default> SlotList<T> {
    /// No slots yet.
    pub(crate) const fn new() -> Self {
        Self {
            pieces: Vec::new(),
            slots: 0,
        }
    }

    /// Appends slots with the default until there are `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        while self.slots < slots {
            if self.slots & (PIECE_SLOTS - 1) == 0 {
                // The first piece grows with its content, so that a table of ten keys is small.
                let capacity = if self.slots == 0 { 4 } else { PIECE_SLOTS };
                self.pieces.push(Vec::with_capacity(capacity));
            }
            if let Some(piece) = self.pieces.last_mut() {
                piece.push(T::default());
            }
            self.slots += 1;
        }
    }

    /// The value of a slot; panics when there is no such slot.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &T {
        &self.pieces[(slot >> PIECE_SLOTS_LOG2) as usize][slot as usize & (PIECE_SLOTS - 1)]
    }

    /// The value of a slot; none when there is no such slot.
    pub(crate) fn find(&self, slot: u32) -> Option<&T> {
        let piece = self.pieces.get((slot >> PIECE_SLOTS_LOG2) as usize)?;
        piece.get(slot as usize & (PIECE_SLOTS - 1))
    }

    /// The value of a slot, for writing; panics when there is no such slot.
    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut T {
        &mut self.pieces[(slot >> PIECE_SLOTS_LOG2) as usize][slot as usize & (PIECE_SLOTS - 1)]
    }

    /// All values with their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0_u32..).zip(self.pieces.iter().flatten())
    }

    /// Bytes of memory held, without what the values hold elsewhere.
    pub(crate) fn bytes_used(&self) -> usize {
        let values: usize = self.pieces.iter().map(Vec::capacity).sum();
        values * size_of::<T>() + self.pieces.capacity() * size_of::<Vec<T>>()
    }
}
