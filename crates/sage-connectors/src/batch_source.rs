//! What reads records into frames.

use sage_frame::Frame;
use sage_types::Result;

/// A bounded native source, or one split of it. Used by one thread at a time.
pub trait BatchSource: Send {
    /// The next records; `None` at the end. Blocks as long as the file does. After an error every further call gives the
    /// same error: nothing behind it is delivered.
    ///
    /// # Errors
    /// `SAGE_IO_*` and `SAGE_FORMAT_*`, with `file` and the place in it.
    fn next(&mut self) -> Result<Option<Frame>>;

    /// Where reading would go on behind the frames delivered so far, as JSON: `{"byte":n}` for text,
    /// `{"rowGroup":n,"row":n}` for Parquet.
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
