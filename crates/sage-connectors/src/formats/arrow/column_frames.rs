//! Record batches to frames.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use sage_frame::{Frame, LayoutRegistry, Node};
use sage_types::{Result, SageError};

use crate::columns::FrameMaker;
use crate::formats::arrow::column_loader::{ColumnLoader, LoadError};
use crate::formats::arrow::column_plan::{ColumnFacts, plan_columns};
use crate::spec::ColumnForms;

/// Makes frames of the record batches of one file.
#[derive(Debug)]
pub(crate) struct ColumnFrames {
    columns: Vec<ColumnLoader>,
    frames: FrameMaker,
}

impl ColumnFrames {
    /// For record batches with those columns of the schema that are `kept`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_COLUMN_TYPE`.
    pub(crate) fn new(
        path: &Path,
        schema: &Schema,
        kept: &[usize],
        facts: &impl ColumnFacts,
        forms: ColumnForms,
        registry: Arc<LayoutRegistry>,
    ) -> Result<Self> {
        let is_kept = |name: &str| kept.iter().any(|&index| schema.field(index).name() == name);
        let columns = plan_columns(schema.fields(), is_kept, facts, forms)
            .map_err(|error| error.with("file", path.display().to_string()))?;
        Ok(Self {
            columns,
            frames: FrameMaker::new(registry),
        })
    }

    /// The rows as a frame.
    ///
    /// # Errors
    /// What is wrong, with the column that it is wrong with.
    pub(crate) fn frame_of(
        &mut self,
        batch: &RecordBatch,
    ) -> std::result::Result<Frame, (LoadError, String)> {
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column
                .load(array, None)
                .map_err(|error| (error, column.name.clone()))?;
        }
        let (mut buffers, mut encodings) = (Vec::new(), Vec::new());
        let mut fields = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            column.collect(&mut buffers, &mut encodings);
            fields.push((column.name.clone(), column.layout()));
        }
        let frame = self
            .frames
            .make(Node::record(fields), batch.num_rows(), buffers, encodings);
        frame.map_err(|error: SageError| (LoadError::Unfit(error), String::new()))
    }
}
