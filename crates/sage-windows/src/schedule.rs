//! Which keys have something to do, and when.

use std::collections::BTreeMap;

/// Slots by when they are due. An entry is never removed before its time: whoever takes it checks whether it still holds.
#[derive(Debug)]
pub(crate) struct Schedule<T> {
    due: BTreeMap<T, Vec<u32>>,
    /// Most keys are due together: the list that was appended to last, which is not in `due`.
    last: Option<(T, Vec<u32>)>,
    entries: usize,
}

impl<T: Ord + Copy> Schedule<T> {
    /// Nothing to do.
    pub(crate) const fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            last: None,
            entries: 0,
        }
    }

    /// Enters a slot.
    #[inline]
    pub(crate) fn push(&mut self, at: T, slot: u32) {
        self.entries += 1;
        if let Some((time, slots)) = &mut self.last
            && *time == at
        {
            slots.push(slot);
            return;
        }
        self.change_last(at, slot);
    }

    fn change_last(&mut self, at: T, slot: u32) {
        self.put_last_back();
        let mut slots = self.due.remove(&at).unwrap_or_default();
        slots.push(slot);
        self.last = Some((at, slots));
    }

    fn put_last_back(&mut self) {
        if let Some((time, slots)) = self.last.take() {
            self.due.insert(time, slots);
        }
    }

    /// Takes the slots that are due first, if `is_due` says so of their time.
    pub(crate) fn pop(&mut self, is_due: impl FnOnce(T) -> bool) -> Option<(T, Vec<u32>)> {
        self.put_last_back();
        let entry = self.due.first_entry()?;
        let at = *entry.key();
        if !is_due(at) {
            return None;
        }
        let slots = entry.remove();
        self.entries -= slots.len();
        Some((at, slots))
    }

    /// The first time at which something is due.
    pub(crate) fn next(&self) -> Option<T> {
        let first = self.due.first_key_value().map(|(&at, _)| at);
        let last = self.last.as_ref().map(|&(at, _)| at);
        first.into_iter().chain(last).min()
    }

    /// Bytes of the entries.
    pub(crate) fn bytes_used(&self) -> usize {
        let lists = self.due.len() + usize::from(self.last.is_some());
        self.entries * size_of::<u32>() + lists * (size_of::<T>() + size_of::<Vec<u32>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_taken_by_time_and_in_the_order_in_which_they_were_entered() {
        let mut schedule = Schedule::new();
        for (at, slot) in [(5, 1), (3, 2), (5, 3), (3, 4), (9, 5)] {
            schedule.push(at, slot);
        }
        assert_eq!(schedule.next(), Some(3));
        assert_eq!(schedule.pop(|at| at < 3), None);
        assert_eq!(schedule.pop(|at| at < 6), Some((3, vec![2, 4])));
        schedule.push(5, 6);
        assert_eq!(schedule.pop(|at| at < 6), Some((5, vec![1, 3, 6])));
        assert_eq!(schedule.pop(|at| at < 6), None);
        assert_eq!(schedule.pop(|_| true), Some((9, vec![5])));
        assert_eq!(schedule.next(), None);
        assert_eq!(schedule.bytes_used(), 0);
    }
}
