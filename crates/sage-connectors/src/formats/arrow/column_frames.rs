//! Record batches to frames.

use std::sync::Arc;

use arrow_array::RecordBatch;
use sage_frame::{Frame, LayoutRegistry, Node};
use sage_types::SageError;

use crate::columns::FrameMaker;
use crate::formats::arrow::column_loader::{ColumnLoader, LoadError};

/// Makes frames of the record batches of one file.
#[derive(Debug)]
pub(crate) struct ColumnFrames {
    columns: Vec<ColumnLoader>,
    frames: FrameMaker,
}

impl ColumnFrames {
    pub(crate) fn new(columns: Vec<ColumnLoader>, registry: Arc<LayoutRegistry>) -> Self {
        Self {
            columns,
            frames: FrameMaker::new(registry),
        }
    }

    /// The rows as a frame.
    ///
    /// # Errors
    /// What is wrong, with the column that it is wrong with.
    pub(crate) fn frame_of(&mut self, batch: &RecordBatch) -> Result<Frame, (LoadError, String)> {
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
