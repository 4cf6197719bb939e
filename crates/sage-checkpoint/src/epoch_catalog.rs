//! Which epochs a directory has, and which of them somebody needs.

use std::collections::{BTreeMap, BTreeSet};

use sage_types::PlantedBug;

/// What is known of an epoch that has a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    /// The epoch that it holds changes of, or 0.
    base: u64,
    /// Whether it can be started from, as far as is known: durable and not damaged.
    is_sound: bool,
    /// Whether its commit was seen since the directory was opened.
    is_ours: bool,
}

/// The epochs of a directory.
#[derive(Debug, Default)]
pub(crate) struct EpochCatalog {
    known: BTreeMap<u64, Known>,
    /// The epochs that are being written, with their bases.
    begun: BTreeMap<u64, u64>,
    /// Epochs whose files may not be durable under their names: a crash may bring back what they had before, if anything.
    unsynced: BTreeSet<u64>,
    /// The largest number that was begun, so that an epoch that failed is not mistaken for the one after it.
    newest_begun: u64,
}

impl EpochCatalog {
    /// An epoch whose file was found.
    pub(crate) fn found(&mut self, epoch: u64, base: u64) {
        self.insert(epoch, base, true, false);
    }

    /// An epoch whose file is damaged or may not be durable. It is never counted as one to start from.
    pub(crate) fn unsound(&mut self, epoch: u64) {
        let base = self.base_of(epoch).unwrap_or(0);
        self.insert(epoch, base, false, false);
    }

    /// The same of an epoch that may have been removed meanwhile.
    pub(crate) fn unsound_if_known(&mut self, epoch: u64) {
        if self.known.contains_key(&epoch) {
            self.unsound(epoch);
        }
    }

    /// An epoch that is durable.
    pub(crate) fn committed(&mut self, epoch: u64, base: u64) {
        self.insert(epoch, base, true, true);
    }

    fn insert(&mut self, epoch: u64, base: u64, is_sound: bool, is_ours: bool) {
        let known = Known {
            base,
            is_sound,
            is_ours,
        };
        self.known.insert(epoch, known);
    }

    /// An epoch that stands alone from now on; whether that was in doubt.
    pub(crate) fn merged(&mut self, epoch: u64) -> bool {
        if let Some(known) = self.known.get_mut(&epoch) {
            known.base = 0;
        }
        self.unsynced.remove(&epoch)
    }

    /// The file of an epoch may not be durable under its name.
    pub(crate) fn unsynced(&mut self, epoch: u64) {
        self.unsynced.insert(epoch);
    }

    /// The file of an epoch is gone; whether it was in doubt which one that is.
    pub(crate) fn removed(&mut self, epoch: u64) -> bool {
        self.known.remove(&epoch);
        self.unsynced.remove(&epoch)
    }

    /// Whether an epoch of this number can be begun: it is larger than all that have a file and not being written.
    pub(crate) fn begin(&mut self, epoch: u64, base: u64) -> bool {
        let is_new = epoch > self.newest_seen() && !self.begun.contains_key(&epoch);
        if is_new {
            self.begun.insert(epoch, base);
            self.newest_begun = self.newest_begun.max(epoch);
        }
        is_new
    }

    pub(crate) fn ended(&mut self, epoch: u64) {
        self.begun.remove(&epoch);
    }

    /// The largest number that has a file, whatever is in it; 0 when there is none.
    pub(crate) fn newest_seen(&self) -> u64 {
        self.known.keys().next_back().copied().unwrap_or(0)
    }

    /// The largest number that has a file or was begun.
    pub(crate) fn newest_used(&self) -> u64 {
        self.newest_begun.max(self.newest_seen())
    }

    /// All that have a file, the newest first.
    pub(crate) fn newest_first(&self) -> Vec<u64> {
        self.known.keys().rev().copied().collect()
    }

    /// The base of an epoch that has a file.
    pub(crate) fn base_of(&self, epoch: u64) -> Option<u64> {
        self.known.get(&epoch).map(|known| known.base)
    }

    /// The newest epoch, if it is sound and was committed here, so that what is in memory is known to have come after it.
    pub(crate) fn newest_of_ours(&self) -> Option<u64> {
        let (&epoch, known) = self.known.last_key_value()?;
        (known.is_ours && known.is_sound).then_some(epoch)
    }

    /// The newest sound epoch.
    pub(crate) fn newest_sound(&self) -> Option<u64> {
        self.sound().next()
    }

    fn sound(&self) -> impl Iterator<Item = u64> {
        let sound = self.known.iter().rev().filter(|(_, known)| known.is_sound);
        sound.map(|(&epoch, _)| epoch)
    }

    /// How many files an epoch consists of.
    pub(crate) fn chain_length(&self, epoch: u64) -> usize {
        self.chain(epoch).count()
    }

    /// An epoch and what it is on top of.
    fn chain(&self, epoch: u64) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(epoch), |&epoch| self.base_of(epoch).filter(|&base| base > 0))
    }

    /// The epochs that nobody needs when the newest `retained` sound ones are kept, in the order in which to remove them: a base after
    /// what is on top of it, so that what is left is of use whenever it ends.
    pub(crate) fn removable(&self, retained: usize) -> Vec<u64> {
        let kept: Vec<u64> = self.sound().take(retained).collect();
        let Some(&oldest) = kept.last() else {
            return Vec::new();
        };
        let tops = kept.into_iter().chain(self.begun.values().copied());
        let files = if PlantedBug::BaseRemovedUnderChanges.is_planted() {
            1
        } else {
            usize::MAX
        };
        let needed: BTreeSet<u64> = tops.flat_map(|epoch| self.chain(epoch).take(files)).collect();
        let older = self.known.range(..oldest).rev().map(|(&epoch, _)| epoch);
        older.filter(|epoch| !needed.contains(epoch)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs with their bases.
    fn catalog(epochs: &[(u64, u64)]) -> EpochCatalog {
        let mut catalog = EpochCatalog::default();
        for &(epoch, base) in epochs {
            catalog.found(epoch, base);
        }
        catalog
    }

    #[test]
    fn given_more_epochs_than_are_retained_then_the_oldest_can_be_removed() {
        let catalog = catalog(&[(1, 0), (2, 0), (5, 0), (9, 0)]);
        assert_eq!(catalog.removable(2), [2, 1]);
        assert_eq!(catalog.removable(9), [0; 0]);
    }

    #[test]
    fn given_epochs_on_top_of_others_then_their_bases_stay_and_go_last() {
        let mut catalog = catalog(&[(1, 0), (2, 1), (3, 2), (4, 0), (5, 4), (6, 5)]);
        assert_eq!(catalog.removable(1), [3, 2, 1]);
        assert_eq!(catalog.removable(4), [0; 0]);
        assert_eq!(catalog.chain_length(6), 3);
        catalog.merged(6);
        assert_eq!(catalog.removable(1), [5, 4, 3, 2, 1]);
        assert_eq!(catalog.chain_length(6), 1);
    }

    #[test]
    fn given_an_epoch_that_is_being_written_then_its_base_stays() {
        let mut catalog = catalog(&[(1, 0), (2, 0)]);
        assert!(catalog.begin(3, 1));
        assert_eq!(catalog.removable(1), [0; 0]);
        catalog.ended(3);
        assert_eq!(catalog.removable(1), [1]);
    }

    #[test]
    fn given_damaged_epochs_then_they_do_not_count_as_retained() {
        let mut catalog = catalog(&[(1, 0), (2, 0), (3, 0), (4, 0)]);
        catalog.unsound(3);
        catalog.unsound(4);
        assert_eq!(catalog.removable(2), [0; 0]);
        catalog.committed(5, 0);
        // They stay for whoever wants to know why, until they are older than what is kept.
        assert_eq!(catalog.removable(2), [1]);
        assert_eq!(catalog.removable(1), [4, 3, 2, 1]);
        assert_eq!(catalog.newest_seen(), 5);
    }

    #[test]
    fn given_a_number_that_was_used_then_no_epoch_begins_with_it() {
        let mut catalog = catalog(&[(1, 0), (4, 0)]);
        catalog.unsound(4);
        assert!(!catalog.begin(4, 0) && !catalog.begin(3, 0));
        assert!(catalog.begin(5, 0) && !catalog.begin(5, 0));
        assert_eq!(catalog.newest_used(), 5);
        catalog.ended(5);
        assert_eq!(catalog.newest_used(), 5);
        assert!(catalog.begin(5, 0));
    }

    #[test]
    fn given_an_epoch_of_an_earlier_process_then_nothing_can_be_put_on_top_of_it() {
        let mut catalog = catalog(&[(1, 0)]);
        assert_eq!(catalog.newest_of_ours(), None);
        catalog.committed(2, 0);
        assert_eq!(catalog.newest_of_ours(), Some(2));
        catalog.unsound(3);
        assert_eq!(catalog.newest_of_ours(), None);
    }
}
