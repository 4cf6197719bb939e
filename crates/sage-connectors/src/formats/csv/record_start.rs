//! The first record that begins at or behind a position.

use crate::formats::csv::dialect::{CsvDialect, RecordEnd};
use crate::input::{ByteWindow, Interrupt};

/// Uses up the records that begin before `target`, without making anything of them. The window is at the start of a record.
///
/// Whether a line end is one of a record depends on every quote before it, so that everything before is looked at, by the
/// same rules as in reading: each record belongs to exactly one range, whatever its quotes hold. What has no quotes is
/// only searched for line ends, which is many times as fast as reading it.
///
/// # Errors
/// Those of [`ByteWindow::read_more`].
pub(crate) fn skip_to_record(
    window: &mut ByteWindow,
    dialect: &CsvDialect,
    target: u64,
) -> Result<(), Interrupt> {
    loop {
        let base = window.position_of(0);
        if base >= target {
            return Ok(());
        }
        let text = window.bytes();
        let goal = usize::try_from(target - base).unwrap_or(usize::MAX);
        let before = &text[..goal.min(text.len())];
        let quotes = dialect
            .quote
            .is_some_and(|quote| memchr::memchr(quote, before).is_some());
        let mut at = if quotes {
            0
        } else {
            memchr::memrchr(b'\n', before).map_or(0, |found| found + 1)
        };
        while at < goal
            && let RecordEnd::At(next) = dialect.record_end(text, at)
        {
            at = next;
        }
        window.consume(at);
        if at < goal && !window.read_more(0)? && !window.close_last_line() {
            // A quote that is not closed: the record began before, and its instance says so.
            window.consume(window.bytes().len());
            return Ok(());
        }
    }
}
