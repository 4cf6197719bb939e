//! JSON records on their way into frames.

use std::sync::Arc;

use sage_frame::{Frame, LayoutRegistry};
use sage_types::Result;

use crate::columns::FrameMaker;
use crate::formats::json::JsonRowReader;

/// Layouts after which the whole record becomes one `json` column: an edge may have 64.
const MAX_LAYOUTS: usize = 48;

/// Rows on their way into frames. They go on from file to file, so that what one file taught about the records holds for the next.
#[derive(Debug)]
pub(crate) struct JsonRows {
    pub(crate) reader: JsonRowReader,
    frames: FrameMaker,
}

impl JsonRows {
    /// Keeps these top-level fields of records, or all.
    pub(crate) fn new(columns: Option<&[String]>, registry: Arc<LayoutRegistry>) -> Self {
        Self {
            reader: JsonRowReader::new(columns),
            frames: FrameMaker::new(registry),
        }
    }

    /// The rows that were read; `None` when there are none.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` and `SAGE_LIMIT_BATCH`.
    pub(crate) fn take_frame(&mut self) -> Result<Option<Frame>> {
        let rows = self.reader.rows();
        if rows == 0 {
            return Ok(None);
        }
        let (mut buffers, mut encodings) = (Vec::new(), Vec::new());
        self.reader.collect(&mut buffers, &mut encodings);
        let frame = self.frames.make(self.reader.layout(), rows, buffers, encodings)?;
        if self.frames.layouts() >= MAX_LAYOUTS {
            self.reader.demote_row();
        }
        self.reader.clear();
        Ok(Some(frame))
    }
}
