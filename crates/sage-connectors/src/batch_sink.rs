//! What writes batches to the outside.

use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};
use serde::Serialize;

use crate::{Cancellation, SavedPosition};

/// A native sink, or one part of it. Used by one thread at a time.
///
/// What is written becomes visible at `commit`, all at once; `abort`, and dropping the sink, leave nothing behind. (What is
/// written to a device or pipe is visible at once and cannot be taken back.) Only a sink that was prepared, not for the last
/// time, or restored keeps what it wrote when it is dropped: a checkpoint may refer to it.
pub trait BatchSink: Send {
    /// Writes the rows of a batch; its key column, if any, is not part of the record.
    ///
    /// # Errors
    /// `SAGE_IO_*` when writing fails, `SAGE_FORMAT_*` when the format cannot hold a record. The sink can then only be
    /// aborted.
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()>;

    /// Writes what is still in memory, and makes all that was given so far durable; the bytes say how another process goes on
    /// from exactly here: see [`BatchSink::restore`].
    ///
    /// `last`: the result is complete but for becoming visible; whatever may well fail before has been done, and nothing is
    /// written afterwards. When all sinks of a job have done this, all are committed. Another process can write more behind it
    /// nevertheless when this was called right before, not for the last time: a job that was stopped may go on.
    ///
    /// # Errors
    /// Those of [`BatchSink::write`]. The sink can then only be aborted or detached.
    fn prepare(&mut self, last: bool) -> Result<Vec<u8>>;

    /// Goes on behind what was prepared by an earlier process; called once, before the first batch, on a sink that
    /// [`crate::resume_sink`] opened. `saved` has what all instances of that process gave, in any order.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when what they refer to is not there any more.
    fn restore(&mut self, saved: &[SavedPosition]) -> Result<Restored> {
        let _ = saved;
        Err(SageError::new(
            ErrorCode::CheckpointSink,
            "this sink cannot go on behind what an earlier run wrote",
        ))
    }

    /// What a checkpoint can promise for this sink.
    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
    }

    /// Makes everything visible; prepares it, if nobody has.
    ///
    /// # Errors
    /// Those of [`BatchSink::prepare`]; nothing is visible then.
    fn commit(self: Box<Self>) -> Result<SinkReport>;

    /// Removes what was written.
    fn abort(self: Box<Self>);

    /// Leaves what was written for a process that goes on behind it.
    fn detach(self: Box<Self>);

    /// Asks this whenever writing waits for somebody: a write that is given up is the error `SAGE_JOB_CANCELED`. Files never
    /// wait.
    fn cancel_when(&mut self, cancellation: Cancellation) {
        drop(cancellation);
    }

    /// Whether there is a use in going on: false when the reader of a pipe has gone. What is written nevertheless is counted
    /// as unread.
    fn wants_more(&self) -> bool {
        true
    }
}

/// What a restored sink has left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// It takes batches.
    Open,
    /// It was prepared as the last time: it is only to be committed, which may have been done already, whole or in part. A batch
    /// opens it again.
    Sealed,
}

/// How often a record of a job with checkpoints may appear in what a sink wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Once.
    ExactlyOnce,
    /// What was written after the checkpoint that a job goes on from is written again: it cannot be taken back.
    AtLeastOnce,
}

/// What a sink wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkReport {
    /// The file, with the part's number filled in, or the directory of several files.
    pub path: String,
    /// Files that appeared.
    pub files: u64,
    /// Records written.
    pub records: u64,
    /// Bytes written, after compression; behind those that were there in a file that was appended to.
    pub bytes: u64,
    /// Records that came when the reader of the pipe had gone.
    pub unread_records: u64,
    /// Strings in which unpaired surrogates were replaced; only with `invalidStrings: 'replace'`.
    pub replaced_strings: u64,
}
