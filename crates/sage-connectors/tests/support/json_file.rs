//! Files of JSON lines, and how they have to be read.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::{Js, Read, json_parse, read, spec};

pub struct JsonFile {
    _directory: TempDir,
    pub path: PathBuf,
}

pub fn lines(content: impl AsRef<[u8]>) -> JsonFile {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.jsonl");
    fs::write(&path, content).unwrap();
    JsonFile {
        _directory: directory,
        path,
    }
}

pub fn jsonl(path: &Path) -> String {
    spec("jsonLines", path, &json!({}))
}

/// Each line is delivered as `JSON.parse` gives it.
pub fn assert_as_json_parse(content: &str) -> Read {
    let file = lines(content);
    let result = read(&jsonl(&file.path));
    let expected: Vec<Js> = content
        .strip_prefix('\u{FEFF}')
        .unwrap_or(content)
        .split('\n')
        .filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty())
        .map(|line| json_parse(line).unwrap())
        .collect();
    assert_eq!(result.end, Ok(()));
    assert_eq!(result.rows, expected);
    result
}
