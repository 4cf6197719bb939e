//! Parquet files to write.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sage_frame::{BatchView, Layout, Node, Widening};
use sage_types::{ErrorCode, Result, SageError};

use crate::io_error::IoAction;
use crate::output::OutputFile;
use crate::parquet::{SinkArrays, SinkColumn, parquet_error};
use crate::spec::{ParquetCompression, ParquetSinkSpec};
use crate::{BatchSink, SinkReport};

/// A row group is also ended when its encoded pages take this much memory.
const MAX_ROW_GROUP_BYTES: usize = 128 << 20;

/// Writes records as rows. The first batch, widened by the option `schema`, decides the columns.
pub(crate) struct ParquetSink {
    path: PathBuf,
    declared: Option<Node>,
    properties: WriterProperties,
    arrays: SinkArrays,
    state: State,
    records: u64,
}

enum State {
    Empty(OutputFile),
    Writing {
        writer: Box<ArrowWriter<OutputFile>>,
        columns: Vec<SinkColumn>,
        schema: SchemaRef,
    },
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
            state: State::Empty(file),
            records: 0,
        })
    }

    /// Opens the file for records of this layout.
    fn begin(&mut self, row: &Node) -> Result<()> {
        if !matches!(self.state, State::Empty(_)) {
            return Ok(());
        }
        let row = match &self.declared {
            Some(declared) => row.widen(declared, Widening::Json),
            None => row.clone(),
        };
        let columns = SinkColumn::of_row(&row)?;
        let schema: SchemaRef = Arc::new(Schema::new(
            columns.iter().map(SinkColumn::field).collect::<Vec<_>>(),
        ));
        let State::Empty(file) = std::mem::replace(&mut self.state, State::Failed) else {
            return Ok(());
        };
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(self.properties.clone()))
            .map_err(|error| self.failed(&error))?;
        self.state = State::Writing {
            writer: Box::new(writer),
            columns,
            schema,
        };
        Ok(())
    }

    fn write_rows(&mut self, batch: &BatchView<'_>) -> Result<()> {
        self.begin(&batch.layout().row)?;
        let State::Writing {
            writer,
            columns,
            schema,
        } = &mut self.state
        else {
            return Err(SageError::new(
                ErrorCode::Internal,
                "a Parquet sink was used after an error",
            ));
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

    fn failed(&self, error: &ParquetError) -> SageError {
        parquet_error(IoAction::Write, &self.path, error)
    }
}

/// The option `schema` as a record of optional fields.
fn declared_row(spec: &ParquetSinkSpec) -> Result<Option<Node>> {
    if spec.schema.is_empty() {
        return Ok(None);
    }
    let fields: Vec<_> = spec
        .schema
        .iter()
        .map(|(name, node)| serde_json::json!([name, node]))
        .collect();
    let text = serde_json::json!({ "row": { "rec": fields } }).to_string();
    let layout = Layout::parse(&text).map_err(|cause| {
        SageError::new(
            ErrorCode::PlanSink,
            "the option schema of a Parquet sink names fields with types: f64, i32, bool, str, date, json, each with or without ?",
        )
        .caused_by(cause)
    })?;
    Ok(Some(layout.row))
}

impl BatchSink for ParquetSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.write_rows(batch).map_err(|error| {
            // What is there is not the result.
            self.state = State::Failed;
            if error.context.contains_key("file") {
                error
            } else {
                error.with("file", self.path.display().to_string())
            }
        })
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        // Without records the columns are those declared, or none: a valid file with no rows.
        if let (State::Empty(_), Some(declared)) = (&self.state, self.declared.clone()) {
            self.begin(&declared)?;
        }
        let path = self.path.display().to_string();
        let file = match std::mem::replace(&mut self.state, State::Failed) {
            State::Writing { writer, .. } => writer.into_inner().map_err(|error| self.failed(&error))?,
            State::Empty(file) => {
                ArrowWriter::try_new(file, Arc::new(Schema::empty()), Some(self.properties.clone()))
                    .and_then(ArrowWriter::into_inner)
                    .map_err(|error| self.failed(&error))?
            }
            State::Failed => {
                return Err(SageError::new(
                    ErrorCode::Internal,
                    "a Parquet sink was committed after an error",
                ));
            }
        };
        let bytes = file.commit()?;
        Ok(SinkReport {
            path,
            records: self.records,
            bytes,
            replaced_strings: self.arrays.replaced_strings,
        })
    }

    fn abort(self: Box<Self>) {}
}
