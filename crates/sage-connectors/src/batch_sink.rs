//! What writes batches to the outside.

use sage_frame::BatchView;
use sage_types::Result;
use serde::Serialize;

use crate::Cancellation;

/// A native sink, or one part of it. Used by one thread at a time.
///
/// What is written becomes visible at `commit`, all at once; `abort`, and dropping the sink, leave nothing behind. (What is
/// written to a device or pipe is visible at once and cannot be taken back.)
pub trait BatchSink: Send {
    /// Writes the rows of a batch; its key column, if any, is not part of the record.
    ///
    /// # Errors
    /// `SAGE_IO_*` when writing fails, `SAGE_FORMAT_*` when the format cannot hold a record. The sink can then only be
    /// aborted.
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()>;

    /// Does everything that may well fail before the result becomes visible: writes what is still in memory, and makes it
    /// durable. Nothing is written afterwards. When all sinks of a job have done this, all are committed.
    ///
    /// # Errors
    /// Those of [`BatchSink::write`]. The sink can then only be aborted.
    fn prepare(&mut self) -> Result<()>;

    /// Makes everything visible; prepares it, if nobody has.
    ///
    /// # Errors
    /// Those of [`BatchSink::prepare`]; nothing is visible then.
    fn commit(self: Box<Self>) -> Result<SinkReport>;

    /// Removes what was written.
    fn abort(self: Box<Self>);

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
