//! What writes the record batches of a format of columns.

use arrow_array::RecordBatch;
use sage_types::Result;

use crate::output::OutputFile;

/// Writes record batches of one schema to a file. [`crate::sinks::RecordBatchSink`] makes a sink of it: a writer need not care
/// about records, the columns of the file and what comes after a failure.
pub(crate) trait RecordBatchWriter: Send {
    /// Writes rows, or keeps them until there are enough.
    ///
    /// # Errors
    /// `SAGE_IO_*`, with `file`.
    fn write(&mut self, batch: RecordBatch) -> Result<()>;

    /// Writes what is kept, so that all is in the output; what another process must know to go on behind it.
    ///
    /// # Errors
    /// Those of [`RecordBatchWriter::write`].
    fn cut(&mut self) -> Result<Vec<u8>>;

    /// Writes what is kept and the end of the file: all is in the output then. Called once.
    ///
    /// # Errors
    /// Those of [`RecordBatchWriter::write`].
    fn finish(&mut self) -> Result<()>;

    /// Where it writes. The writer stays around it: to take it out may be to write once more.
    fn output(&mut self) -> &mut OutputFile;
}
