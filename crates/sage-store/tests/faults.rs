//! Disks that are full or damaged.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_store::{FjallOptions, FjallStore, KeyList, StateStore, StoredValue, WriteBatch, WriteBehind};
use sage_types::{ErrorCode, Result};

fn small() -> FjallOptions {
    FjallOptions {
        memtable_bytes: 1 << 20,
        ..FjallOptions::default()
    }
}

fn key(number: u32) -> [u8; 4] {
    number.wrapping_mul(0x9e37_79b1).to_be_bytes()
}

/// Does not compress.
fn batch(first: u32) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for number in first..first + 1000 {
        let value: Vec<u8> = (0..64).flat_map(|word| key(number ^ (word << 24))).collect();
        batch.put(&[&key(number)], StoredValue::lasting(&value));
    }
    batch
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

fn read_all(store: &FjallStore, keys: u32) -> Result<u32> {
    let mut wanted = KeyList::new();
    for number in 0..keys {
        wanted.push(&[&key(number)]);
    }
    let mut found = 0;
    store.read(&wanted, &mut |_, _| found += 1)?;
    Ok(found)
}

#[test]
fn given_a_damaged_table_then_nothing_of_it_is_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), small()).unwrap();
    for first in (0..20_000).step_by(1000) {
        store.write(&batch(first)).unwrap();
    }
    store.sync().unwrap();
    drop(store);
    let store = FjallStore::open(folder.path(), small()).unwrap();
    assert_eq!(read_all(&store, 20_000).unwrap(), 20_000);
    drop(store);

    // Only now: a store that is opened may merge tables.
    let tables: Vec<_> = files(folder.path())
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "tables"))
        .collect();
    assert!(!tables.is_empty());
    for table in &tables {
        let mut bytes = std::fs::read(table).unwrap();
        // Bits of data, far from the head and the tail.
        let end = bytes.len() / 2;
        bytes[1000..end]
            .iter_mut()
            .step_by(997)
            .for_each(|byte| *byte ^= 4);
        std::fs::write(table, bytes).unwrap();
    }

    let read = FjallStore::open(folder.path(), small()).and_then(|store| read_all(&store, 20_000));
    let error = read.unwrap_err();
    assert_eq!(error.code, ErrorCode::StateCorrupt, "{error}");
    assert_eq!(
        error.context["directory"],
        folder.path().display().to_string().into()
    );
    assert!(error.message.contains("remove the directory"), "{error}");
}

#[test]
fn given_a_file_that_is_missing_then_the_store_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), small()).unwrap();
    for first in (0..20_000).step_by(1000) {
        store.write(&batch(first)).unwrap();
    }
    store.sync().unwrap();
    drop(store);
    for file in files(folder.path())
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "tables"))
    {
        std::fs::remove_file(file).unwrap();
    }
    let error = FjallStore::open(folder.path(), small())
        .and_then(|store| read_all(&store, 20_000))
        .unwrap_err();
    assert!(
        matches!(error.code, ErrorCode::StateCorrupt | ErrorCode::StateDirectory),
        "{error}"
    );
}

#[test]
fn given_two_owners_then_the_second_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = FjallStore::open(folder.path(), small()).unwrap();
    let error = FjallStore::open(folder.path(), small()).unwrap_err();
    assert_eq!(error.code, ErrorCode::StateDirectory);
    assert!(error.message.contains("another process"), "{error}");
}

#[test]
fn given_another_format_then_the_store_does_not_open_and_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), small()).unwrap();
    let mut newer = WriteBatch::new();
    newer.put(&[b"\xff\xff\xff\xffformat"], StoredValue::lasting(&[2]));
    store.write(&newer).unwrap();
    store.sync().unwrap();
    drop(store);
    let error = FjallStore::open(folder.path(), small()).unwrap_err();
    assert_eq!(error.code, ErrorCode::StateVersion);
    assert!(error.message.contains("version 2, and this is 1"), "{error}");
}

#[cfg(unix)]
#[test]
#[ignore = "the body of another process, which the test below starts"]
fn a_process_whose_files_may_not_grow() {
    let Some(folder) = std::env::var_os("SAGE_TEST_STATE_BASE") else {
        return;
    };
    let folder = Path::new(&folder);
    let write = || -> Result<()> {
        let store: Arc<dyn StateStore> = Arc::new(FjallStore::open(folder, small())?);
        let store = WriteBehind::start(store, "limited", 1 << 20)?;
        for first in (0..1_000_000).step_by(1000) {
            store.submit(batch(first))?;
        }
        store.flush()
    };
    let error = write().unwrap_err();
    assert_eq!(error.code, ErrorCode::IoDiskFull, "{error} {:?}", error.cause);
    assert!(error.message.contains("free space"), "{error}");
    assert_eq!(error.context["directory"], folder.display().to_string().into());
}

#[cfg(unix)]
#[test]
fn given_a_full_disk_then_the_error_says_so_and_everything_ends() {
    let folder = tempfile::tempdir().unwrap();
    // A limit of the process stands for a disk that is full: the same for the store, and every machine has it.
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8192; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_process_whose_files_may_not_grow",
            "--ignored",
            "--nocapture",
        ])
        .env("SAGE_TEST_STATE_BASE", folder.path())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
