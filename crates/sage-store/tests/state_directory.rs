//! Directories of jobs come and go, also when a process is killed.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use sage_store::{JobStore, JobStoreOptions, StateDirectory, StoredValue, WriteBatch};
use sage_types::ErrorCode;

const BASE: &str = "SAGE_TEST_STATE_BASE";

fn jobs(base: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn options(base: &Path) -> JobStoreOptions {
    JobStoreOptions {
        base: base.to_owned(),
        ..JobStoreOptions::default()
    }
}

/// Another process with a store in `base`, which does not end by itself.
struct Neighbour {
    child: Child,
    /// Kept: the process must be able to write.
    _output: BufReader<ChildStdout>,
    path: PathBuf,
}

impl Neighbour {
    fn start(base: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_with_a_store", "--ignored", "--nocapture"])
            .env(BASE, base)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let path = lines.find_map(|line| line.strip_prefix("store in ").map(PathBuf::from));
        Self {
            child,
            path: path.unwrap(),
            _output: output,
        }
    }
}

#[test]
#[ignore = "the body of another process, which the tests below start"]
fn a_process_with_a_store() {
    let Some(base) = std::env::var_os("SAGE_TEST_STATE_BASE") else {
        return;
    };
    let store = JobStore::create(&options(Path::new(&base))).unwrap();
    let mut batch = WriteBatch::new();
    batch.put(&[b"key"], StoredValue::lasting(b"value"));
    store.writer().submit(batch).unwrap();
    let mut queue = store.spill_queue("loop", 1 << 20).unwrap();
    queue.push(b"record").unwrap();
    println!("\nstore in {}", store.path().unwrap().display());
    // Until the parent kills this process, or is gone.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_job_has_a_directory_of_its_own_and_leaves_nothing_behind() {
    let base = tempfile::tempdir().unwrap();
    let stores = [(); 2].map(|()| JobStore::create(&options(&base.path().join("deep/er"))).unwrap());
    assert_ne!(stores[0].path(), stores[1].path());
    assert_eq!(jobs(&base.path().join("deep/er")).len(), 2);

    let mut queue = stores[0].spill_queue("loop", 100).unwrap();
    queue.push(b"record").unwrap();
    drop(stores);

    // The queue still needs its part.
    assert_eq!(jobs(&base.path().join("deep/er")).len(), 1);
    let mut record = Vec::new();
    assert!(queue.pop(&mut record).unwrap());
    assert_eq!(record, b"record");
    drop(queue);
    assert_eq!(jobs(&base.path().join("deep/er")).len(), 0);
}

#[test]
fn given_a_killed_process_when_another_starts_then_its_directory_is_removed_and_those_of_the_living_stay() {
    let base = tempfile::tempdir().unwrap();
    let mut killed = Neighbour::start(base.path());
    let mut living = Neighbour::start(base.path());
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert!(killed.path.join("store").is_dir() && living.path.join("store").is_dir());

    let own = StateDirectory::create(base.path()).unwrap();

    assert!(!killed.path.exists());
    let mut left = jobs(base.path());
    left.sort();
    let mut expected = vec![living.path.clone(), own.path().to_owned()];
    expected.sort();
    assert_eq!(left, expected);

    // A process that ends in the usual way removes its own.
    drop(living.child.stdin.take());
    assert!(living.child.wait().unwrap().success());
    assert!(!living.path.exists());
}

#[test]
fn given_a_folder_that_only_has_the_name_then_it_stays_unless_it_is_empty() {
    let base = tempfile::tempdir().unwrap();
    let theirs = base.path().join("sage-job-notes");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(theirs.join("notes.txt"), "keep").unwrap();
    std::fs::create_dir(base.path().join("sage-job-empty")).unwrap();

    drop(StateDirectory::create(base.path()).unwrap());

    assert_eq!(jobs(base.path()), std::slice::from_ref(&theirs));
    assert_eq!(std::fs::read_to_string(theirs.join("notes.txt")).unwrap(), "keep");
}

#[test]
fn given_a_base_that_cannot_be_used_then_the_error_names_it_and_a_fix() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut bases = vec![file.clone(), file.join("below")];
    if cfg!(target_os = "linux") {
        // Where nobody can make a directory, whoever runs the test.
        bases.push(PathBuf::from("/proc/state"));
    }
    for base in bases {
        let error = JobStore::create(&options(&base)).unwrap_err();
        assert_eq!(error.code, ErrorCode::StateDirectory, "{error}");
        assert!(error.message.contains("SAGE_STATE_DIR"), "{error}");
        assert_eq!(error.context["directory"], base.display().to_string().into());
    }
}
