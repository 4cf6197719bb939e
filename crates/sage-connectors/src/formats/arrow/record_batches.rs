//! Batches as record batches of one schema.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use sage_frame::{BatchView, Layout, LayoutRegistry, Node, Widening};
use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::formats::arrow::first_batches::FirstBatches;
use crate::formats::arrow::sink_arrays::SinkArrays;
use crate::formats::arrow::sink_schema::SinkColumn;
use crate::output::{SavedReader, SavedWriter};
use crate::spec::InvalidStrings;

/// Makes the record batches of a file. The first records, widened by the option `schema`, decide the columns; they are kept
/// until then.
pub(crate) struct RecordBatches {
    declared: Option<Node>,
    arrays: SinkArrays,
    first: Option<FirstBatches>,
    columns: Vec<SinkColumn>,
    schema: SchemaRef,
    /// The records that the columns were decided for.
    row: Option<Node>,
}

/// What another process needs.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ColumnState {
    decided: bool,
    /// The layout that the columns were decided for.
    row: Option<String>,
    replaced_strings: u64,
}

impl RecordBatches {
    /// # Errors
    /// `SAGE_PLAN_SINK` when the option `schema` is not one.
    pub(crate) fn new(schema: &Map<String, Value>, invalid_strings: InvalidStrings) -> Result<Self> {
        Ok(Self {
            declared: declared_row(schema)?,
            arrays: SinkArrays::new(invalid_strings),
            first: Some(FirstBatches::default()),
            columns: Vec::new(),
            schema: Arc::new(Schema::empty()),
            row: None,
        })
    }

    /// Takes a batch; what there is to write, if the columns are decided. Then [`RecordBatches::schema`] has them.
    ///
    /// # Errors
    /// `SAGE_FORMAT_COLUMN_TYPE`, `SAGE_FORMAT_RECORD`, `SAGE_LIMIT_BATCH`.
    pub(crate) fn take(&mut self, batch: &BatchView<'_>) -> Result<Vec<RecordBatch>> {
        let Some(first) = &mut self.first else {
            return Ok(vec![self.of_batch(batch)?]);
        };
        let taken = first.take(batch)?;
        if taken && !first.are_enough() {
            return Ok(Vec::new());
        }
        let mut batches = self.decide()?;
        if !taken {
            batches.push(self.of_batch(batch)?);
        }
        Ok(batches)
    }

    /// Decides the columns, if that has not been done, and gives what was kept for it. Without records the columns are
    /// those declared, or none.
    ///
    /// # Errors
    /// Those of [`RecordBatches::take`].
    pub(crate) fn decide(&mut self) -> Result<Vec<RecordBatch>> {
        let Some(first) = self.first.take() else {
            return Ok(Vec::new());
        };
        let row = match (first.row(), &self.declared) {
            (Some(row), Some(declared)) => Some(row.widen(declared, Widening::Json)),
            (row, declared) => row.or(declared.as_ref()).cloned(),
        };
        self.decide_on(row)?;
        // Frames of this process know their layouts.
        let registry = LayoutRegistry::new();
        let frames = first.into_frames();
        let batches = frames.iter().map(|frame| self.of_batch(&frame.view(&registry)?));
        batches.collect()
    }

    fn decide_on(&mut self, row: Option<Node>) -> Result<()> {
        self.columns = row.as_ref().map_or_else(|| Ok(Vec::new()), SinkColumn::of_row)?;
        let fields: Vec<_> = self.columns.iter().map(SinkColumn::field).collect();
        self.schema = Arc::new(Schema::new(fields));
        self.row = row;
        Ok(())
    }

    /// What another process needs to go on: the columns, or the records that will decide on them.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK`: never.
    pub(crate) fn save(&self, saved: &mut SavedWriter) -> Result<()> {
        let row = self.row.clone().map(|row| Layout::unkeyed(row).to_text());
        saved.json(&ColumnState {
            decided: self.first.is_none(),
            row,
            replaced_strings: self.arrays.replaced_strings,
        })?;
        self.first
            .as_ref()
            .map_or_else(|| Ok(()), |first| first.save(saved))
    }

    /// Goes on with what was saved.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK`
    pub(crate) fn restore(&mut self, saved: &mut SavedReader<'_>) -> Result<()> {
        let state: ColumnState = saved.json()?;
        self.arrays.replaced_strings = state.replaced_strings;
        if !state.decided {
            self.first = Some(FirstBatches::restore(saved)?);
            return Ok(());
        }
        self.first = None;
        let row = state.row.as_deref().map(Layout::parse).transpose()?;
        self.decide_on(row.map(|layout| layout.row))
    }

    /// The columns of the file; none before they are decided.
    pub(crate) fn schema(&self) -> Option<&SchemaRef> {
        self.first.is_none().then_some(&self.schema)
    }

    /// Strings in which unpaired surrogates were replaced.
    pub(crate) fn replaced_strings(&self) -> u64 {
        self.arrays.replaced_strings
    }

    fn of_batch(&mut self, batch: &BatchView<'_>) -> Result<RecordBatch> {
        let arrays = self.arrays.of_batch(&self.columns, batch)?;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|cause| {
            SageError::new(ErrorCode::Internal, "a batch does not fit its own schema").caused_by(cause)
        })
    }
}

/// The option `schema` as a record of optional fields.
fn declared_row(schema: &Map<String, Value>) -> Result<Option<Node>> {
    if schema.is_empty() {
        return Ok(None);
    }
    let text = json!({ "row": { "rec": declared_fields(schema) } }).to_string();
    let layout = Layout::parse(&text).map_err(|cause| {
        SageError::new(
            ErrorCode::PlanSink,
            "the option schema of a sink names fields with types: f64, i32, bool, str, date, json, each with or without ?",
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
