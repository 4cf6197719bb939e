//! Damaged files are recognised, wherever the damage is.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::path::Path;

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{CheckpointStore, read_epoch};
use sage_types::ErrorCode;
use support::{Job, delete, path_of, put, store_in};

/// A directory whose epochs are 1, and 2 with changes on top of it when that is asked for.
fn two_epochs(is_changes: bool) -> (SimulatedFiles, [Job; 2]) {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 2).unwrap();
    let mut job = Job::default();
    job.apply(&[put(0, 1, "key", "value"), put(1, 2, "other", "value")]);
    job.commit_whole(&store, 1).unwrap();
    let first = job.clone();
    let step = [put(0, 1, "key", "changed"), delete(1, 2, "other")];
    job.apply(&step);
    if is_changes {
        job.commit_changes(&store, 2, 1, &step).unwrap();
    } else {
        job.commit_whole(&store, 2).unwrap();
    }
    (files, [first, job.without_empty()])
}

#[test]
fn given_a_flipped_bit_anywhere_then_the_epoch_before_is_taken_and_the_error_names_the_file() {
    for is_changes in [false, true] {
        let (files, [first, _]) = two_epochs(is_changes);
        let name = path_of(2).display().to_string();
        let length = files.bytes_of(&path_of(2)).unwrap().len();
        for byte in 0..length {
            let flip = |bytes: &mut Vec<u8>| bytes[byte] ^= 1 << (byte % 8);
            files.tamper(&path_of(2), flip).unwrap();
            let store = store_in(&files, 2).unwrap();
            let restored = store.newest().unwrap().unwrap();
            assert_eq!(restored.epoch, 1, "byte {byte} of {length}");
            assert_eq!(Job::of(&restored).unwrap(), first);
            let [skipped] = restored.skipped() else {
                panic!("byte {byte}: {:?}", restored.skipped());
            };
            assert_eq!(skipped.code, ErrorCode::CheckpointDamaged);
            assert!(skipped.message.contains(&name), "{skipped}");
            assert_eq!(
                store.next_epoch(),
                3,
                "the number of the damaged one is not used again"
            );
            files.tamper(&path_of(2), flip).unwrap();
        }
        assert_eq!(store_in(&files, 2).unwrap().newest().unwrap().unwrap().epoch, 2);
    }
}

#[test]
fn given_a_file_of_any_other_length_then_it_is_damaged() {
    let (files, _) = two_epochs(false);
    let whole = files.bytes_of(&path_of(2)).unwrap();
    for length in (0..whole.len()).chain([whole.len() + 1, whole.len() + 40]) {
        files
            .tamper(&path_of(2), |bytes| bytes.resize(length, 0))
            .unwrap();
        let error = read_epoch(&files.shared(), &path_of(2)).unwrap_err();
        assert_eq!(error.code, ErrorCode::CheckpointDamaged, "{length}: {error}");
        assert_eq!(store_in(&files, 2).unwrap().newest().unwrap().unwrap().epoch, 1);
        files
            .tamper(&path_of(2), |bytes| bytes.clone_from(&whole))
            .unwrap();
    }
}

#[test]
fn given_a_damaged_part_then_the_error_names_operator_part_and_instance() {
    let (files, _) = two_epochs(false);
    files
        .tamper(&path_of(2), |bytes| {
            let place = bytes.windows(7).position(|bytes| bytes == b"changed").unwrap();
            bytes[place] = b'C';
        })
        .unwrap();
    let error = read_epoch(&files.shared(), &path_of(2)).unwrap_err();
    assert!(
        error.message.contains("part 'state' of 'count', instance 0 of 2"),
        "{error}"
    );
    assert_eq!(error.context["operator"], "count".into());
    assert_eq!(error.context["part"], "state".into());
    assert_eq!(error.context["file"], path_of(2).display().to_string().into());
}

#[test]
fn given_a_damaged_base_then_the_epochs_on_top_of_it_are_skipped_too() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 4).unwrap();
    let job = Job::default();
    job.commit_whole(&store, 1).unwrap();
    job.commit_whole(&store, 2).unwrap();
    job.commit_changes(&store, 3, 2, &[]).unwrap();
    job.commit_changes(&store, 4, 3, &[]).unwrap();
    files.tamper(&path_of(2), |bytes| bytes[45] ^= 1).unwrap();

    let restored = store.newest().unwrap().unwrap();

    assert_eq!(restored.epoch, 1);
    assert_eq!(restored.skipped().len(), 3);
    let name = path_of(2).display().to_string();
    assert!(
        restored
            .skipped()
            .iter()
            .all(|error| error.message.contains(&name))
    );
    assert_eq!(
        store.base_for_changes(),
        None,
        "nothing is put on top of what is damaged"
    );
}

#[test]
fn given_a_base_that_is_missing_then_the_error_says_which() {
    let (files, _) = two_epochs(true);
    let store = store_in(&files, 2).unwrap();
    sage_checkpoint::Files::remove(&files, &path_of(1)).unwrap();
    let error = store.newest().unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointDamaged);
    assert!(error.cause.unwrap().contains("on top of epoch 1"));
}

#[test]
fn given_no_epoch_that_is_whole_then_it_is_an_error_and_not_a_new_start() {
    let (files, _) = two_epochs(false);
    for epoch in [1, 2] {
        files.tamper(&path_of(epoch), Vec::clear).unwrap();
    }
    let store = store_in(&files, 2).unwrap();
    let error = store.newest().unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointDamaged);
    assert!(error.message.contains("none of the 2 epochs"), "{error}");
    assert_eq!(
        store.read(support::DIRECTORY.as_ref()).unwrap_err().code,
        ErrorCode::CheckpointDamaged
    );
}

#[test]
fn given_a_damaged_epoch_then_the_sound_ones_are_retained_in_its_place() {
    let (files, _) = two_epochs(false);
    files.tamper(&path_of(2), Vec::clear).unwrap();
    let store = store_in(&files, 2).unwrap();
    let job = Job::of(&store.newest().unwrap().unwrap()).unwrap();
    job.commit_whole(&store, 3).unwrap();
    assert_eq!(store.epochs(), [3, 2, 1]);
    job.commit_whole(&store, 4).unwrap();
    assert_eq!(store.epochs(), [4, 3]);
}

#[test]
fn given_a_file_of_a_newer_format_then_it_is_neither_read_nor_skipped() {
    let (files, _) = two_epochs(false);
    files
        .tamper(&path_of(2), |bytes| {
            bytes[8] = 2;
            let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[..32]);
            bytes[32..40].copy_from_slice(&checksum.to_le_bytes());
        })
        .unwrap();
    let store: CheckpointStore = store_in(&files, 2).unwrap();
    let error = store.newest().unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointVersion);
    assert!(
        error.message.contains("format 2") && error.message.contains("up to 1"),
        "{error}"
    );
}

#[test]
fn given_a_file_under_the_name_of_another_epoch_then_it_is_not_taken_for_it() {
    let (files, [first, _]) = two_epochs(false);
    let second = files.bytes_of(&path_of(2)).unwrap();
    files
        .tamper(&path_of(1), |bytes| bytes.clone_from(&second))
        .unwrap();
    let restored = store_in(&files, 2).unwrap().newest().unwrap().unwrap();
    assert_eq!((restored.epoch, restored.skipped().len()), (2, 0));

    let (files, _) = two_epochs(false);
    let first_bytes = files.bytes_of(&path_of(1)).unwrap();
    files
        .tamper(&path_of(2), |bytes| bytes.clone_from(&first_bytes))
        .unwrap();
    let restored = store_in(&files, 2).unwrap().newest().unwrap().unwrap();
    assert_eq!((restored.epoch, restored.skipped().len()), (1, 1));
    assert_eq!(Job::of(&restored).unwrap(), first);
}

#[test]
fn given_paths_without_an_epoch_then_the_error_says_so() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    for path in [
        "/nowhere",
        "/checkpoints/epoch-00000000000000000009.ckpt",
        "/checkpoints",
    ] {
        let error = store.read(Path::new(path)).unwrap_err();
        assert_eq!(error.code, ErrorCode::IoNotFound, "{error}");
        assert!(error.message.contains(path), "{error}");
    }
}
