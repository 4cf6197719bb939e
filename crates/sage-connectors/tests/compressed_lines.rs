//! Compressed files of lines, and names as long as the system allows.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;

use sage_types::ErrorCode;
use serde_json::{Value, json};
use support::spec;
use support::written::{names, records_of, tree, write};

fn numbers(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({ "n": n, "text": format!("record number {n} é😀") }))
        .collect()
}

#[test]
fn each_method_and_level_gives_the_records_again() {
    let records = numbers(20_000);
    let mut sizes = Vec::new();
    for (suffix, compression, level) in [
        ("", "none", None),
        (".gz", "gzip", Some(0)),
        (".gz", "gzip", None),
        (".gz", "gzip", Some(9)),
        (".zst", "zstd", Some(1)),
        (".zst", "zstd", None),
        (".zst", "zstd", Some(19)),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(format!("out.jsonl{suffix}"));
        let mut options = json!({ "compression": compression });
        if let Some(level) = level {
            options["compressionLevel"] = json!(level);
        }
        let reports = write(&spec("jsonLines", &path, &options), &records, 1).unwrap();
        let content = fs::read(&path).unwrap();
        assert_eq!(records_of(&format!("out{suffix}"), &content), records);
        assert_eq!(
            (reports[0].records, reports[0].bytes),
            (20_000, content.len() as u64)
        );
        sizes.push(content.len());
    }
    let [plain, stored, gzip, gzip_most, zstd_least, _, zstd_most] = sizes[..] else {
        panic!()
    };
    assert!(stored > plain && gzip < plain / 4 && gzip_most <= gzip && zstd_most < zstd_least);
}

#[test]
fn the_same_records_are_the_same_bytes() {
    for compression in ["gzip", "zstd"] {
        let content = || {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("out");
            write(
                &spec("jsonLines", &path, &json!({ "compression": compression })),
                &numbers(1000),
                1,
            )
            .unwrap();
            fs::read(&path).unwrap()
        };
        assert_eq!(content(), content());
    }
}

#[test]
fn a_directory_has_parts_with_the_extension_of_their_compression() {
    let directory = tempfile::tempdir().unwrap();
    let path = format!("{}/", directory.path().display());
    let records = numbers(100);
    write(
        &spec("jsonLines", path.as_ref(), &json!({ "compression": "gzip" })),
        &records,
        2,
    )
    .unwrap();
    assert_eq!(
        names(directory.path()),
        ["part-00000.jsonl.gz", "part-00001.jsonl.gz"]
    );
    let mut read: Vec<Value> = tree(directory.path())
        .iter()
        .flat_map(|(name, content)| records_of(name, content))
        .collect();
    read.sort_by_key(|record| record["n"].as_u64());
    assert_eq!(read, records);
}

#[test]
fn a_name_of_255_bytes_can_be_written_and_one_more_cannot() {
    for name in ["a".repeat(255), "é".repeat(127), "😀".repeat(63)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(&name);
        write(&spec("jsonLines", &path, &json!({})), &numbers(3), 1).unwrap();
        write(
            &spec("jsonLines", &path, &json!({ "append": true })),
            &numbers(3),
            1,
        )
        .unwrap();
        assert_eq!(names(directory.path()), [name]);
        assert_eq!(records_of("", &fs::read(&path).unwrap()).len(), 6);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a".repeat(256));
    let error = write(&spec("jsonLines", &path, &json!({})), &numbers(3), 1).unwrap_err();
    assert_eq!(error.code, ErrorCode::IoWrite);
    assert_eq!(names(directory.path()), [""; 0]);
}
