//! CSV files, and how they have to be read.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::{Js, Read, read, read_error, spec};

pub struct CsvFile {
    _directory: TempDir,
    pub path: PathBuf,
}

pub fn file(content: impl AsRef<[u8]>) -> CsvFile {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    fs::write(&path, content).unwrap();
    CsvFile {
        _directory: directory,
        path,
    }
}

pub fn read_csv(content: impl AsRef<[u8]>, options: &Value) -> Read {
    let file = file(content);
    read(&spec("csv", &file.path, options))
}

/// The records, where all must be good.
pub fn rows(content: impl AsRef<[u8]>, options: &Value) -> Vec<Js> {
    let result = read_csv(content, options);
    assert_eq!(result.end, Ok(()));
    result.rows
}

pub fn error(content: impl AsRef<[u8]>, options: &Value) -> sage_types::SageError {
    let file = file(content);
    read_error(&spec("csv", &file.path, options))
}
