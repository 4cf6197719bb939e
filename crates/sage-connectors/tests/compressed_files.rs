//! Files that gzip and zstd made, whole and broken, and pipes of them.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sage_types::{ErrorCode, ErrorValue};
use serde_json::json;
use support::packed::{Packing, pack};
use support::{Js, read, read_error, spec, text};
use tempfile::TempDir;

fn file(content: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lines");
    fs::write(&path, content).unwrap();
    (directory, path)
}

/// Lines of so many words that do not compress well.
fn content(lines: u32, words: u32) -> String {
    let mut text = String::new();
    for line in 0..lines {
        write!(text, "{line}").unwrap();
        for word in 1..=words {
            write!(text, " é{:x}", (line * words + word).wrapping_mul(2_654_435_761)).unwrap();
        }
        text.push('\n');
    }
    text
}

fn rows(content: &str) -> Vec<Js> {
    content.lines().map(text).collect()
}

const MEMBERS: [fn(Vec<usize>) -> Packing; 2] = [Packing::Gzip, Packing::Zstd];

#[test]
fn members_and_frames_are_read_to_the_last_one() {
    let content = content(2_000, 20);
    for packing in MEMBERS {
        for cuts in [vec![], vec![0, 0], vec![1, 7, 200_000]] {
            let (_directory, path) = file(&pack(content.as_bytes(), &packing(cuts)));
            let result = read(&spec("textLines", &path, &json!({})));
            assert_eq!((result.rows, result.end), (rows(&content), Ok(())));
        }
    }
}

#[test]
fn a_file_that_ends_too_early_is_an_error_at_every_byte() {
    let content = content(40, 1);
    for (packing, magic) in [(Packing::Gzip(vec![100]), 2), (Packing::Zstd(vec![100]), 4)] {
        let packed = pack(content.as_bytes(), &packing);
        let first = pack(
            &content.as_bytes()[..100],
            &match packing {
                Packing::Gzip(_) => Packing::Gzip(vec![]),
                _ => Packing::Zstd(vec![]),
            },
        );
        assert!(packed.starts_with(&first));
        // Shorter than the magic it is some other file; at the end of a member it is whole.
        for length in (magic..packed.len()).filter(|&length| length != first.len()) {
            let (_directory, path) = file(&packed[..length]);
            let result = read(&spec("textLines", &path, &json!({})));
            let error = result.end.unwrap_err();
            assert_eq!(error.code, ErrorCode::IoTruncated, "{length}: {}", error.message);
            assert!(
                error.message.contains(path.to_str().unwrap()),
                "{}",
                error.message
            );
            assert_eq!(
                error.context["compressedByte"],
                ErrorValue::Number(length as f64),
                "{length}"
            );
            assert!(rows(&content).starts_with(&result.rows));
        }
    }
}

#[test]
fn a_byte_that_is_wrong_is_an_error_or_harmless() {
    let content = content(60, 1);
    for packing in MEMBERS {
        let packed = pack(content.as_bytes(), &packing(vec![300]));
        let mut refused = 0;
        for at in 0..packed.len() {
            let mut broken = packed.clone();
            broken[at] ^= 0x41;
            let (_directory, path) = file(&broken);
            let kind = if packed[0] == 0x1F { "gzip" } else { "zstd" };
            let result = read(&spec("textLines", &path, &json!({"compression": kind})));
            match result.end {
                Ok(()) => assert_eq!(result.rows, rows(&content), "byte {at} of {kind}"),
                Err(error) => {
                    refused += 1;
                    let known = [
                        ErrorCode::FormatCompressed,
                        ErrorCode::IoTruncated,
                        ErrorCode::FormatUtf8,
                    ];
                    assert!(known.contains(&error.code), "{}", error.message);
                    assert!(
                        error.message.contains(path.to_str().unwrap()),
                        "{}",
                        error.message
                    );
                }
            }
        }
        assert!(refused > packed.len() / 2, "{refused} of {}", packed.len());
    }
}

#[test]
fn what_follows_the_last_member_is_an_error() {
    for packing in MEMBERS {
        let mut packed = pack(b"a\n", &packing(vec![]));
        let length = packed.len() as f64;
        packed.extend(b"garbage that is no member");
        let (_directory, path) = file(&packed);
        let result = read(&spec("textLines", &path, &json!({})));
        assert_eq!(result.rows, [text("a")]);
        let error = result.end.unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatCompressed);
        let ErrorValue::Number(byte) = error.context["compressedByte"] else {
            panic!()
        };
        assert!(byte >= length && byte <= length + 16.0, "{byte}");
    }
}

#[test]
fn the_option_says_what_a_file_is_whatever_it_looks_like() {
    let (_directory, path) = file(b"plain text, and enough of it\n");
    for kind in ["gzip", "zstd"] {
        let error = read_error(&spec("textLines", &path, &json!({"compression": kind})));
        assert_eq!(error.code, ErrorCode::FormatCompressed, "{}", error.message);
    }
    // Also when it is too short to have a header.
    for (kind, content) in [
        ("gzip", &b"a,b\n"[..]),
        ("zstd", b"abcd"),
        ("zstd", b"\x1F\x8B\x08\0"),
    ] {
        let (_directory, path) = file(content);
        let error = read_error(&spec("textLines", &path, &json!({"compression": kind})));
        assert_eq!(error.code, ErrorCode::FormatCompressed, "{}", error.message);
        assert!(
            error.message.contains("leave the option compression away"),
            "{}",
            error.message
        );
    }
    let (_directory, path) = file(&pack(b"a\n", &Packing::Gzip(vec![])));
    let error = read_error(&spec("textLines", &path, &json!({"compression": "none"})));
    assert_eq!(error.code, ErrorCode::FormatUtf8);
}

#[test]
fn an_error_in_the_text_names_line_and_byte_of_what_was_unpacked() {
    let mut text = content(2_000, 20);
    let byte = text.len();
    text.push_str("oops\n");
    let text: String = text
        .lines()
        .map(|line| {
            if line == "oops" {
                "oops\n".to_owned()
            } else {
                format!("{line:?}\n")
            }
        })
        .collect();
    let byte_of = text.find("oops").unwrap();
    assert!(byte_of > byte);
    for packing in MEMBERS {
        let (_directory, path) = file(&pack(text.as_bytes(), &packing(vec![12_345])));
        let error = read_error(&spec("jsonLines", &path, &json!({})));
        assert_eq!(error.code, ErrorCode::FormatJson);
        assert_eq!(error.context["line"], ErrorValue::Number(2_001.0));
        assert_eq!(error.context["byte"], ErrorValue::Number(byte_of as f64));
    }
}

#[cfg(unix)]
mod pipes {
    use std::io::Write;
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use sage_connectors::{NextBatch, SourceSplit, open_source};
    use sage_frame::LayoutRegistry;

    use super::*;

    fn pipe() -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (directory, path)
    }

    /// Writes byte by byte, so that the reader sees every beginning of the data.
    fn write_slowly(path: PathBuf, bytes: Vec<u8>) -> std::thread::JoinHandle<()> {
        std::thread::spawn(move || {
            let mut pipe = fs::File::options().write(true).open(path).unwrap();
            for byte in bytes {
                pipe.write_all(&[byte]).unwrap();
            }
        })
    }

    #[test]
    fn what_a_pipe_brings_is_told_by_its_first_bytes() {
        let long = content(2_000, 1);
        for content in ["", "(", "(\n", "P*M\nx", "{}\n", "\u{FEFF}a\nb", long.as_str()] {
            for packing in [Packing::Plain, Packing::Gzip(vec![3]), Packing::Zstd(vec![5])] {
                let (_directory, path) = pipe();
                let writer = write_slowly(path.clone(), pack(content.as_bytes(), &packing));
                let result = read(&spec("textLines", &path, &json!({})));
                writer.join().unwrap();
                let expected = rows(content.strip_prefix('\u{FEFF}').unwrap_or(content));
                assert_eq!((result.rows, result.end), (expected, Ok(())), "{packing:?}");
            }
        }
    }

    #[test]
    fn a_pipe_that_says_nothing_keeps_nobody() {
        for content in [
            &b"line\nhalf a li"[..],
            &pack(b"line\nhalf a li", &Packing::Gzip(vec![5]))[..40],
        ] {
            let (_directory, path) = pipe();
            let (done, wait) = channel::<()>();
            let writer = {
                let (path, content) = (path.clone(), content.to_vec());
                std::thread::spawn(move || {
                    let mut pipe = fs::File::options().write(true).open(path).unwrap();
                    pipe.write_all(&content).unwrap();
                    // Open, and silent, until the reader has gone.
                    wait.recv().unwrap();
                })
            };
            let spec = spec("textLines", &path, &json!({}));
            let mut source = open_source(&spec, SourceSplit::WHOLE, Arc::new(LayoutRegistry::new())).unwrap();
            let mut rows = 0;
            let mut waited = 0;
            while rows < 1 || waited < 3 {
                match source.next().unwrap() {
                    NextBatch::Frame(frame) => rows += frame.rows(),
                    NextBatch::Waiting => {
                        source.wait(Duration::from_millis(20));
                        waited += usize::from(rows == 1);
                    }
                    NextBatch::Ended => panic!("it is open"),
                }
            }
            assert_eq!(rows, 1, "half a line is no record");
            drop(source);
            done.send(()).unwrap();
            writer.join().unwrap();
        }
    }
}
