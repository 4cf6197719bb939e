//! Parquet files with columns that are given as Arrow arrays.

use std::fs::File;
use std::path::PathBuf;

use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use tempfile::TempDir;

use super::spec;

pub struct Table {
    _directory: TempDir,
    pub path: PathBuf,
}

impl Table {
    pub fn spec(&self, options: &Value) -> String {
        spec("parquet", &self.path, options)
    }
}

pub fn table_with(columns: &[(&str, ArrayRef)], properties: WriterProperties) -> Table {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.parquet");
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .iter()
            .map(|(name, array)| (*name, ArrayRef::clone(array), true)),
    )
    .unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    Table {
        _directory: directory,
        path,
    }
}

pub fn table(columns: &[(&str, ArrayRef)]) -> Table {
    table_with(columns, WriterProperties::default())
}
