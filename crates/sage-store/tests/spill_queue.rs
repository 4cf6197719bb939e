//! The queue on disk against one in memory.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::collections::VecDeque;

use proptest::prelude::*;
use sage_store::SpillQueue;
use sage_types::ErrorCode;

#[derive(Debug, Clone)]
enum Step {
    Push(usize, u8),
    Pop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![0_usize..50, 1_000_usize..200_000, Just(3 << 20)];
    prop_oneof![
        (length, any::<u8>()).prop_map(|(length, byte)| Step::Push(length, byte)),
        (1_usize..4).prop_map(Step::Pop),
    ]
}

fn files(folder: &std::path::Path) -> Vec<u64> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn records_come_out_as_they_went_in(steps in prop::collection::vec(step(), 1..150)) {
        const LIMIT: u64 = 40 << 20;
        let parent = tempfile::tempdir().unwrap();
        let mut queue = SpillQueue::create(&parent.path().join("queue"), "loop", LIMIT).unwrap();
        let mut oracle: VecDeque<Vec<u8>> = VecDeque::new();
        let mut record = Vec::new();
        for step in steps {
            match step {
                Step::Push(length, byte) => {
                    let new = vec![byte; length];
                    let held: u64 = oracle.iter().map(|record| record.len() as u64 + 8).sum();
                    if held + length as u64 + 8 > LIMIT {
                        prop_assert_eq!(queue.push(&new).unwrap_err().code, ErrorCode::SpillLimit);
                    } else {
                        queue.push(&new).unwrap();
                        oracle.push_back(new);
                    }
                }
                Step::Pop(times) => {
                    for _ in 0..times {
                        prop_assert_eq!(queue.pop(&mut record).unwrap(), !oracle.is_empty());
                        if let Some(expected) = oracle.pop_front() {
                            prop_assert_eq!(&record, &expected);
                        }
                    }
                }
            }
            prop_assert_eq!(queue.len(), oracle.len() as u64);
            prop_assert_eq!(queue.bytes(), oracle.iter().map(|record| record.len() as u64 + 8).sum::<u64>());
            // What was read does not stay: at most one file's worth, and what fits in behind it.
            let on_disk: u64 = files(&parent.path().join("queue")).iter().sum();
            prop_assert!(on_disk <= queue.bytes() + (16 << 20) + (3 << 20) + 8);
        }
        drop(queue);
        prop_assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}

#[test]
fn given_a_full_queue_then_the_error_says_how_full() {
    let parent = tempfile::tempdir().unwrap();
    let mut queue = SpillQueue::create(&parent.path().join("queue"), "the loop orders", 100).unwrap();
    queue.push(&[1; 80]).unwrap();
    let error = queue.push(&[2; 20]).unwrap_err();
    assert_eq!(error.code, ErrorCode::SpillLimit);
    assert!(
        error
            .message
            .contains("the loop orders holds 1 records of 88 bytes"),
        "{error}"
    );
    assert_eq!(error.context["limitBytes"], 100.0.into());
    // It stays as it was.
    let mut record = Vec::new();
    assert!(queue.pop(&mut record).unwrap());
    assert_eq!(record, [1; 80]);
    assert!(!queue.pop(&mut record).unwrap());
}

#[test]
fn given_a_damaged_file_then_the_record_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("queue");
    let mut queue = SpillQueue::create(&folder, "loop", 1 << 20).unwrap();
    // More than what waits in memory, so that the first records are in the file.
    for _ in 0..200 {
        queue.push(&[7; 1000]).unwrap();
    }
    let file = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut damaged = std::fs::read(&file).unwrap();
    damaged[500] ^= 1;
    std::fs::write(&file, &damaged).unwrap();

    let error = queue.pop(&mut Vec::new()).unwrap_err();

    assert_eq!(error.code, ErrorCode::StateCorrupt);
    assert_eq!(error.context["directory"], folder.display().to_string().into());
}
