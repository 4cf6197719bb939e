//! Record batches in pieces that make good frames.

use arrow_array::{Array, RecordBatch};

/// Bytes of a frame, about.
const FRAME_BYTES: usize = 256 * 1024;

/// Cuts a batch into pieces of about [`FRAME_BYTES`] and at most `max_rows` rows.
pub(crate) fn batch_pieces(batch: &RecordBatch, max_rows: usize) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    if rows == 0 {
        return Vec::new();
    }
    let bytes: usize = batch
        .columns()
        .iter()
        .map(|column| column.to_data().get_slice_memory_size().unwrap_or(0))
        .sum();
    let count = bytes
        .div_ceil(FRAME_BYTES)
        .max(rows.div_ceil(max_rows.max(1)))
        .clamp(1, rows);
    let each = rows.div_ceil(count);
    (0..rows)
        .step_by(each)
        .map(|start| batch.slice(start, each.min(rows - start)))
        .collect()
}
