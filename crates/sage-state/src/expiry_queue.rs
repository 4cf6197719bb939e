//! Which states expire next.

use std::collections::BTreeMap;

/// Slots and states by the time at which they may expire. What is in the queue may be out of date: whoever takes it out
/// looks whether it still holds.
#[derive(Debug, Default)]
pub(crate) struct ExpiryQueue {
    by_time: BTreeMap<u64, Vec<(u32, u8)>>,
    len: usize,
}

impl ExpiryQueue {
    pub(crate) fn push(&mut self, at_ms: u64, slot: u32, state: u8) {
        self.by_time.entry(at_ms).or_default().push((slot, state));
        self.len += 1;
    }

    /// Takes one that is due, with the time that it was put in for.
    pub(crate) fn pop_due(&mut self, now_ms: u64) -> Option<(u64, u32, u8)> {
        loop {
            let mut first = self.by_time.first_entry()?;
            let at_ms = *first.key();
            if at_ms > now_ms {
                return None;
            }
            if let Some((slot, state)) = first.get_mut().pop() {
                self.len -= 1;
                return Some((at_ms, slot, state));
            }
            first.remove();
        }
    }

    /// Bytes of memory held, roughly.
    pub(crate) fn bytes_used(&self) -> usize {
        self.by_time.len() * 64 + self.len * size_of::<(u32, u8)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_out_in_the_order_of_time() {
        let mut queue = ExpiryQueue::default();
        queue.push(30, 3, 0);
        queue.push(10, 1, 0);
        queue.push(20, 2, 1);
        queue.push(10, 4, 0);
        assert_eq!(queue.pop_due(9), None);
        let first = [queue.pop_due(25).unwrap(), queue.pop_due(25).unwrap()];
        assert!(first.contains(&(10, 1, 0)) && first.contains(&(10, 4, 0)));
        assert_eq!(queue.pop_due(25), Some((20, 2, 1)));
        assert_eq!(queue.pop_due(25), None);
        assert_eq!(queue.pop_due(30), Some((30, 3, 0)));
        assert_eq!(queue.bytes_used(), 64);
        assert_eq!(queue.pop_due(u64::MAX), None);
        assert_eq!(queue.bytes_used(), 0);
    }
}
