//! Sinks go on behind what an earlier process prepared, and what it wrote after that is gone.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use sage_connectors::{BatchSink, Guarantee, Restored, SavedPosition};
use sage_frame::Frame;
use sage_types::ErrorCode;
use serde_json::{Value, json};
use support::resumed::{Dice, FORMATS, crash, open, prepare, records, resume, spec_of};
use support::written::{frames_of, names, text_of, tree};

/// What is in the files, where bytes say nothing: the records of each.
fn content(kind: &str, directory: &Path) -> Vec<(String, Vec<String>)> {
    let files = tree(directory);
    files
        .iter()
        .map(|(name, bytes)| match kind {
            "parquet" | "arrow" => {
                let read = support::read(&support::spec(kind, &directory.join(name), &json!({})));
                read.end.unwrap();
                (
                    name.clone(),
                    read.rows.iter().map(|row| format!("{row:?}")).collect(),
                )
            }
            _ => (name.clone(), vec![text_of(name, bytes)]),
        })
        .collect()
}

/// Writes records with a checkpoint now and then; with crashes, or without.
fn run(format: (&str, &str), options: &Value, seed: u64, crashes: bool) -> Vec<(String, Vec<String>)> {
    let mut dice = Dice(seed);
    let directory = tempfile::tempdir().unwrap();
    let count = dice.roll(300);
    let records = records(count, &mut dice);
    // Each checkpoint waits for the disk: not too many batches, however many records there are.
    let (frames, registry) = frames_of(&records, 1 + count / (1 + dice.roll(24)));
    let spec = spec_of(
        format,
        format!("{}/", directory.path().display()).as_ref(),
        options,
    );
    let mut sinks = open(&spec, 1);
    let mut saved: Option<(usize, Vec<SavedPosition>)> = None;
    let (mut at, mut left) = (0, if crashes { 4 } else { 0 });
    let checkpoints: Vec<bool> = frames.iter().map(|_| dice.roll(4) == 0).collect();
    let write = |sinks: &mut [Box<dyn BatchSink>], frame: &Frame| {
        sinks[0].write(&frame.view(&registry).unwrap()).unwrap();
    };
    while at < frames.len() {
        write(&mut sinks, &frames[at]);
        at += 1;
        if checkpoints[at - 1] {
            saved = Some((at, prepare(&mut sinks, false)));
        }
        if left > 0
            && dice.roll(5) == 0
            && let Some((position, saved)) = &saved
        {
            left -= 1;
            crash(sinks, directory.path());
            let resumed = resume(&spec, 1, saved).unwrap();
            assert_eq!(resumed[0].1, Restored::Open);
            sinks = resumed.into_iter().map(|(sink, _)| sink).collect();
            at = *position;
        }
    }
    let sealed = prepare(&mut sinks, true);
    let reports: u64 = if crashes {
        sinks.into_iter().for_each(BatchSink::detach);
        let mut resumed = resume(&spec, 1, &sealed).unwrap();
        assert_eq!(resumed[0].1, Restored::Sealed);
        assert_eq!(
            resumed.remove(0).0.commit().unwrap().records,
            records.len() as u64
        );
        // Nobody has written down that it is done.
        let (again, _) = resume(&spec, 1, &sealed).unwrap().remove(0);
        again.commit().unwrap().records
    } else {
        sinks.remove(0).commit().unwrap().records
    };
    assert_eq!(reports, records.len() as u64);
    content(format.0, directory.path())
}

proptest! {
    // Each case writes and syncs dozens of files.
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn given_crashes_after_checkpoints_when_a_sink_goes_on_then_its_files_are_those_of_an_undisturbed_run(
        seed: u64,
        format in select(&FORMATS),
        options in select(vec![
            json!({}),
            json!({ "maxFileRows": 60 }),
            json!({ "partitionBy": ["group"], "maxOpenFiles": 2 }),
        ]),
    ) {
        prop_assert_eq!(run(format, &options, seed, true), run(format, &options, seed, false));
    }
}

#[test]
fn given_files_completed_behind_a_checkpoint_when_a_sink_is_left_then_they_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let spec = spec_of(
        ("jsonLines", "none"),
        format!("{}/", directory.path().display()).as_ref(),
        &json!({ "maxFileRows": 2 }),
    );
    let (frames, registry) = frames_of(&[json!(1), json!(2), json!(3), json!(4), json!(5)], 1);
    let mut sinks = open(&spec, 1);
    // The checkpoint has a complete file and an open one.
    for frame in &frames[..3] {
        sinks[0].write(&frame.view(&registry).unwrap()).unwrap();
    }
    let saved = prepare(&mut sinks, false);
    let in_checkpoint = names(directory.path());
    for frame in frames[3..].iter().chain(&frames) {
        sinks[0].write(&frame.view(&registry).unwrap()).unwrap();
    }
    sinks.into_iter().for_each(BatchSink::detach);
    assert_eq!(names(directory.path()), in_checkpoint);
    let (mut sink, _) = resume(&spec, 1, &saved).unwrap().remove(0);
    for frame in &frames[3..] {
        sink.write(&frame.view(&registry).unwrap()).unwrap();
    }
    assert_eq!(sink.commit().unwrap().records, 5);
    assert_eq!(
        content("jsonLines", directory.path()),
        [("00000", "1\n2\n"), ("00001", "3\n4\n"), ("00002", "5\n")]
            .map(|(number, lines)| (format!("part-00000-{number}.jsonl"), vec![lines.to_owned()]))
    );
}

#[test]
fn given_other_parallelisms_when_parts_go_on_then_each_record_is_there_once_and_no_name_twice() {
    for format in FORMATS {
        let directory = tempfile::tempdir().unwrap();
        let spec = spec_of(
            format,
            format!("{}/", directory.path().display()).as_ref(),
            &json!({}),
        );
        let (frames, registry) = frames_of(&records(120, &mut Dice(7)), 5);
        let mut sinks = open(&spec, 4);
        let mut frames = frames.iter();
        for instances in [4, 2, 3, 1, 5] {
            if instances != 4 {
                let saved = prepare(&mut sinks, false);
                crash(sinks, directory.path());
                sinks = resume(&spec, instances, &saved)
                    .unwrap()
                    .into_iter()
                    .map(|(sink, _)| sink)
                    .collect();
            }
            for (turn, frame) in frames.by_ref().take(4).enumerate() {
                let sink = turn % sinks.len();
                sinks[sink].write(&frame.view(&registry).unwrap()).unwrap();
            }
        }
        let sealed = prepare(&mut sinks, true);
        crash_sealed(sinks);
        let resumed = resume(&spec, 2, &sealed).unwrap();
        let written: u64 = resumed
            .into_iter()
            .map(|(sink, _)| sink.commit().unwrap().records)
            .sum();
        assert_eq!(written, 100, "{format:?}");
        assert_eq!(
            names(directory.path()).len(),
            5,
            "{format:?}: {:?}",
            names(directory.path())
        );
    }
}

fn crash_sealed(sinks: Vec<Box<dyn BatchSink>>) {
    sinks.into_iter().for_each(BatchSink::detach);
}

#[test]
fn given_a_temporary_file_that_is_gone_or_too_short_when_a_sink_goes_on_then_it_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.jsonl");
    let spec = support::spec("jsonLines", &path, &json!({}));
    let (frames, registry) = frames_of(&records(20, &mut Dice(1)), 5);
    let mut sinks = open(&spec, 1);
    sinks[0].write(&frames[0].view(&registry).unwrap()).unwrap();
    let saved = prepare(&mut sinks, false);
    drop(sinks);
    let temporary = directory.path().join(&names(directory.path())[0]);
    fs::File::options()
        .write(true)
        .open(&temporary)
        .unwrap()
        .set_len(3)
        .unwrap();
    for what in ["has 3 bytes", "cannot be opened"] {
        let error = resume(&spec, 1, &saved).map(drop).unwrap_err();
        assert_eq!(error.code, ErrorCode::CheckpointSink);
        assert!(
            error.message.contains(what) && error.message.contains(temporary.to_str().unwrap()),
            "{}",
            error.message
        );
        let _ = fs::remove_file(&temporary);
    }
}

#[test]
fn given_a_sink_without_checkpoints_when_it_is_dropped_then_nothing_is_left_and_nothing_was_made_durable() {
    let directory = tempfile::tempdir().unwrap();
    let spec = support::spec("jsonLines", &directory.path().join("out"), &json!({}));
    let (frames, registry) = frames_of(&records(20, &mut Dice(1)), 5);
    let mut sinks = open(&spec, 1);
    sinks[0].write(&frames[0].view(&registry).unwrap()).unwrap();
    drop(sinks);
    assert!(names(directory.path()).is_empty());
}

#[test]
fn given_a_checkpoint_when_a_sink_is_aborted_then_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let spec = support::spec("jsonLines", &directory.path().join("out"), &json!({}));
    let mut sinks = open(&spec, 1);
    prepare(&mut sinks, false);
    sinks.into_iter().for_each(BatchSink::abort);
    assert!(names(directory.path()).is_empty());
}

#[test]
fn given_a_file_to_append_to_when_the_commit_was_cut_off_then_it_is_done_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    fs::write(&path, "\"old\"").unwrap();
    let spec = support::spec("jsonLines", &path, &json!({ "append": true }));
    let (frames, registry) = frames_of(&[json!(1), json!(2), json!(3)], 1);
    let mut sinks = open(&spec, 1);
    sinks[0].write(&frames[0].view(&registry).unwrap()).unwrap();
    let saved = prepare(&mut sinks, false);
    crash(sinks, directory.path());
    let (mut sink, _) = resume(&spec, 1, &saved).unwrap().remove(0);
    sink.write(&frames[1].view(&registry).unwrap()).unwrap();
    let mut sinks = vec![sink];
    let sealed = prepare(&mut sinks, true);
    crash_sealed(sinks);
    // Half of it was copied.
    fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"\n1")
        .unwrap();
    let (sink, restored) = resume(&spec, 1, &sealed).unwrap().remove(0);
    assert_eq!(restored, Restored::Sealed);
    sink.commit().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\"old\"\n1\n2\n");
    let (again, _) = resume(&spec, 1, &sealed).unwrap().remove(0);
    again.commit().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\"old\"\n1\n2\n");
}

#[test]
fn given_standard_output_when_asked_then_records_may_come_twice() {
    let spec = support::spec("jsonLines", Path::new("-"), &json!({}));
    assert_eq!(open(&spec, 1)[0].guarantee(), Guarantee::AtLeastOnce);
    let directory = tempfile::tempdir().unwrap();
    let spec = support::spec("jsonLines", &directory.path().join("out"), &json!({}));
    assert_eq!(open(&spec, 1)[0].guarantee(), Guarantee::ExactlyOnce);
}
