//! Parquet files to write.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sage_frame::{BatchView, Layout, LayoutRegistry, Node, Widening};
use sage_types::{ErrorCode, Result, SageError};
use serde_json::{Map, Value, json};

use crate::io_error::{IoAction, io_error};
use crate::output::OutputFile;
use crate::parquet::{FirstBatches, SinkArrays, SinkColumn, parquet_error};
use crate::spec::{ParquetCompression, ParquetSinkSpec};
use crate::{BatchSink, SinkReport};

/// A row group is also ended when its encoded pages take this much memory.
const MAX_ROW_GROUP_BYTES: usize = 128 << 20;

/// Writes records as rows. The first records, widened by the option `schema`, decide the columns.
pub(crate) struct ParquetSink {
    path: PathBuf,
    declared: Option<Node>,
    properties: WriterProperties,
    arrays: SinkArrays,
    state: State,
    records: u64,
}

enum State {
    /// The columns are not decided yet.
    First(OutputFile, FirstBatches),
    Writing {
        writer: Box<ArrowWriter<OutputFile>>,
        columns: Vec<SinkColumn>,
        schema: SchemaRef,
    },
    /// All is in the file. The writer stays around it: to take it out is to write once more, with errors that have no kind.
    Complete(Box<ArrowWriter<OutputFile>>),
    Failed,
}

impl ParquetSink {
    /// A sink that writes to `file`.
    ///
    /// # Errors
    /// `SAGE_PLAN_SINK` when the option `schema` is not one.
    pub(crate) fn new(file: OutputFile, spec: &ParquetSinkSpec) -> Result<Self> {
        let compression = match spec.compression {
            ParquetCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
            ParquetCompression::Snappy => Compression::SNAPPY,
            ParquetCompression::None => Compression::UNCOMPRESSED,
        };
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(spec.row_group_rows))
            .set_created_by(concat!("sage-kernel ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            path: file.path().to_owned(),
            declared: declared_row(spec)?,
            properties,
            arrays: SinkArrays::new(spec.invalid_strings),
            state: State::First(file, FirstBatches::default()),
            records: 0,
        })
    }

    /// Decides the columns and writes the first records. Without records the columns are those declared, or none.
    fn begin(&mut self) -> Result<()> {
        let State::First(file, first) = std::mem::replace(&mut self.state, State::Failed) else {
            return Err(used_after_an_error());
        };
        let row = match (first.row(), &self.declared) {
            (Some(row), Some(declared)) => Some(row.widen(declared, Widening::Json)),
            (row, declared) => row.or(declared.as_ref()).cloned(),
        };
        let columns = row.as_ref().map_or_else(|| Ok(Vec::new()), SinkColumn::of_row)?;
        let schema: SchemaRef = Arc::new(Schema::new(
            columns.iter().map(SinkColumn::field).collect::<Vec<_>>(),
        ));
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(self.properties.clone()))
            .map_err(|error| self.failed(&error))?;
        self.state = State::Writing {
            writer: Box::new(writer),
            columns,
            schema,
        };
        // Frames of this process know their layouts.
        let registry = LayoutRegistry::new();
        for frame in first.into_frames() {
            self.write_batch(&frame.view(&registry)?)?;
        }
        Ok(())
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if let State::First(_, first) = &mut self.state {
            let taken = first.take(batch)?;
            if taken && !first.are_enough() {
                return Ok(());
            }
            self.begin()?;
            if taken {
                return Ok(());
            }
        }
        self.write_batch(batch)
    }

    fn write_batch(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let State::Writing {
            writer,
            columns,
            schema,
        } = &mut self.state
        else {
            return Err(used_after_an_error());
        };
        let arrays = self.arrays.of_batch(columns, batch)?;
        let rows = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|cause| {
            SageError::new(ErrorCode::Internal, "a batch does not fit its own schema").caused_by(cause)
        })?;
        let written = writer.write(&rows).and_then(|()| {
            if writer.memory_size() > MAX_ROW_GROUP_BYTES {
                writer.flush()
            } else {
                Ok(())
            }
        });
        written.map_err(|error| parquet_error(IoAction::Write, &self.path, &error))?;
        self.records += batch.rows() as u64;
        Ok(())
    }

    fn complete(&mut self) -> Result<()> {
        if matches!(self.state, State::First(..)) {
            self.begin()?;
        }
        let mut writer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Writing { mut writer, .. } => {
                writer.finish().map_err(|error| self.failed(&error))?;
                let flushed = writer.sync();
                flushed.map_err(|error| io_error(IoAction::Write, &self.path, &error))?;
                writer
            }
            State::Complete(writer) => writer,
            State::First(..) | State::Failed => return Err(used_after_an_error()),
        };
        writer.inner_mut().sync()?;
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

    fn failed(&self, error: &ParquetError) -> SageError {
        parquet_error(IoAction::Write, &self.path, error)
    }
}

fn used_after_an_error() -> SageError {
    SageError::new(ErrorCode::Internal, "a Parquet sink was used after an error")
}

/// The option `schema` as a record of optional fields.
fn declared_row(spec: &ParquetSinkSpec) -> Result<Option<Node>> {
    if spec.schema.is_empty() {
        return Ok(None);
    }
    let text = json!({ "row": { "rec": declared_fields(&spec.schema) } }).to_string();
    let layout = Layout::parse(&text).map_err(|cause| {
        SageError::new(
            ErrorCode::PlanSink,
            "the option schema of a Parquet sink names fields with types: f64, i32, bool, str, date, json, each with or without ?",
        )
        .caused_by(cause)
    })?;
    Ok(Some(layout.row))
}

/// As pairs of a name and a layout node; an object inside declares fields of a record.
fn declared_fields(schema: &Map<String, Value>) -> Value {
    let fields = schema.iter().map(|(name, node)| match node {
        Value::Object(fields) => json!([name, { "rec": declared_fields(fields), "opt": true }]),
        leaf => json!([name, leaf]),
    });
    fields.collect()
}

impl BatchSink for ParquetSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.write_rows(batch).map_err(|error| self.in_file(error))
    }

    fn prepare(&mut self) -> Result<()> {
        self.complete().map_err(|error| self.in_file(error))
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.prepare()?;
        let State::Complete(writer) = &mut self.state else {
            return Err(used_after_an_error());
        };
        let path = self.path.display().to_string();
        let bytes = writer.inner_mut().commit()?;
        Ok(SinkReport {
            path,
            records: self.records,
            bytes,
            replaced_strings: self.arrays.replaced_strings,
        })
    }

    fn abort(self: Box<Self>) {}
}
