//! What reads records into frames.

use std::ops::AddAssign;
use std::time::Duration;

use sage_frame::Frame;
use sage_types::Result;

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

    /// Where reading would go on behind the frames delivered so far, as JSON: `{"file":path,"byte":n}` for text,
    /// `{"file":path,"rowGroup":n,"row":n}` for Parquet.
    fn position(&self) -> String;

    /// What was read so far; zeros for a source that does not count.
    fn statistics(&self) -> SourceStatistics {
        SourceStatistics::default()
    }
}

/// Counters of a source, over the frames delivered so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
