//! Writers of record batches as sinks.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};
use serde_json::{Map, Value};

use crate::formats::arrow::RecordBatches;
use crate::output::OutputFile;
use crate::sinks::RecordBatchWriter;
use crate::spec::InvalidStrings;
use crate::{BatchSink, SinkReport};

/// Writes records as rows. The first records, widened by the option `schema`, decide the columns.
pub(crate) struct RecordBatchSink<W> {
    path: PathBuf,
    batches: RecordBatches,
    state: State<W>,
    records: u64,
}

/// Makes the writer of the file when its columns are decided.
type Open<W> = Box<dyn FnOnce(SchemaRef) -> Result<W> + Send>;

enum State<W> {
    /// The columns are not decided yet.
    Waiting(Open<W>),
    Writing(W),
    /// All is in the file.
    Complete(W),
    Failed,
}

impl<W: RecordBatchWriter> RecordBatchSink<W> {
    /// A sink that writes to `file` with the writer that `open` makes.
    ///
    /// # Errors
    /// `SAGE_PLAN_SINK` when `schema` is not one.
    pub(crate) fn new(
        file: OutputFile,
        schema: &Map<String, Value>,
        invalid_strings: InvalidStrings,
        open: impl FnOnce(OutputFile, SchemaRef) -> Result<W> + Send + 'static,
    ) -> Result<Self> {
        Ok(Self {
            path: file.path().to_owned(),
            batches: RecordBatches::new(schema, invalid_strings)?,
            state: State::Waiting(Box::new(move |schema| open(file, schema))),
            records: 0,
        })
    }

    fn take(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if matches!(self.state, State::Failed | State::Complete(_)) {
            return Err(used_after_an_error());
        }
        let batches = self.batches.take(batch)?;
        self.write_batches(batches)
    }

    fn write_batches(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        self.open()?;
        for batch in batches {
            let State::Writing(writer) = &mut self.state else {
                return Err(used_after_an_error());
            };
            let rows = batch.num_rows() as u64;
            writer.write(batch)?;
            self.records += rows;
        }
        Ok(())
    }

    /// Makes the writer, if the columns are decided and there is none.
    fn open(&mut self) -> Result<()> {
        if let (State::Waiting(_), Some(schema)) = (&self.state, self.batches.schema())
            && let State::Waiting(open) = std::mem::replace(&mut self.state, State::Failed)
        {
            self.state = State::Writing(open(SchemaRef::clone(schema))?);
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<()> {
        let kept = self.batches.decide()?;
        self.write_batches(kept)?;
        let mut writer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Writing(mut writer) => {
                writer.finish()?;
                writer
            }
            State::Complete(writer) => writer,
            State::Waiting(_) | State::Failed => return Err(used_after_an_error()),
        };
        writer.output().sync()?;
        self.state = State::Complete(writer);
        Ok(())
    }

    /// The error, of this file.
    fn in_file(&mut self, error: SageError) -> SageError {
        // What is there is not the result.
        self.state = State::Failed;
        if error.context.contains_key("file") {
            error
        } else {
            error.with("file", self.path.display().to_string())
        }
    }
}

fn used_after_an_error() -> SageError {
    SageError::new(ErrorCode::Internal, "a sink of columns was used after an error")
}

impl<W: RecordBatchWriter> BatchSink for RecordBatchSink<W> {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.take(batch).map_err(|error| self.in_file(error))
    }

    fn prepare(&mut self, last: bool) -> Result<Vec<u8>> {
        let _ = last;
        self.complete().map_err(|error| self.in_file(error))?;
        Ok(Vec::new())
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.prepare(true)?;
        let State::Complete(writer) = &mut self.state else {
            return Err(used_after_an_error());
        };
        let bytes = writer.output().commit()?;
        Ok(SinkReport {
            path: self.path.display().to_string(),
            files: 1,
            records: self.records,
            bytes,
            replaced_strings: self.batches.replaced_strings(),
            unread_records: 0,
        })
    }

    fn abort(self: Box<Self>) {}

    fn detach(self: Box<Self>) {}
}
