//! Records through a sink into files, and the files read again without our code.

#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    clippy::format_collect,
    reason = "names are those that the tests give"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_connectors::{BatchSink, NextBatch, SinkReport, SourceSplit, open_sink, open_source};
use sage_frame::{Frame, LayoutRegistry};
use sage_types::{Result, SageError};
use serde_json::{Value, json};

use super::spec;

/// Records as frames, as the reader of JSON lines makes them.
pub fn frames_of(records: &[Value], batch_rows: usize) -> (Vec<Frame>, Arc<LayoutRegistry>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records");
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    fs::write(&path, lines).unwrap();
    let registry = Arc::new(LayoutRegistry::new());
    let source = spec("jsonLines", &path, &json!({ "batchRows": batch_rows }));
    let mut source = open_source(&source, SourceSplit::WHOLE, Arc::clone(&registry)).unwrap();
    let mut frames = Vec::new();
    while let NextBatch::Frame(frame) = source.next().unwrap() {
        frames.push(frame);
    }
    (frames, registry)
}

/// Writes records with so many instances, which take batches in turn. All prepare before one commits, as in a job.
pub fn write(sink: &str, records: &[Value], instances: u32) -> Result<Vec<SinkReport>> {
    write_batches(sink, records, instances, 7)
}

pub fn write_batches(
    sink: &str,
    records: &[Value],
    instances: u32,
    batch_rows: usize,
) -> Result<Vec<SinkReport>> {
    let (frames, registry) = frames_of(records, batch_rows);
    let mut sinks: Vec<Box<dyn BatchSink>> = (0..instances)
        .map(|instance| open_sink(sink, SourceSplit { instance, instances }, Arc::default()))
        .collect::<Result<_>>()?;
    for (index, frame) in frames.iter().enumerate() {
        sinks[index % instances as usize].write(&frame.view(&registry).unwrap())?;
    }
    for sink in &mut sinks {
        sink.prepare(true)?;
    }
    sinks.into_iter().map(BatchSink::commit).collect()
}

pub fn write_error(sink: &str, records: &[Value], instances: u32) -> SageError {
    write(sink, records, instances).map(drop).unwrap_err()
}

/// All files below a directory with their content, by relative path.
pub fn tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(directory.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let relative = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                open.push(relative);
            } else {
                files.insert(
                    relative.to_str().unwrap().to_owned(),
                    fs::read(entry.path()).unwrap(),
                );
            }
        }
    }
    files
}

pub fn names(directory: &Path) -> Vec<String> {
    tree(directory).into_keys().collect()
}

/// The content of a file, decompressed as its name says.
pub fn text_of(name: &str, content: &[u8]) -> String {
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::MultiGzDecoder::new(content)
            .read_to_string(&mut text)
            .unwrap();
    } else if name.ends_with(".zst") {
        zstd::stream::read::Decoder::new(content)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
    } else {
        text.push_str(std::str::from_utf8(content).unwrap());
    }
    text
}

/// The records of a file of JSON lines.
pub fn records_of(name: &str, content: &[u8]) -> Vec<Value> {
    let text = text_of(name, content);
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "{name} ends inside a line"
    );
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The spec of a sink of JSON lines into a directory.
pub fn directory_spec(directory: &Path, options: &Value) -> String {
    spec("jsonLines", format!("{}/", directory.display()).as_ref(), options)
}

/// The records of all files, by the directory that they are in; a file's own order is kept.
pub fn by_directory(directory: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut records: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, content) in tree(directory) {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
        records
            .entry(folder.to_owned())
            .or_default()
            .extend(records_of(file, &content));
    }
    records
}
