//! Bugs that the simulation plants, to show that it would find them.

/// A bug in the code of the engine that is there only when a test plants it in its own thread: `docs/internals/simulation.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantedBug {
    /// The barrier of an epoch gets before the batch that was sent right before it.
    BarrierOvertakesRecords,
    /// A task saves when the first of its inputs has given the barrier.
    AcknowledgedBeforeAligned,
    /// A producer that waits for credit is not woken when a full queue takes more than one batch to get below half.
    LostWakeUp,
    /// A full queue still has credit.
    QueueTakesOneMore,
    /// What stays of a task that ends (the position of a source) is not kept for the epochs behind.
    PositionForgottenAtEnd,
    /// The part of one instance is lost when the job goes on with other instances.
    PartDroppedAtRescale,
    /// A key group at the border of two instances is restored to both.
    KeyGroupRestoredTwice,
    /// An epoch gets its name before its bytes are durable.
    CommittedBeforeSync,
    /// The end of a task that has acknowledged counts once more for the epoch under way.
    EndCountedAsBarrier,
    /// What comes around a loop until the barrier does is not logged.
    LoopLogForgotten,
    /// A loop comes to its end although some of its tasks have saved and others have not.
    LoopEndsUnderBarrier,
    /// A loop of which a task had ended waits for that task when the job goes on.
    EndedLoopWaits,
    /// A key that changes have removed is there again when they are read on top of what they change.
    RemovedKeyComesBack,
    /// What an epoch is on top of is removed when it is old enough itself.
    BaseRemovedUnderChanges,
    /// The bases of an epoch that was merged are removed before its new file has its name for good.
    MergedNameNotSynced,
    /// A gate is as far in event time as its fastest input.
    TimeOfFastestInput,
    /// A native aggregate gives its results although the job was stopped without drain.
    ResultsBehindStop,
}

impl PlantedBug {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::BarrierOvertakesRecords,
        Self::AcknowledgedBeforeAligned,
        Self::LostWakeUp,
        Self::QueueTakesOneMore,
        Self::PositionForgottenAtEnd,
        Self::PartDroppedAtRescale,
        Self::KeyGroupRestoredTwice,
        Self::CommittedBeforeSync,
        Self::EndCountedAsBarrier,
        Self::LoopLogForgotten,
        Self::LoopEndsUnderBarrier,
        Self::EndedLoopWaits,
        Self::RemovedKeyComesBack,
        Self::BaseRemovedUnderChanges,
        Self::MergedNameNotSynced,
        Self::TimeOfFastestInput,
        Self::ResultsBehindStop,
    ];

    /// Whether it is planted in this thread: never in a release build, which has nothing of this.
    #[cfg(not(debug_assertions))]
    #[inline]
    #[must_use]
    pub const fn is_planted(self) -> bool {
        false
    }

    /// Whether it is planted in this thread: never in a release build, which has nothing of this.
    #[cfg(debug_assertions)]
    #[inline]
    #[must_use]
    pub fn is_planted(self) -> bool {
        planting::PLANTED.get() == Some(self)
    }

    /// Plants it in this thread, in the place of any other one, until the result is dropped.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn plant(self) -> planting::Planted {
        planting::PLANTED.set(Some(self));
        planting::Planted(())
    }
}

#[cfg(debug_assertions)]
mod planting {
    use std::cell::Cell;

    use super::PlantedBug;

    thread_local! {
        pub(super) static PLANTED: Cell<Option<PlantedBug>> = const { Cell::new(None) };
    }

    /// A bug that is there until this is dropped.
    #[derive(Debug)]
    pub struct Planted(pub(super) ());

    impl Drop for Planted {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }
}
