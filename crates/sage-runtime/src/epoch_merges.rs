//! Merging the files of an epoch that consists of many, beside what is written.

use std::thread::JoinHandle;

use sage_checkpoint::CheckpointStore;

use crate::job_checkpoints::JobCheckpoints;

/// At most one merge at a time, in a thread of its own. Dropping it waits for the one under way.
#[derive(Debug, Default)]
pub(crate) struct EpochMerges {
    running: Option<JoinHandle<()>>,
}

impl EpochMerges {
    /// Begins a merge when one is wanted and none is running. One that fails, or whose thread cannot be started, is tried again behind
    /// the next epoch: an epoch of many files is of as much use as before, and one of too many is no base any more.
    pub(crate) fn look(&mut self, checkpoints: &JobCheckpoints) {
        if self
            .running
            .as_ref()
            .is_some_and(|running| !running.is_finished())
        {
            return;
        }
        self.join();
        let Some((store, epoch)) = wanted(checkpoints) else {
            return;
        };
        let thread = std::thread::Builder::new().name("sage-merge".to_owned());
        self.running = thread.spawn(move || drop(store.merge(epoch))).ok();
    }

    fn join(&mut self) {
        if let Some(running) = self.running.take() {
            // A panic leaves the files as they were.
            drop(running.join());
        }
    }
}

/// The epoch that is to be merged, if there is one, and a handle of its directory.
pub(crate) fn wanted(checkpoints: &JobCheckpoints) -> Option<(CheckpointStore, u64)> {
    let store = checkpoints.store.lock().clone()?;
    store.needs_merge().map(|epoch| (store, epoch))
}

impl Drop for EpochMerges {
    fn drop(&mut self) {
        self.join();
    }
}
