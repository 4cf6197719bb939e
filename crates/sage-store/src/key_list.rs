//! Many keys in one piece of memory.

/// Keys one behind the other: what a batch asks a store for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyList {
    data: Vec<u8>,
    ends: Vec<usize>,
}

impl KeyList {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a key in pieces.
    pub fn push(&mut self, pieces: &[&[u8]]) {
        for piece in pieces {
            self.data.extend_from_slice(piece);
        }
        self.ends.push(self.data.len());
    }

    /// Number of keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A key; empty when there is none with this number.
    #[must_use]
    pub fn get(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.data[start..end]
    }

    /// All keys, in the order in which they were appended.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The numbers of the keys, smallest key first: neighbours lie in the same block of a store.
    #[must_use]
    pub fn sorted(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_unstable_by(|&a, &b| self.get(a).cmp(self.get(b)));
        order
    }

    /// Forgets the keys and keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were_put_in() {
        let mut keys = KeyList::new();
        keys.push(&[b"b", b"1"]);
        keys.push(&[]);
        keys.push(&[b"a"]);

        assert_eq!(keys.iter().collect::<Vec<_>>(), [&b"b1"[..], b"", b"a"]);
        assert_eq!(keys.sorted(), [1, 2, 0]);
        assert_eq!(keys.get(3), b"");
        keys.clear();
        assert!(keys.is_empty());
    }
}
