//! Entries one behind the other, and parts that are larger than what is written at once.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{EntryReader, EntryWriter};
use support::{Change, Job, put, store_in};

/// Key group, operation, length of the key, length of the value.
const HEAD_BYTES: usize = 11;

#[test]
fn given_entries_then_the_reader_says_where_each_of_them_begins() {
    let mut writer = EntryWriter::with_capacity(64);
    writer.put(1, b"a", b"one").unwrap();
    writer.delete(2, b"bc").unwrap();
    writer.put(3, b"", b"").unwrap();
    let mut reader = EntryReader::new(writer.as_bytes());
    let mut offsets = vec![reader.offset()];
    while let Some(entry) = reader.next() {
        entry.unwrap();
        offsets.push(reader.offset());
    }
    let ends = [HEAD_BYTES + 4, 2 * HEAD_BYTES + 6, 3 * HEAD_BYTES + 6];
    assert_eq!(offsets, [0, ends[0], ends[1], ends[2]]);
}

#[test]
fn given_a_writer_that_is_cleared_then_it_is_as_a_new_one() {
    let mut writer = EntryWriter::new();
    writer.put(1, b"a", b"one").unwrap();
    writer.clear();
    assert_eq!((writer.as_bytes(), writer.count()), (&[][..], 0));
    writer.put(2, b"b", b"two").unwrap();
    let entries: Vec<_> = EntryReader::new(writer.as_bytes())
        .map(|entry| entry.unwrap().key_group)
        .collect();
    assert_eq!(entries, [2]);
}

#[test]
fn given_parts_of_more_than_a_piece_when_they_are_merged_then_each_key_is_there_once() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    let long = "x".repeat(1000);
    let many = |from: usize, value: &str| -> Vec<Change> {
        (from..from + 700)
            .map(|n| put(0, u16::try_from(n % 7).unwrap(), &format!("key {n}"), value))
            .collect()
    };
    let mut job = Job::default();
    job.apply(&many(0, &long));
    job.commit_whole(&store, 1).unwrap();
    let step = many(350, &long[1..]);
    job.apply(&step);
    job.commit_changes(&store, 2, 1, &step).unwrap();
    let before = Job::of(&store.newest().unwrap().unwrap()).unwrap();

    store.merge(2).unwrap().unwrap();

    assert_eq!(before, job);
    let merged = store.newest().unwrap().unwrap();
    assert_eq!((Job::of(&merged).unwrap(), merged.skipped().len()), (job, 0));
    assert_eq!(store.epochs(), [2]);
    // And from the beginning.
    drop(store);
    assert_eq!(
        Job::of(&store_in(&files, 1).unwrap().newest().unwrap().unwrap()).unwrap(),
        before
    );
}
