use std::fs::File;

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::Failure;

const BATCH_ROWS: usize = 8192;

/// Gives key and time of each row of a file: the columns `sensor`, of texts, and `at`, of whole numbers.
pub fn read(path: &str, mut take: impl FnMut(&str, i64) -> Result<(), Failure>) -> Result<(), Failure> {
    let file = SerializedFileReader::new(File::open(path)?)?;
    let columns = file.metadata().file_metadata().schema_descr();
    let place = |name: &str| {
        let found = columns.columns().iter().position(|column| column.name() == name);
        found.ok_or_else(|| Failure::from(format!("{path} has no column '{name}'")))
    };
    let (sensor, at) = (place("sensor")?, place("at")?);
    let mut keys: Vec<ByteArray> = Vec::with_capacity(BATCH_ROWS);
    let mut times: Vec<i64> = Vec::with_capacity(BATCH_ROWS);
    // Both columns may be null by the schema, as all of most files; a null would leave its column shorter.
    let mut levels: Vec<i16> = Vec::with_capacity(BATCH_ROWS);
    for number in 0..file.num_row_groups() {
        let group = file.get_row_group(number)?;
        let mut key_column = get_typed_column_reader::<ByteArrayType>(group.get_column_reader(sensor)?);
        let mut time_column = get_typed_column_reader::<Int64Type>(group.get_column_reader(at)?);
        loop {
            keys.clear();
            times.clear();
            levels.clear();
            let (rows, _, _) = key_column.read_records(BATCH_ROWS, Some(&mut levels), None, &mut keys)?;
            levels.clear();
            time_column.read_records(BATCH_ROWS, Some(&mut levels), None, &mut times)?;
            if keys.len() != rows || times.len() != rows {
                return Err(format!("{path} has readings without a sensor or a time").into());
            }
            if rows == 0 {
                break;
            }
            for (key, &time) in keys.iter().zip(&times) {
                take(key.as_utf8()?, time)?;
            }
        }
    }
    Ok(())
}
