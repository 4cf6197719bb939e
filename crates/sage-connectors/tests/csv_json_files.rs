//! Sets of files of CSV and JSON documents.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use sage_connectors::{pin_source, plan_splits};
use sage_types::ErrorCode;
use serde_json::json;
use support::packed::{Packing, pack};
use support::{Js, number, object, read, read_error, read_split, spec, text};
use tempfile::TempDir;

fn directory(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let path = directory.path().to_owned();
    (directory, path)
}

#[test]
fn each_csv_file_has_a_header_of_its_own() {
    let (_directory, path) = directory(&[
        ("1.csv", b"a,b\n1,x\n\n"),
        ("2.csv", b"\xEF\xBB\xBFb,a\ny,2\nbad\n"),
        ("3.csv", b""),
        ("4.csv", b"a,b\nz,3"),
    ]);
    let result = read(&spec("csv", &path, &json!({"columns": ["a"], "onError": "skip"})));
    assert_eq!(
        result.rows,
        [
            object([("a", number(1.0))]),
            object([("a", number(2.0))]),
            object([("a", text("z"))])
        ]
    );
    let counts = result.statistics;
    assert_eq!(
        (counts.records, counts.skipped_records, counts.empty_lines),
        (3, 1, 1)
    );
    let place: serde_json::Value = serde_json::from_str(&result.position).unwrap();
    assert_eq!(place, json!({"file": path.join("4.csv"), "byte": 7}));
}

#[test]
fn an_error_names_its_file_and_comes_behind_what_is_good() {
    let (_directory, path) = directory(&[("1.csv", b"a\n1\n"), ("2.csv", b"a\n2\n3,4\n5\n")]);
    let result = read(&spec("csv", &path, &json!({})));
    assert_eq!(result.rows.len(), 2);
    let error = result.end.unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatCsv);
    assert!(error.message.contains("2.csv, line 3"), "{}", error.message);
    let (_directory, path) = directory(&[("1.json", b"[1]"), ("2.json", b"[1,]")]);
    let error = read_error(&spec("json", &path, &json!({})));
    assert!(error.message.contains("2.json, line 1"), "{}", error.message);
}

#[test]
fn json_documents_are_dealt_out_whole() {
    let (_directory, path) = directory(&[("1.json", b"[1,2]"), ("2.json", b"[3]"), ("3.json", b"4")]);
    let source = spec("json", &path, &json!({}));
    assert_eq!(plan_splits(&source).unwrap().max_splits, 3);
    let pinned = pin_source(&source).unwrap();
    let of = |instance| read_split(&pinned, instance, 2).unwrap().rows.len();
    assert_eq!(of(0) + of(1), 4);
    assert!(of(0) > 0 && of(1) > 0);
}

#[test]
fn what_one_document_taught_holds_for_the_next() {
    // Given more shapes than an edge may have layouts, each in a file of its own.
    let files: Vec<(String, String)> = (0..100)
        .map(|n| (format!("{n:03}.json"), format!("{{\"f{n}\":1}}")))
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let (_directory, path) = directory(&files);
    let result = read(&spec("json", &path, &json!({})));
    assert_eq!((result.rows.len(), result.end), (100, Ok(())));
}

fn rows(from: u32, to: u32) -> Vec<Js> {
    (from..to)
        .map(|n| object([("n", number(f64::from(n))), ("t", text(&format!("a\n{n}")))]))
        .collect()
}

proptest! {
    #[test]
    fn any_number_of_instances_reads_each_record_of_all_files_once(
        sizes in prop::collection::vec((0_u32..40, Packing::any()), 1..5),
        instances in 1_u32..6,
        csv in any::<bool>(),
    ) {
        let mut content = Vec::new();
        let mut from = 0;
        for (records, packing) in &sizes {
            let range = from..from + records;
            from += records;
            let text = if csv {
                let lines: Vec<String> = range.map(|n| format!("{n},\"a\n{n}\"\n")).collect();
                format!("n,t\n{}", lines.concat())
            } else {
                let items: Vec<String> = range.map(|n| format!("{{\"n\":{n},\"t\":\"a\\n{n}\"}}")).collect();
                format!("[{}]", items.join(","))
            };
            content.push(pack(text.as_bytes(), packing));
        }
        let names: Vec<String> = (0..content.len()).map(|index| format!("{index}.x")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(content.iter().map(Vec::as_slice)).collect();
        let (_directory, path) = directory(&files);
        let pinned = pin_source(&spec(if csv { "csv" } else { "json" }, &path, &json!({"batchRows": 7}))).unwrap();
        let mut all = Vec::new();
        for instance in 0..instances {
            let read = read_split(&pinned, instance, instances).unwrap();
            prop_assert_eq!(read.end, Ok(()));
            all.extend(read.rows);
        }
        let key = |row: &Js| format!("{row:?}");
        let mut expected = rows(0, from);
        all.sort_by_key(key);
        expected.sort_by_key(key);
        prop_assert_eq!(all, expected);
    }
}
