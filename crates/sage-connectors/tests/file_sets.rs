//! Sources of many files: patterns, directories, lists, and how instances share them.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sage_connectors::{pin_source, plan_splits};
use sage_types::{ErrorCode, ErrorValue};
use serde_json::json;
use support::packed::{Packing, pack};
use support::{Js, read, read_error, read_split, text};
use tempfile::TempDir;

/// Files that hold their own path below the directory, as a line.
fn tree(paths: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for path in paths {
        let file = directory.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, format!("{path}\n")).unwrap();
    }
    directory
}

fn lines_of(directory: &Path, paths: &[&str]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| directory.join(path)).collect();
    json!({ "type": "textLines", "path": paths }).to_string()
}

fn texts(names: &[&str]) -> Vec<Js> {
    names.iter().map(|name| text(name)).collect()
}

#[test]
fn a_pattern_means_the_files_that_match_in_the_order_of_their_paths() {
    let directory = tree(&[
        "b.log",
        "a.log",
        "c.txt",
        "x/a.log",
        "x/y/b.log",
        "x/y/c.txt",
        "x2/a.log",
        "z/[1].log",
        "z/1.log",
        ".hidden.log",
        "_part.log",
        ".git/a.log",
        "x/_tmp/a.log",
        "x/half.log.tmp",
        "z/{b}",
    ]);
    for (pattern, expected) in [
        ("*.log", &["a.log", "b.log"][..]),
        ("?.*", &["a.log", "b.log", "c.txt"]),
        ("[ac].*", &["a.log", "c.txt"]),
        ("[!a].log", &["b.log"]),
        ("{c,a}.*", &["a.log", "c.txt"]),
        ("*/a.log", &["x/a.log", "x2/a.log"]),
        ("x*/**/*.log", &["x/a.log", "x/y/b.log", "x2/a.log"]),
        ("**/b.log", &["b.log", "x/y/b.log"]),
        ("x/**", &["x/a.log", "x/y/b.log", "x/y/c.txt"]),
        ("{x/y/b,z/1}.log", &["x/y/b.log", "z/1.log"]),
        // A path that exists is no pattern.
        ("z/[1].log", &["z/[1].log"]),
        ("z/{b}", &["z/{b}"]),
        ("z/[0-9].log", &["z/1.log"]),
        // What is hidden has to be named.
        (".*.log", &[".hidden.log"]),
        ("_*", &["_part.log"]),
        ("x/_*/a.log", &["x/_tmp/a.log"]),
        (".git/*", &[".git/a.log"]),
        ("**/_tmp/*.log", &["x/_tmp/a.log"]),
        ("x/*.log.tmp", &["x/half.log.tmp"]),
    ] {
        let result = read(&lines_of(directory.path(), &[pattern]));
        assert_eq!((result.rows, result.end), (texts(expected), Ok(())), "{pattern}");
    }
}

#[test]
fn a_directory_means_all_files_in_it_but_hidden_and_temporary_ones() {
    let directory = tree(&[
        "d/b",
        "d/a/z",
        "d/c/a",
        "d/.x",
        "d/_SUCCESS",
        "d/_x/y",
        "d/out.jsonl.0123.tmp",
    ]);
    for path in ["d", "d/"] {
        assert_eq!(
            read(&lines_of(directory.path(), &[path])).rows,
            texts(&["d/a/z", "d/b", "d/c/a"])
        );
    }
}

#[test]
fn a_list_is_read_in_its_order_and_each_file_once() {
    let directory = tree(&["a", "b", "c", "d/e"]);
    let result = read(&lines_of(directory.path(), &["c", "[ab]", "d", "a", "c"]));
    assert_eq!(result.rows, texts(&["c", "a", "b", "d/e"]));
}

#[test]
fn a_file_that_is_named_from_the_root_and_from_the_working_directory_is_one() {
    let here = std::env::current_dir().unwrap();
    let directory = tempfile::tempdir_in(&here).unwrap();
    let whole = here.join(directory.path()).join("a");
    fs::write(&whole, "a\n").unwrap();
    let relative = whole.strip_prefix(&here).unwrap();
    let spec = json!({ "type": "textLines", "path": [relative, whole, format!("./{}", relative.display())] });
    assert_eq!(read(&spec.to_string()).rows, texts(&["a"]));
}

#[test]
fn what_is_not_there_is_an_error_that_names_it() {
    let directory = tree(&["a.log", ".b.txt"]);
    fs::create_dir(directory.path().join("empty")).unwrap();
    for (path, code, says) in [
        ("*.txt", ErrorCode::IoNotFound, "no file matches"),
        ("no/*.txt", ErrorCode::IoNotFound, "there is no directory"),
        ("empty", ErrorCode::IoNotFound, "has no file to read"),
        ("none.log", ErrorCode::IoNotFound, "does not exist"),
        ("a.log/b", ErrorCode::IoNotAFile, "not a directory"),
        ("[", ErrorCode::PlanArgument, "is no pattern"),
    ] {
        let error = read_error(&lines_of(directory.path(), &["a.log", path]));
        assert_eq!(error.code, code, "{path}: {}", error.message);
        assert!(
            error.message.contains(says) && error.message.contains(path),
            "{}",
            error.message
        );
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_a_loop_of_them_is_read_once() {
    use std::os::unix::fs::symlink;
    let directory = tree(&["d/a", "elsewhere/b"]);
    let at = |path: &str| directory.path().join(path);
    symlink(at("elsewhere"), at("d/link")).unwrap();
    symlink(at("d"), at("d/loop")).unwrap();
    assert_eq!(
        read(&lines_of(directory.path(), &["d"])).rows,
        texts(&["d/a", "elsewhere/b"])
    );

    symlink(at("gone"), at("d/nowhere.txt")).unwrap();
    assert_eq!(read(&lines_of(directory.path(), &["d/a*"])).rows, texts(&["d/a"]));
    let error = read_error(&lines_of(directory.path(), &["d/*.txt"]));
    assert_eq!(error.code, ErrorCode::IoNotFound);
    assert!(error.message.contains("nowhere.txt"), "{}", error.message);
}

#[test]
fn instances_agree_on_the_files_that_were_there_when_the_job_started() {
    let directory = tree(&["a", "b", "c"]);
    let pinned = pin_source(&lines_of(directory.path(), &["*"])).unwrap();
    fs::write(directory.path().join("0"), "later\n").unwrap();
    fs::write(directory.path().join("c"), "c\nlater\n").unwrap();
    let mut rows = Vec::new();
    for instance in 0..3 {
        rows.extend(read_split(&pinned, instance, 3).unwrap().rows);
    }
    assert_eq!(rows, texts(&["a", "b", "c"]));
    assert_eq!(pin_source(&pinned).unwrap(), pinned);
}

#[test]
fn an_error_names_its_file_and_what_is_before_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [("a", "1\n2"), ("b", "3\n{"), ("c", "4")] {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let spec = json!({ "type": "jsonLines", "path": directory.path() }).to_string();
    let result = read(&spec);
    assert_eq!(result.rows, [1.0, 2.0, 3.0].map(support::number));
    let error = result.end.unwrap_err();
    assert_eq!(
        error.context["file"],
        ErrorValue::Text(directory.path().join("b").display().to_string())
    );
    assert_eq!(error.context["line"], ErrorValue::Number(2.0));
}

#[test]
fn the_plan_counts_files_and_what_is_worth_an_instance() {
    let directory = tempfile::tempdir().unwrap();
    let long = "x\n".repeat(1 << 20);
    fs::write(directory.path().join("a.txt"), &long).unwrap();
    fs::write(directory.path().join("b.txt"), "y\n").unwrap();
    let packed = pack(long.as_bytes(), &Packing::Gzip(vec![]));
    fs::write(directory.path().join("c.txt"), &packed).unwrap();
    let plan = plan_splits(&lines_of(directory.path(), &["*.txt"])).unwrap();
    let bytes = (long.len() + 2 + packed.len()) as u64;
    assert_eq!((plan.files, plan.bytes, plan.max_splits), (3, bytes, 3 + 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_read_once_whatever_the_files_are_and_however_many_share_them(
        files in proptest::collection::vec((
            proptest::collection::vec("[a-zé😀 ]{0,12}\r?", 0..20),
            any::<bool>(),
            Packing::any(),
        ), 1..12),
        instances in 1..7_u32,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut expected = Vec::new();
        for (index, (lines, ends, packing)) in files.iter().enumerate() {
            let lines: Vec<_> = lines.iter().enumerate().map(|(at, line)| format!("{index}:{at}:{line}")).collect();
            let mut content = lines.join("\n");
            // Each line has a name of its own, so that their order can be told.
            if *ends && !lines.is_empty() {
                content.push('\n');
            }
            // As Node's readline: a line end is `\n` or `\r\n`, and nothing behind the last one is no line.
            let ends = content.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
            expected.extend(ends.map(text));
            fs::write(directory.path().join(format!("{index:02}")), pack(content.as_bytes(), packing)).unwrap();
        }
        let spec = pin_source(&json!({ "type": "textLines", "path": directory.path() }).to_string()).unwrap();
        let whole = read(&spec);
        prop_assert_eq!((&whole.rows, &whole.end), (&expected, &Ok(())));
        let mut rows = Vec::new();
        for instance in 0..instances {
            let part = read_split(&spec, instance, instances).unwrap();
            prop_assert_eq!(part.end, Ok(()));
            rows.extend(part.rows);
        }
        let place = |row: &Js| expected.iter().position(|line| line == row);
        rows.sort_by_key(place);
        prop_assert_eq!(rows, expected);
    }
}
