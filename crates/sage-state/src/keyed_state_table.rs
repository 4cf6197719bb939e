//! The keys of an operator whose functions keep state, and where the state of each is.

use sage_frame::BatchView;
use sage_store::{MAX_STATES, NEVER_MS, StoredValue};
use sage_types::{ErrorCode, Result, SageError};

use crate::disk_state::{DiskOptions, DiskState};
use crate::keyed_state_counts::KeyedStateCounts;
use crate::resident_slots::{ResidentSlots, Touched};
use crate::state_cells::{Cell, StateCells};
use crate::state_exchange::StateExchange;
use crate::{KeyTable, StateSpec};

/// What a key takes besides its values: its place in tables here, and in arrays of JavaScript for each state.
const SLOT_BYTES: u32 = 64;
const STATE_BYTES: u32 = 24;
/// Longer ones are kept beside the table of keys.
const SHORT_KEY_BYTES: usize = 16;
/// Work that a batch does for others, such as dropping what has expired: a bit for each row, and some at least.
const LOOKS_PER_ROW: usize = 8;
const MIN_LOOKS: usize = 4096;

/// The keys of one instance of an operator, and for each the states that its functions keep.
///
/// The values are JavaScript's, in arrays by slot; this table knows which states have a value, when they expire, and which
/// slots are in memory. Each batch is framed by [`KeyedStateTable::begin`] and [`KeyedStateTable::finish`]. A key has a slot
/// while one of its states has a value in memory, a batch is at work with it, or it is held.
#[derive(Debug)]
pub struct KeyedStateTable {
    pub(crate) keys: KeyTable,
    pub(crate) cells: StateCells,
    pub(crate) resident: ResidentSlots,
    pub(crate) disk: Option<DiskState>,
    exchange: StateExchange,
    counts: KeyedStateCounts,
    /// Between `begin` and `finish`.
    open: bool,
    /// Whether nothing has changed since the store was found to have all values.
    pub(crate) is_stored: bool,
    /// Greatest time that was told: it never goes back.
    pub(crate) now_ms: u64,
    /// The slots of the batch at work, each once.
    batch_slots: Vec<u32>,
    new_slots: Vec<u32>,
}

impl KeyedStateTable {
    /// A table whose states are all in memory.
    #[must_use]
    pub fn in_memory(specs: &[StateSpec]) -> Self {
        Self {
            keys: KeyTable::new(),
            cells: StateCells::new(specs),
            resident: ResidentSlots::new(),
            disk: None,
            exchange: StateExchange::default(),
            counts: KeyedStateCounts::default(),
            open: false,
            is_stored: false,
            now_ms: 0,
            batch_slots: Vec::new(),
            new_slots: Vec::new(),
        }
    }

    /// A table that gives up keys when they take more memory than they may, and has them in the store of the job then.
    ///
    /// # Errors
    /// Those of the store.
    pub fn on_disk(specs: &[StateSpec], options: &DiskOptions) -> Result<Self> {
        let mut table = Self::in_memory(specs);
        table.disk = Some(DiskState::new(specs, options)?);
        Ok(table)
    }

    /// One more state, which no key in memory has a value of; its number is the next one. Also while a batch is at work.
    ///
    /// # Errors
    /// Those of the store; `SAGE_PLAN_ARGUMENT` when there are as many as there may be.
    pub fn declare(&mut self, spec: &StateSpec) -> Result<()> {
        if usize::from(self.cells.states()) == MAX_STATES {
            return Err(SageError::new(
                ErrorCode::PlanArgument,
                format!(
                    "an operator has {MAX_STATES} states at most: keep names that change in one map state instead"
                ),
            ));
        }
        if let Some(disk) = &mut self.disk {
            disk.declare(spec)?;
        }
        self.cells.declare(spec);
        Ok(())
    }

    /// Gives a state another time to live, or none: what was restored of it came before it was known. Also while a batch is at work.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when there is no such state.
    pub fn set_ttl(&mut self, state: i32, ttl_ms: Option<u64>) -> Result<()> {
        let state = self.state(state)?;
        self.is_stored = false;
        self.cells.set_ttl(state, ttl_ms, self.now_ms);
        if let Some(disk) = &mut self.disk {
            disk.may_expire(ttl_ms.is_some());
        }
        Ok(())
    }

    /// Begins a batch: writes the slot of each row's key to `slots`. What the owner of the values has to do before the rows
    /// are worked on is in [`KeyedStateTable::exchange`] then.
    ///
    /// # Errors
    /// Those of [`KeyTable::slots_for`] and of the store; `SAGE_INTERNAL` when the batch before was not finished.
    pub fn begin(&mut self, now_ms: u64, view: &BatchView<'_>, slots: &mut [i32]) -> Result<()> {
        self.begin_with(now_ms, view.rows(), slots, |keys, slots| {
            keys.slots_into(view, slots).map(|_| ())
        })
    }

    /// Begins a batch of so many rows, whose slots `find` writes.
    pub(crate) fn begin_with(
        &mut self,
        now_ms: u64,
        rows: usize,
        slots: &mut [i32],
        find: impl FnOnce(&mut KeyTable, &mut [i32]) -> Result<()>,
    ) -> Result<()> {
        self.check_open(false)?;
        let mut looks = MIN_LOOKS.max(rows * LOOKS_PER_ROW);
        self.start(now_ms, &mut looks)?;
        find(&mut self.keys, slots)?;
        self.grow();
        let mut longest_key = 0;
        for &slot in &slots[..rows] {
            longest_key = longest_key.max(self.touch(slot.cast_unsigned()));
        }
        if let Err(error) = self.load(longest_key) {
            // As if the new keys had never been seen: their states are unknown.
            for slot in std::mem::take(&mut self.new_slots) {
                self.keys.remove(slot);
                self.cells.reset(slot);
                self.resident.leave(slot);
            }
            return Err(error);
        }
        self.give_up(&mut looks);
        self.exchange.slot_count = self.keys.slot_count();
        self.open = true;
        Ok(())
    }

    /// Drops what has expired, also when there are no batches; [`KeyedStateTable::exchange`] says what. Not all of it at
    /// once: whether there may be more.
    ///
    /// # Errors
    /// Those of the store; `SAGE_INTERNAL` while a batch is at work.
    pub fn expire(&mut self, now_ms: u64) -> Result<bool> {
        self.check_open(false)?;
        let mut looks = MIN_LOOKS;
        self.start(now_ms, &mut looks)?;
        if let Some(disk) = &self.disk {
            disk.advance_to(self.now_ms)?;
        }
        Ok(looks == 0)
    }

    fn start(&mut self, now_ms: u64, looks: &mut usize) -> Result<()> {
        self.is_stored = false;
        self.now_ms = self.now_ms.max(now_ms);
        self.exchange.clear(self.keys.slot_count());
        self.batch_slots.clear();
        self.new_slots.clear();
        self.resident.next_batch();
        while let Some((slot, state)) = self.cells.pop_expired(self.now_ms, looks) {
            self.expire_cell(slot, state);
            self.forget_if_empty(slot);
        }
        self.submit()
    }

    pub(crate) fn grow(&mut self) {
        let slots = self.keys.slot_count();
        self.cells.grow_to(slots);
        self.resident.grow_to(slots);
    }

    /// Notes that a row of the batch has this slot. Bytes of its key, when it is new.
    pub(crate) fn touch(&mut self, slot: u32) -> usize {
        let mut key_bytes = 0;
        let overhead = SLOT_BYTES + STATE_BYTES * u32::from(self.cells.states());
        match self.resident.touch(slot, overhead) {
            Touched::Again => return 0,
            Touched::First => {
                // Not every expired state has come up yet, but none is shown.
                for state in 0..self.cells.states() {
                    if self.cells.cell(slot, state).present && self.cells.expiry(slot, state) <= self.now_ms {
                        self.expire_cell(slot, state);
                    }
                }
            }
            Touched::Absent => {
                key_bytes = self
                    .keys
                    .with_key(slot, |key| key.content.len() + 1)
                    .unwrap_or_default();
                if key_bytes > SHORT_KEY_BYTES {
                    self.resident
                        .resize(slot, 0, u32::try_from(key_bytes).unwrap_or(u32::MAX));
                }
                self.new_slots.push(slot);
            }
        }
        self.batch_slots.push(slot);
        key_bytes
    }

    fn expire_cell(&mut self, slot: u32, state: u8) {
        let cell = self.cells.cell_mut(slot, state);
        let old = *cell;
        // What the store has of it has expired too, unless it is from a time when the state did not expire.
        *cell = Cell {
            stored: old.stored && old.dirty,
            ..Cell::default()
        };
        self.resident.resize(slot, old.bytes, 0);
        self.cells.set_expiry(slot, state, NEVER_MS);
        self.exchange.expired.push((slot, state));
        self.counts.expired += 1;
    }

    /// Gives the slot of a key back that has no state any more.
    fn forget_if_empty(&mut self, slot: u32) {
        if !self.cells.is_empty(slot) || self.resident.is_held(slot) || self.resident.is_in_batch(slot) {
            return;
        }
        self.write_removals(slot);
        self.keys.remove(slot);
        self.cells.reset(slot);
        self.resident.leave(slot);
    }

    pub(crate) fn write_removals(&mut self, slot: u32) {
        let Some(disk) = &mut self.disk else {
            return;
        };
        for state in 0..self.cells.states() {
            let cell = self.cells.cell_mut(slot, state);
            if !cell.present && cell.stored {
                cell.stored = false;
                disk.write(&self.keys, slot, state, None);
            }
        }
    }

    fn load(&mut self, longest_key: usize) -> Result<()> {
        let Some(disk) = &mut self.disk else {
            return Ok(());
        };
        disk.check_key_bytes(longest_key)?;
        let now_ms = self.now_ms;
        let (cells, resident, exchange) = (&mut self.cells, &mut self.resident, &mut self.exchange);
        disk.load(&self.keys, &self.new_slots, |slot, state, value| {
            if value.is_expired(now_ms) {
                return;
            }
            let bytes = u32::try_from(value.bytes.len()).unwrap_or(u32::MAX);
            let (expires_at_ms, changed) = cells.expiry_of_loaded(state, value.expires_at_ms, now_ms);
            *cells.cell_mut(slot, state) = Cell {
                bytes,
                present: true,
                dirty: changed,
                stored: true,
            };
            cells.set_expiry(slot, state, expires_at_ms);
            resident.resize(slot, 0, bytes);
            exchange.load(slot, state, value.bytes);
        })?;
        self.counts.loaded += self.exchange.loaded.len() as u64;
        Ok(())
    }

    fn give_up(&mut self, looks: &mut usize) {
        let Some(disk) = &self.disk else {
            return;
        };
        while self.resident.bytes() > disk.budget_bytes {
            let Some(slot) = self.resident.next_victim(looks) else {
                return;
            };
            self.resident.leave(slot);
            self.exchange.given_up.push(slot);
            for state in 0..self.cells.states() {
                let cell = self.cells.cell(slot, state);
                if cell.present && cell.dirty {
                    self.exchange.to_encode.push((slot, state));
                }
            }
            self.counts.given_up += 1;
        }
    }

    /// What the owner of the values has to do.
    #[must_use]
    pub const fn exchange(&self) -> &StateExchange {
        &self.exchange
    }

    /// Ends a batch. `changes` are three numbers for each state that was written: slot, state, and about how many bytes of
    /// memory the value takes, or -1 when it was removed. The values that the exchange wanted are in `data`, one behind the
    /// other; `ends` says where each ends.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when no batch is at work, or arguments do not fit it; those of the store.
    pub fn finish(&mut self, now_ms: u64, changes: &[i32], ends: &[i32], data: &[u8]) -> Result<()> {
        self.check_open(true)?;
        self.now_ms = self.now_ms.max(now_ms);
        for change in changes.chunks(3) {
            self.change(change)?;
        }
        let pairs = std::mem::take(&mut self.exchange.to_encode);
        self.write_values(&pairs, ends, data)?;
        for slot in std::mem::take(&mut self.exchange.given_up) {
            self.write_removals(slot);
            self.keys.remove(slot);
            self.cells.reset(slot);
        }
        self.resident.next_batch();
        for slot in std::mem::take(&mut self.batch_slots) {
            self.forget_if_empty(slot);
        }
        self.open = false;
        self.submit()
    }

    fn change(&mut self, change: &[i32]) -> Result<()> {
        let &[slot, state, bytes] = change else {
            return Err(misused("a change of state is not three numbers"));
        };
        let slot = slot.cast_unsigned();
        let state = self.state(state)?;
        let is_held = self.resident.is_held(slot) && self.resident.is_resident(slot);
        if !is_held && !self.resident.is_in_batch(slot) {
            return Err(misused("a state was changed of a key that is not in the batch").with("slot", slot));
        }
        // Below 0: removed.
        let new_bytes = u32::try_from(bytes).ok();
        let cell = self.cells.cell_mut(slot, state);
        let old = *cell;
        *cell = Cell {
            bytes: new_bytes.unwrap_or_default(),
            present: new_bytes.is_some(),
            dirty: true,
            stored: old.stored,
        };
        self.resident
            .resize(slot, old.bytes, new_bytes.unwrap_or_default());
        let expires_at_ms = match new_bytes {
            Some(_) => self.cells.expiry_of_write(state, self.now_ms),
            None => NEVER_MS,
        };
        self.cells.set_expiry(slot, state, expires_at_ms);
        Ok(())
    }

    pub(crate) fn write_values(&mut self, pairs: &[(u32, u8)], ends: &[i32], data: &[u8]) -> Result<()> {
        if ends.len() != pairs.len() {
            return Err(misused("there are more or fewer values than were asked for"));
        }
        let Some(disk) = &mut self.disk else {
            if pairs.is_empty() {
                return Ok(());
            }
            return Err(misused("states in memory have no store"));
        };
        let mut start = 0;
        for (&(slot, state), &end) in pairs.iter().zip(ends) {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let bytes = data
                .get(start..end)
                .ok_or_else(|| misused("a value ends where there are no bytes"))?;
            start = end;
            let expires_at_ms = self.cells.expiry(slot, state);
            disk.write(
                &self.keys,
                slot,
                state,
                Some(StoredValue { bytes, expires_at_ms }),
            );
            let cell = self.cells.cell_mut(slot, state);
            (cell.dirty, cell.stored) = (false, true);
            self.counts.written += 1;
        }
        Ok(())
    }

    pub(crate) fn submit(&mut self) -> Result<()> {
        match &mut self.disk {
            Some(disk) => disk.submit(self.now_ms),
            None => Ok(()),
        }
    }

    /// One more (or one less) wants these slots to stay in memory, such as a timer of their keys.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when a slot is not in memory, or is not held.
    pub fn hold(&mut self, slots: &[i32], more: bool) -> Result<()> {
        self.is_stored = false;
        for slot in slots.iter().map(|slot| slot.cast_unsigned()) {
            let held = self
                .resident
                .is_resident(slot)
                .then(|| self.resident.hold(slot, more));
            if held.flatten().is_none() {
                return Err(misused("a slot is not in memory, or not held").with("slot", slot));
            }
            self.forget_if_empty(slot);
        }
        self.submit()
    }

    /// The keys that are in memory.
    #[must_use]
    pub const fn keys(&self) -> &KeyTable {
        &self.keys
    }

    /// About how many bytes of disk the state of the whole job takes; 0 in memory.
    ///
    /// # Errors
    /// Those of the store.
    pub fn bytes_on_disk(&self) -> Result<u64> {
        self.disk.as_ref().map_or(Ok(0), DiskState::bytes_on_disk)
    }

    /// What was done so far, and what is in memory.
    #[must_use]
    pub fn counts(&self) -> KeyedStateCounts {
        KeyedStateCounts {
            resident_keys: self.resident.len() as u64,
            resident_bytes: self.resident.bytes(),
            table_bytes: (self.keys.bytes_used() + self.cells.bytes_used() + self.resident.bytes_used())
                as u64,
            ..self.counts
        }
    }

    pub(crate) fn state(&self, state: i32) -> Result<u8> {
        u8::try_from(state)
            .ok()
            .filter(|&state| state < self.cells.states())
            .ok_or_else(|| misused("there is no such state").with("state", f64::from(state)))
    }

    pub(crate) fn check_open(&self, open: bool) -> Result<()> {
        if self.open == open {
            return Ok(());
        }
        Err(misused(if open {
            "no batch of keyed state is at work"
        } else {
            "a batch of keyed state is at work"
        }))
    }
}

pub(crate) fn misused(message: &str) -> SageError {
    SageError::new(ErrorCode::Internal, message)
}
