//! Writers of record batches as sinks.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::formats::arrow::RecordBatches;
use crate::output::{OutputFile, SavedReader, SavedWriter};
use crate::sinks::{PartSink, RecordBatchWriter};
use crate::spec::InvalidStrings;
use crate::{BatchSink, Guarantee, SinkReport};

/// Writes records as rows. The first records, widened by the option `schema`, decide the columns.
pub(crate) struct RecordBatchSink<W> {
    path: PathBuf,
    batches: RecordBatches,
    state: State<W>,
    records: u64,
    live: bool,
}

/// Makes the writer of the file when its columns are decided; with what a writer of an earlier process saved.
type Open<W> = Box<dyn FnOnce(OutputFile, SchemaRef, Option<&[u8]>) -> Result<W> + Send>;

enum State<W> {
    /// The columns are not decided yet.
    Waiting(OutputFile, Open<W>),
    Writing(W),
    /// All is in the file.
    Complete(W),
    /// An earlier process has completed the file.
    Sealed(OutputFile),
    Failed,
}

/// What another process needs beside the file, the columns and the writer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RowState {
    records: u64,
    /// The writer has begun the file.
    begun: bool,
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
        open: impl FnOnce(OutputFile, SchemaRef, Option<&[u8]>) -> Result<W> + Send + 'static,
    ) -> Result<Self> {
        Ok(Self {
            path: file.path().to_owned(),
            live: file.is_live(),
            batches: RecordBatches::new(schema, invalid_strings)?,
            state: State::Waiting(file, Box::new(open)),
            records: 0,
        })
    }

    /// Goes on with the file, which was prepared.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK`, and those of the writer.
    pub(crate) fn restore(mut self, saved: &mut SavedReader<'_>) -> Result<Self> {
        let State::Waiting(file, open) = std::mem::replace(&mut self.state, State::Failed) else {
            return Err(used_after_an_error());
        };
        let row: RowState = saved.json()?;
        let sealed = file.is_sealed();
        if self.live && !sealed {
            // Another device or pipe begins anew.
            self.state = State::Waiting(file, open);
            return Ok(self);
        }
        self.records = row.records;
        self.batches.restore(saved)?;
        self.state = match (sealed, self.batches.schema()) {
            (true, _) => State::Sealed(file),
            (false, Some(schema)) if row.begun => {
                State::Writing(open(file, SchemaRef::clone(schema), Some(saved.bytes()?))?)
            }
            _ => State::Waiting(file, open),
        };
        Ok(self)
    }

    fn take(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if !matches!(self.state, State::Waiting(..) | State::Writing(_)) {
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
        if let (State::Waiting(..), Some(schema)) = (&self.state, self.batches.schema())
            && let State::Waiting(file, open) = std::mem::replace(&mut self.state, State::Failed)
        {
            self.state = State::Writing(open(file, SchemaRef::clone(schema), None)?);
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<()> {
        if matches!(self.state, State::Sealed(_)) {
            return Ok(());
        }
        let kept = self.batches.decide()?;
        self.write_batches(kept)?;
        let mut writer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Writing(mut writer) => {
                writer.finish()?;
                writer
            }
            State::Complete(writer) => writer,
            State::Waiting(..) | State::Sealed(_) | State::Failed => return Err(used_after_an_error()),
        };
        writer.output().sync()?;
        self.state = State::Complete(writer);
        Ok(())
    }

    /// The state, when all is in the file that was given.
    fn save(&mut self, last: bool) -> Result<Vec<u8>> {
        if last {
            self.complete()?;
        }
        let own = match &mut self.state {
            State::Writing(writer) => Some(writer.cut()?),
            _ => None,
        };
        let file = self.file_mut().ok_or_else(used_after_an_error)?;
        let file = if last { file.state()? } else { file.checkpoint()? };
        let mut saved = SavedWriter::new();
        saved.json(&file)?;
        saved.json(&RowState {
            records: self.records,
            begun: own.is_some(),
        })?;
        self.batches.save(&mut saved)?;
        saved.bytes(&own.unwrap_or_default());
        Ok(saved.finish())
    }

    fn file_mut(&mut self) -> Option<&mut OutputFile> {
        match &mut self.state {
            State::Waiting(file, _) | State::Sealed(file) => Some(file),
            State::Writing(writer) | State::Complete(writer) => Some(writer.output()),
            State::Failed => None,
        }
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
        self.save(last).map_err(|error| self.in_file(error))
    }

    fn guarantee(&self) -> Guarantee {
        if self.live {
            Guarantee::AtLeastOnce
        } else {
            Guarantee::ExactlyOnce
        }
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.complete().map_err(|error| self.in_file(error))?;
        let file = self.file_mut().ok_or_else(used_after_an_error)?;
        let bytes = file.commit()?;
        Ok(SinkReport {
            path: self.path.display().to_string(),
            files: 1,
            records: self.records,
            bytes,
            replaced_strings: self.batches.replaced_strings(),
            unread_records: 0,
        })
    }

    fn abort(mut self: Box<Self>) {
        if let Some(file) = self.file_mut() {
            file.discard();
        }
    }

    fn detach(mut self: Box<Self>) {
        if let Some(file) = self.file_mut() {
            file.leave();
        }
    }
}

impl<W: RecordBatchWriter> PartSink for RecordBatchSink<W> {
    fn paths(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }
}
