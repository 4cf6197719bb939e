//! What is known of each state of each slot; the values are elsewhere.

use sage_store::NEVER_MS;

use crate::StateSpec;
use crate::expiry_queue::ExpiryQueue;
use crate::slot_rows::SlotRows;

/// One state of one slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// About how much memory its value takes.
    pub(crate) bytes: u32,
    /// Whether it has a value.
    pub(crate) present: bool,
    /// The store has another value, or none, or one where there is none any more.
    pub(crate) dirty: bool,
    /// The store may have a value.
    pub(crate) stored: bool,
}

/// When a state expires, and for when it is in the queue.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    expires_at_ms: u64,
    queued_at_ms: u64,
}

const NO_DEADLINE: Deadline = Deadline {
    expires_at_ms: NEVER_MS,
    queued_at_ms: NEVER_MS,
};

/// A cell for each state of each slot, and the times at which those expire that do.
#[derive(Debug)]
pub(crate) struct StateCells {
    ttl_ms: Vec<Option<u64>>,
    /// For each state, which of the deadlines of a slot is its.
    deadline_at: Vec<Option<usize>>,
    cells: SlotRows<Cell>,
    deadlines: SlotRows<Deadline>,
    no_cells: Vec<Cell>,
    no_deadlines: Vec<Deadline>,
    queue: ExpiryQueue,
}

impl StateCells {
    pub(crate) fn new(specs: &[StateSpec]) -> Self {
        let mut cells = Self {
            ttl_ms: Vec::new(),
            deadline_at: Vec::new(),
            cells: SlotRows::new(0),
            deadlines: SlotRows::new(0),
            no_cells: Vec::new(),
            no_deadlines: Vec::new(),
            queue: ExpiryQueue::default(),
        };
        for spec in specs {
            cells.declare(spec);
        }
        cells
    }

    /// One more state, which no slot has a value of.
    pub(crate) fn declare(&mut self, spec: &StateSpec) {
        self.ttl_ms.push(spec.ttl_ms);
        self.no_cells.push(Cell::default());
        self.cells.widen(Cell::default());
        if spec.ttl_ms.is_none() {
            self.deadline_at.push(None);
            return;
        }
        self.deadline_at.push(Some(self.no_deadlines.len()));
        if self.no_deadlines.is_empty() {
            self.deadlines.grow_to(self.cells.len(), &[]);
        }
        self.no_deadlines.push(NO_DEADLINE);
        self.deadlines.widen(NO_DEADLINE);
    }

    /// Gives a state another time to live, or none. Values that expired and do not now, or the other way round, count as written.
    pub(crate) fn set_ttl(&mut self, state: u8, ttl_ms: Option<u64>, now_ms: u64) {
        let before = std::mem::replace(&mut self.ttl_ms[state as usize], ttl_ms);
        if before.is_some() == ttl_ms.is_some() {
            return;
        }
        self.deadline_at[state as usize] = ttl_ms.map(|_| self.no_deadlines.len());
        if ttl_ms.is_some() {
            if self.no_deadlines.is_empty() {
                self.deadlines.grow_to(self.cells.len(), &[]);
            }
            self.no_deadlines.push(NO_DEADLINE);
            self.deadlines.widen(NO_DEADLINE);
        }
        for slot in 0..u32::try_from(self.cells.len()).unwrap_or(u32::MAX) {
            if self.cell(slot, state).present {
                self.cell_mut(slot, state).dirty = true;
                self.set_expiry(slot, state, self.expiry_of_write(state, now_ms));
            }
        }
    }

    /// Number of states.
    #[expect(clippy::cast_possible_truncation, reason = "there are 255 at most")]
    pub(crate) const fn states(&self) -> u8 {
        self.ttl_ms.len() as u8
    }

    /// Makes room for slots up to `slots`.
    pub(crate) fn grow_to(&mut self, slots: usize) {
        self.cells.grow_to(slots, &self.no_cells);
        if !self.no_deadlines.is_empty() {
            self.deadlines.grow_to(slots, &self.no_deadlines);
        }
    }

    #[inline]
    pub(crate) fn cell(&self, slot: u32, state: u8) -> Cell {
        self.cells.row(slot)[state as usize]
    }

    #[inline]
    pub(crate) fn cell_mut(&mut self, slot: u32, state: u8) -> &mut Cell {
        &mut self.cells.part_mut::<1>(slot, state as usize)[0]
    }

    /// Whether no state of a slot has a value.
    #[inline]
    pub(crate) fn is_empty(&self, slot: u32) -> bool {
        self.cells.row(slot).iter().all(|cell| !cell.present)
    }

    /// Makes the states of a slot as those of a new one.
    pub(crate) fn reset(&mut self, slot: u32) {
        for state in 0..self.states() {
            *self.cell_mut(slot, state) = Cell::default();
            self.set_expiry(slot, state, NEVER_MS);
        }
    }

    /// When a state expires that is written now.
    pub(crate) fn expiry_of_write(&self, state: u8, now_ms: u64) -> u64 {
        match self.ttl_ms[state as usize] {
            Some(ttl_ms) => now_ms.saturating_add(ttl_ms),
            None => NEVER_MS,
        }
    }

    /// When a state expires that was written before and is loaded now; whether that is another time than it was written with:
    /// the state had a time to live then and has none now, or the other way round.
    pub(crate) fn expiry_of_loaded(&self, state: u8, expires_at_ms: u64, now_ms: u64) -> (u64, bool) {
        let anew = self.expiry_of_write(state, now_ms);
        if (anew == NEVER_MS) == (expires_at_ms == NEVER_MS) {
            (expires_at_ms, false)
        } else {
            (anew, true)
        }
    }

    /// When a state expires.
    #[inline]
    pub(crate) fn expiry(&self, slot: u32, state: u8) -> u64 {
        match self.deadline_at[state as usize] {
            Some(at) => self.deadlines.row(slot)[at].expires_at_ms,
            None => NEVER_MS,
        }
    }

    /// Sets when a state expires; without effect for one that never does.
    pub(crate) fn set_expiry(&mut self, slot: u32, state: u8, expires_at_ms: u64) {
        let Some(at) = self.deadline_at[state as usize] else {
            return;
        };
        let deadline = &mut self.deadlines.part_mut::<1>(slot, at)[0];
        deadline.expires_at_ms = expires_at_ms;
        // At most one entry a state that holds: one that is due too early is put back when it comes up.
        if expires_at_ms < deadline.queued_at_ms {
            deadline.queued_at_ms = expires_at_ms;
            self.queue.push(expires_at_ms, slot, state);
        }
    }

    /// Takes a state that has expired out of the queue; looks at `looks` entries at most, and takes them off.
    pub(crate) fn pop_expired(&mut self, now_ms: u64, looks: &mut usize) -> Option<(u32, u8)> {
        while *looks > 0 {
            let (queued_at_ms, slot, state) = self.queue.pop_due(now_ms)?;
            *looks -= 1;
            let Some(at) = self.deadline_at[state as usize] else {
                continue;
            };
            let present = self.cell(slot, state).present;
            let deadline = &mut self.deadlines.part_mut::<1>(slot, at)[0];
            if deadline.queued_at_ms != queued_at_ms {
                continue;
            }
            deadline.queued_at_ms = NEVER_MS;
            let expires_at_ms = deadline.expires_at_ms;
            if expires_at_ms > now_ms {
                self.set_expiry(slot, state, expires_at_ms);
            } else if present {
                return Some((slot, state));
            }
        }
        None
    }

    /// Bytes of memory held.
    pub(crate) fn bytes_used(&self) -> usize {
        self.cells.bytes_used() + self.deadlines.bytes_used() + self.queue.bytes_used()
    }
}
