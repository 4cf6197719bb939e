//! What writes the records of a format of lines.

use sage_frame::BatchView;
use sage_types::Result;
use serde_json::Value;

use crate::output::LineOutput;

/// Writes records as text, each on a line of its own. [`crate::sinks::LineSink`] makes a sink of it: a writer need not care about
/// files, cancellation and what comes after a failure.
pub(crate) trait LineWriter: Send {
    /// Appends the records of a batch.
    ///
    /// # Errors
    /// `SAGE_FORMAT_*` when the format cannot hold a record, with the record's number; those of the output.
    fn write_rows(&mut self, batch: &BatchView<'_>, output: &mut LineOutput) -> Result<()>;

    /// Appends what comes behind the last record. Called once.
    ///
    /// # Errors
    /// Those of [`LineWriter::write_rows`].
    fn finish(&mut self, output: &mut LineOutput) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// What another process must know to go on.
    fn state(&self) -> Value {
        Value::Null
    }

    /// Goes on where another process was.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK`
    fn restore(&mut self, state: Value) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// Strings in which unpaired surrogates were replaced.
    fn replaced_strings(&self) -> u64 {
        0
    }
}
