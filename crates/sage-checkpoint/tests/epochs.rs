//! What is committed is what is restored.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{EntryReader, EntryWriter, FaultPoint, Files, PartKey, PartKind, PartPayload};
use sage_types::ErrorCode;
use support::{Change, Job, changes, delete, keyed_key, own_key, path_of, put, store_in};

#[test]
fn given_an_empty_directory_then_there_is_no_epoch_and_the_first_one_is_1() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    assert!(store.newest().unwrap().is_none());
    assert_eq!(store.next_epoch(), 1);
    assert_eq!(store.base_for_changes(), None);
}

#[test]
fn given_an_epoch_when_the_directory_is_opened_again_then_its_parts_and_metadata_are_there() {
    let files = SimulatedFiles::new();
    let mut job = Job::default();
    job.apply(&[put(0, 1, "a", "1"), put(1, 200, "b", "")]);
    let summary = job.commit_whole(&store_in(&files, 3).unwrap(), 1).unwrap();
    assert_eq!((summary.epoch, summary.path), (1, path_of(1)));
    assert_eq!(summary.bytes, files.bytes_of(&path_of(1)).unwrap().len() as u64);

    let store = store_in(&files, 3).unwrap();
    let restored = store.newest().unwrap().unwrap();

    assert_eq!(restored.epoch, 1);
    assert_eq!(Job::of(&restored).unwrap(), job);
    assert_eq!(restored.operators(), ["count", "name:source"]);
    assert!(restored.part("count", "timers").unwrap().is_empty());
    assert!(restored.part("nobody", "state").unwrap().is_empty());
    assert_eq!(store.next_epoch(), 2);
}

#[test]
fn given_instances_that_hand_over_in_any_order_then_their_parts_are_in_order() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    let mut writer = store.begin(1).unwrap();
    for instance in [2, 0, 10, 1] {
        let key = PartKey {
            instance,
            parallelism: 11,
            ..own_key()
        };
        writer.add(&key, PartKind::Own, true, &[7; 3]).unwrap();
    }
    writer.commit("{}").unwrap();
    let parts = store
        .newest()
        .unwrap()
        .unwrap()
        .part("name:source", "position")
        .unwrap();
    let instances: Vec<u32> = parts.iter().map(|(key, _)| key.instance).collect();
    assert_eq!(instances, [0, 1, 2, 10]);
    assert!(
        parts
            .iter()
            .all(|(_, payload)| *payload == PartPayload::Own(vec![7; 3]))
    );
}

#[test]
fn given_changes_on_top_of_an_epoch_then_the_newest_value_wins_and_deleted_keys_are_gone() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    let mut job = Job::default();
    job.apply(&[
        put(0, 1, "a", "1"),
        put(0, 1, "b", "1"),
        put(0, 2, "a", "other group"),
        put(1, 5, "c", "1"),
    ]);
    job.commit_whole(&store, 1).unwrap();
    let steps: [&[Change]; 3] = [
        &[put(0, 1, "a", "2"), delete(0, 1, "b")],
        &[
            put(0, 1, "b", "3"),
            put(0, 1, "b", "4"),
            delete(1, 5, "c"),
            delete(1, 5, "never there"),
        ],
        &[],
    ];
    for (epoch, step) in (2..).zip(steps) {
        job.apply(step);
        let base = store.base_for_changes().unwrap();
        job.commit_changes(&store, epoch, base, step).unwrap();
        assert_eq!(
            Job::of(&store.newest().unwrap().unwrap()).unwrap(),
            job.without_empty()
        );
    }
    assert_eq!(store.epochs(), [4, 3, 2, 1]);
    assert_eq!(job.state[&0].len(), 3);
}

#[test]
fn given_key_groups_then_only_their_entries_are_given_out_of_all_instances() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    let mut job = Job::default();
    let first: Vec<Change> = (0..200)
        .map(|group| put(u32::from(group % 2), group, "k", "old"))
        .collect();
    job.apply(&first);
    job.commit_whole(&store, 1).unwrap();
    let second = [
        put(0, 10, "k", "new"),
        delete(1, 11, "k"),
        put(1, 151, "l", "new"),
    ];
    job.apply(&second);
    job.commit_changes(&store, 2, 1, &second).unwrap();
    let restored = store.newest().unwrap().unwrap();

    let mut found = Vec::new();
    restored
        .visit_entries("count", "state", &(10..13), &mut |entry| {
            found.push((entry.key_group, entry.value.unwrap().to_vec()));
            Ok(())
        })
        .unwrap();

    found.sort();
    assert_eq!(found, [(10, b"new".to_vec()), (12, b"old".to_vec())]);
    let own = restored.visit_entries("name:source", "position", &(0..1), &mut |_| Ok(()));
    assert_eq!(own.unwrap_err().code, ErrorCode::CheckpointDamaged);
}

#[test]
fn given_entries_larger_than_what_is_read_at_once_then_they_are_given_out_whole() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    let mut payload = EntryWriter::new();
    for length in [3 << 20, 0, 1, (1 << 20) - 11, 1 << 20, 5, 700_000, 700_000] {
        payload
            .put(1, &u32::to_le_bytes(length), &vec![1; length as usize])
            .unwrap();
    }
    let mut writer = store.begin(1).unwrap();
    writer
        .add(&keyed_key(0), PartKind::Keyed, true, payload.as_bytes())
        .unwrap();
    writer.commit("null").unwrap();

    let mut found = EntryWriter::new();
    let restored = store.newest().unwrap().unwrap();
    restored
        .visit_entries("count", "state", &(0..128), &mut |entry| found.push(entry))
        .unwrap();

    assert_eq!(found.count(), 8);
    assert!(found.as_bytes() == payload.as_bytes());
}

#[test]
fn given_more_epochs_than_are_retained_then_older_ones_are_removed_but_for_bases() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 2).unwrap();
    let mut job = Job::default();
    for epoch in 1..=3 {
        job.apply(&[]);
        job.commit_whole(&store, epoch).unwrap();
    }
    assert_eq!(store.epochs(), [3, 2]);
    for epoch in 4..=6 {
        job.apply(&[]);
        job.commit_changes(&store, epoch, epoch - 1, &[]).unwrap();
    }
    assert_eq!(store.epochs(), [6, 5, 4, 3]);
    let summary = store.merge(6).unwrap().unwrap();
    assert_eq!((summary.epoch, &summary.path), (6, &path_of(6)));
    assert_eq!(store.epochs(), [6, 5, 4, 3], "epoch 5 is retained, too");
    job.apply(&[]);
    job.commit_changes(&store, 7, 6, &[]).unwrap();
    assert_eq!(store.epochs(), [7, 6]);
    assert_eq!(Job::of(&store.newest().unwrap().unwrap()).unwrap(), job);
}

#[test]
fn given_a_merge_then_the_epoch_is_the_same_and_stands_alone() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    let mut job = Job::default();
    job.apply(&[put(0, 1, "a", "1"), put(1, 2, "b", "1")]);
    job.commit_whole(&store, 1).unwrap();
    let step = [put(0, 1, "a", "2"), delete(1, 2, "b")];
    job.apply(&step);
    job.commit_changes(&store, 2, 1, &step).unwrap();
    let before = store.newest().unwrap().unwrap();

    store.merge(2).unwrap().unwrap();

    assert_eq!(store.epochs(), [2]);
    assert_eq!(
        Job::of(&store.newest().unwrap().unwrap()).unwrap(),
        job.without_empty()
    );
    assert_eq!(
        Job::of(&before).unwrap(),
        job.without_empty(),
        "what was opened before stays readable"
    );
    assert!(store.merge(2).unwrap().is_none(), "nothing is left to do");
    assert!(store.merge(1).unwrap().is_none(), "it is gone");
    let step = [put(0, 1, "c", "3")];
    job.apply(&step);
    job.commit_changes(&store, 3, 2, &step).unwrap();
    let again = store_in(&files, 1);
    assert_eq!(again.unwrap_err().code, ErrorCode::CheckpointLocked);
    drop(store);
    let store = store_in(&files, 1).unwrap();
    assert_eq!(
        Job::of(&store.newest().unwrap().unwrap()).unwrap(),
        job.without_empty()
    );
}

#[test]
fn given_changes_on_changes_then_the_chain_asks_for_a_merge_and_ends_when_none_comes() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    let job = Job::default();
    job.commit_whole(&store, 1).unwrap();
    let mut asked_at = None;
    let mut epoch = 1;
    while let Some(base) = store.base_for_changes() {
        epoch += 1;
        job.commit_changes(&store, epoch, base, &[]).unwrap();
        asked_at = asked_at.or_else(|| store.needs_merge());
    }
    assert_eq!((asked_at, epoch), (Some(8), 32));
    assert_eq!(store.begin_changes(33, 32).unwrap_err().code, ErrorCode::Internal);
    job.commit_whole(&store, 33).unwrap();
    assert_eq!((store.needs_merge(), store.epochs()), (None, vec![33]));
}

#[test]
fn given_a_directory_that_was_opened_again_then_the_first_epoch_has_to_stand_alone() {
    let files = SimulatedFiles::new();
    Job::default()
        .commit_whole(&store_in(&files, 1).unwrap(), 1)
        .unwrap();
    let store = store_in(&files, 1).unwrap();
    assert_eq!(store.base_for_changes(), None);
    assert!(store.begin_changes(2, 1).is_err());
}

#[test]
fn given_a_writer_that_is_dropped_then_nothing_of_it_is_left_and_its_number_is_not_given_out_again() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    let mut writer = store.begin(1).unwrap();
    Job::default().add_whole(&mut writer).unwrap();
    assert_eq!(files.list(support::DIRECTORY.as_ref()).unwrap().len(), 2);
    drop(writer);
    assert_eq!(files.list(support::DIRECTORY.as_ref()).unwrap(), ["LOCK"]);
    assert_eq!(store.next_epoch(), 2);
    assert!(store.newest().unwrap().is_none());
}

#[test]
fn given_parts_that_must_not_be_then_adding_fails_and_so_does_the_commit() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    let mut deletes = EntryWriter::new();
    deletes.delete(1, b"k").unwrap();
    let deletes = deletes.into_bytes();
    Job::default().commit_whole(&store, 1).unwrap();
    let new_key = PartKey {
        instance: 1,
        parallelism: 3,
        ..keyed_key(0)
    };
    let cases: [(&PartKey, bool, &[u8], ErrorCode); 4] = [
        (&keyed_key(0), true, &[1, 2, 3], ErrorCode::FormatBatch),
        (&keyed_key(0), true, &deletes, ErrorCode::FormatBatch),
        (&new_key, false, &deletes, ErrorCode::Internal),
        (&keyed_key(1), true, &[], ErrorCode::Internal),
    ];
    for (key, is_full, payload, code) in cases {
        let mut writer = store.begin_changes(2, 1).unwrap();
        writer
            .add(&keyed_key(1), PartKind::Keyed, false, &deletes)
            .unwrap();
        let error = writer.add(key, PartKind::Keyed, is_full, payload).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains("'count'"), "{error}");
        assert_eq!(
            writer.add(&own_key(), PartKind::Own, true, b"").unwrap_err(),
            error
        );
        assert_eq!(writer.commit("{}").unwrap_err(), error);
    }
    let writer = store.begin(2).unwrap();
    assert_eq!(writer.commit("{").unwrap_err().code, ErrorCode::Internal);
    assert_eq!(store.epochs(), [1]);
}

#[test]
fn given_numbers_that_do_not_rise_then_no_epoch_takes_the_place_of_another() {
    let store = store_in(&SimulatedFiles::new(), 3).unwrap();
    let job = Job::default();
    job.commit_whole(&store, 5).unwrap();
    for epoch in [0, 1, 5] {
        assert_eq!(store.begin(epoch).unwrap_err().code, ErrorCode::Internal);
    }
    let late = store.begin(6).unwrap();
    assert!(store.begin(6).is_err());
    job.commit_whole(&store, 7).unwrap();
    assert_eq!(late.commit("{}").unwrap_err().code, ErrorCode::Internal);
    assert_eq!(store.epochs(), [7, 5]);
}

#[test]
fn given_a_commit_then_the_fault_points_are_reached_in_their_order() {
    let files = SimulatedFiles::new();
    let store = store_in(&files, 1).unwrap();
    let job = Job::default();
    job.commit_whole(&store, 1).unwrap();
    job.commit_whole(&store, 2).unwrap();
    let mut of_second: Vec<FaultPoint> = files
        .reached_points()
        .into_iter()
        .filter_map(|(point, epoch)| (epoch == 2).then_some(point))
        .collect();
    // After each part.
    of_second.dedup();
    let merges = [FaultPoint::BeforeMergeRename, FaultPoint::AfterMergeRename];
    let expected: Vec<FaultPoint> = FaultPoint::ALL
        .into_iter()
        .filter(|point| !merges.contains(point))
        .collect();
    assert_eq!(of_second, expected);
    job.commit_changes(&store, 3, 2, &[]).unwrap();
    store.merge(3).unwrap();
    assert!(
        merges
            .iter()
            .all(|&point| files.reached_points().contains(&(point, 3)))
    );
}

#[test]
fn given_read_results_then_entries_are_in_the_order_in_which_they_were_handed_over() {
    let store = store_in(&SimulatedFiles::new(), 1).unwrap();
    let mut payload = EntryWriter::new();
    for key in ["z", "a", "m"] {
        payload.put(1, key.as_bytes(), b"").unwrap();
    }
    let mut writer = store.begin(1).unwrap();
    writer
        .add(&keyed_key(0), PartKind::Keyed, true, payload.as_bytes())
        .unwrap();
    writer.commit("{}").unwrap();
    let mut changes = EntryWriter::new();
    changes.put(1, b"b", b"").unwrap();
    changes.delete(1, b"a").unwrap();
    let mut writer = store.begin_changes(2, 1).unwrap();
    writer
        .add(&keyed_key(0), PartKind::Keyed, false, changes.as_bytes())
        .unwrap();
    writer.commit("{}").unwrap();
    let parts = store.newest().unwrap().unwrap().part("count", "state").unwrap();
    let keys: Vec<&[u8]> = EntryReader::new(parts[0].1.bytes())
        .map(|entry| entry.unwrap().key)
        .collect();
    assert_eq!(keys, [b"z", b"m", b"b"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn given_any_run_of_changes_and_merges_then_each_epoch_that_is_kept_is_what_the_job_was(
        steps in prop::collection::vec((changes(), 0_u8..6), 1..20),
        retained in 1_usize..4,
    ) {
        let files = SimulatedFiles::new();
        let store = store_in(&files, retained).unwrap();
        let mut job = Job::default();
        let mut jobs = vec![job.clone()];
        for (epoch, (step, choice)) in (1..).zip(&steps) {
            job.apply(step);
            match store.base_for_changes() {
                Some(base) if *choice > 0 => job.commit_changes(&store, epoch, base, step).unwrap(),
                _ => job.commit_whole(&store, epoch).unwrap(),
            };
            jobs.push(job.without_empty());
            if *choice == 5 {
                store.merge(epoch).unwrap();
            }
            for kept in store.epochs().into_iter().take(retained) {
                let restored = store.read(&path_of(kept)).unwrap();
                prop_assert_eq!(&Job::of(&restored).unwrap(), &jobs[usize::try_from(kept).unwrap()]);
            }
        }
        let kept = store.epochs();
        prop_assert!(kept.len() >= retained.min(steps.len()));
        prop_assert_eq!(kept[0], steps.len() as u64);
    }
}
