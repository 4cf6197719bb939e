use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::Failure;

const BATCH_ROWS: usize = 8192;

/// Gives key and time of each row of a file: the columns `sensor`, of texts, and `at`, of whole numbers.
pub fn read(path: &str, mut take: impl FnMut(&str, i64) -> Result<(), Failure>) -> Result<(), Failure> {
    let file = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let columns = ProjectionMask::columns(file.parquet_schema(), ["sensor", "at"]);
    for batch in file
        .with_projection(columns)
        .with_batch_size(BATCH_ROWS)
        .build()?
    {
        let batch = batch?;
        let times = column(&batch, "at")?;
        let times = times
            .as_primitive_opt::<Int64Type>()
            .ok_or("times are no whole numbers")?
            .values();
        let keys = column(&batch, "sensor")?;
        // Which of the kinds of texts it is, the writer has noted.
        if let Some(keys) = keys.as_string_view_opt() {
            for (row, &time) in times.iter().enumerate() {
                take(keys.value(row), time)?;
            }
        } else if let Some(keys) = keys.as_string_opt::<i64>() {
            for (row, &time) in times.iter().enumerate() {
                take(keys.value(row), time)?;
            }
        } else {
            return Err(format!("sensors are {}, and no texts", keys.data_type()).into());
        }
    }
    Ok(())
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, Failure> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| format!("there is no column '{name}'"))?;
    if column.null_count() > 0 {
        return Err(format!("there are readings without '{name}'").into());
    }
    Ok(column.as_ref())
}
