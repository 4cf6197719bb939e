//! What reads records into frames.

use std::ops::AddAssign;
use std::time::Duration;

use sage_frame::Frame;
use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

/// What a source gives.
#[derive(Debug)]
pub enum NextBatch {
    /// Records, at least one.
    Frame(Frame),
    /// Nothing yet: another process takes its time. See [`BatchSource::wait`].
    Waiting,
    /// There are no more.
    Ended,
}

/// A native source, or one split of it. Used by one thread at a time.
pub trait BatchSource: Send {
    /// The next records. Waits for files, but not for other processes. After an error every further call gives the same
    /// error: nothing behind it is delivered.
    ///
    /// # Errors
    /// `SAGE_IO_*` and `SAGE_FORMAT_*`, with `file` and the place in it.
    fn next(&mut self) -> Result<NextBatch>;

    /// Waits until [`BatchSource::next`] may have something other than [`NextBatch::Waiting`], up to `timeout`. Sources
    /// that never wait need none.
    fn wait(&mut self, timeout: Duration) {
        std::thread::park_timeout(timeout);
    }

    /// Where reading would go on behind the frames delivered so far, to be shown, as JSON: `{"file":path,"byte":n}` for text,
    /// `{"file":path,"rowGroup":n,"row":n}` for Parquet.
    fn place(&self) -> String;

    /// Refuses a source that could not go on in another process.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE` with what it cannot read twice.
    fn resumable(&self) -> Result<()> {
        Err(not_resumable())
    }

    /// Where the next call of [`BatchSource::next`] goes on, with all that is left to read, for another process.
    ///
    /// # Errors
    /// That of a source that has failed; `SAGE_CHECKPOINT_SOURCE` when it cannot be read twice.
    fn position(&mut self) -> Result<Vec<u8>> {
        Err(not_resumable())
    }

    /// Goes on where the instances of an earlier process were, each record once; called once, before the first
    /// [`BatchSource::next`], on a source that [`crate::resume_source`] opened. `saved` has the positions of all of them, in any
    /// order; they may have been more or fewer than there are now.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE` when a file is not there any more, or is another one.
    fn restore(&mut self, saved: &[SavedPosition]) -> Result<()> {
        let _ = saved;
        Err(not_resumable())
    }

    /// What was read so far; zeros for a source that does not count.
    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

fn not_resumable() -> SageError {
    SageError::new(
        ErrorCode::CheckpointSource,
        "this source cannot be read again from where an earlier run was",
    )
}

/// What one instance of an earlier process saved: a position of a source, or what a sink had prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPosition {
    /// Number of that instance.
    pub instance: u32,
    /// How many instances there were.
    pub parallelism: u32,
    /// What it gave; only the source or sink itself understands it.
    pub bytes: Vec<u8>,
}

/// Counters of a source, over the frames delivered so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatistics {
    /// Records delivered.
    pub records: u64,
    /// Records left out because they could not be read; only with `onError: 'skip'`.
    pub skipped_records: u64,
    /// Lines without a record (JSON lines and CSV).
    pub empty_lines: u64,
    /// Lines in which malformed UTF-8 was replaced by U+FFFD; only with `invalidUtf8: 'replace'`.
    pub replaced_lines: u64,
}

impl AddAssign for SourceStatistics {
    fn add_assign(&mut self, more: Self) {
        self.records += more.records;
        self.skipped_records += more.skipped_records;
        self.empty_lines += more.empty_lines;
        self.replaced_lines += more.replaced_lines;
    }
}
