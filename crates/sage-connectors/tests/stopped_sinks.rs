//! Sinks whose job was stopped, so that all they wrote is complete and visible, go on when there are more records.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use sage_connectors::{BatchSink, Restored, SavedPosition};
use sage_types::ErrorCode;
use serde_json::{Value, json};
use support::resumed::{Dice, FORMATS, crash, open, prepare, records, resume, spec_of};
use support::written::{frames_of, names, tree};

type Sinks = Vec<Box<dyn BatchSink>>;

/// As the last epoch of a job that stops: complete, but so that there can be more.
fn seal(sinks: &mut Sinks) -> Vec<SavedPosition> {
    prepare(sinks, false);
    prepare(sinks, true)
}

fn commit(sinks: Sinks) -> u64 {
    sinks.into_iter().map(|sink| sink.commit().unwrap().records).sum()
}

fn resumed(spec: &str, instances: u32, saved: &[SavedPosition]) -> Sinks {
    resume(spec, instances, saved)
        .unwrap()
        .into_iter()
        .map(|(sink, _)| sink)
        .collect()
}

/// The rows of all files.
fn rows(kind: &str, directory: &Path) -> Vec<String> {
    let mut rows: Vec<String> = tree(directory)
        .keys()
        .flat_map(|name| {
            let read = support::read(&support::spec(kind, &directory.join(name), &json!({})));
            read.end.unwrap();
            read.rows
        })
        .map(|row| format!("{row:?}"))
        .collect();
    rows.sort();
    rows
}

/// Writes records. Now and then, `stops` given, the job stops, with a commit or without one, and goes on, with a crash or without.
fn run(format: (&str, &str), options: &Value, seed: u64, stops: bool) -> Vec<String> {
    let mut dice = Dice(seed);
    let directory = tempfile::tempdir().unwrap();
    let count = dice.roll(80);
    let records = records(count, &mut dice);
    let (frames, registry) = frames_of(&records, 1 + dice.roll(40));
    let spec = spec_of(
        format,
        format!("{}/", directory.path().display()).as_ref(),
        options,
    );
    let mut sinks = open(&spec, 1);
    let mut saved: Option<(usize, Vec<SavedPosition>)> = None;
    let (mut at, mut crashes) = (0, 4);
    while at < frames.len() {
        sinks[0].write(&frames[at].view(&registry).unwrap()).unwrap();
        at += 1;
        if !stops {
            continue;
        }
        match dice.roll(8) {
            0 => saved = Some((at, prepare(&mut sinks, false))),
            1 | 2 => {
                let sealed = seal(&mut sinks);
                if dice.roll(2) == 0 {
                    commit(sinks);
                } else {
                    sinks.into_iter().for_each(BatchSink::detach);
                }
                sinks = resumed(&spec, 1, &sealed);
                saved = Some((at, sealed));
            }
            3 if crashes > 0 => {
                if let Some((position, saved)) = &saved {
                    crashes -= 1;
                    sinks.into_iter().for_each(BatchSink::detach);
                    sinks = resumed(&spec, 1, saved);
                    at = *position;
                }
            }
            _ => {}
        }
    }
    seal(&mut sinks);
    commit(sinks);
    let hidden: Vec<String> = names(directory.path())
        .into_iter()
        .filter(|name| name.contains(".tmp"))
        .collect();
    assert!(hidden.is_empty(), "{format:?} {options} {hidden:?}");
    rows(format.0, directory.path())
}

proptest! {
    // Each case writes and syncs dozens of files.
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn given_stops_and_crashes_when_a_sink_goes_on_then_each_record_is_there_once(
        seed: u64,
        format in select(&FORMATS),
        options in select(vec![
            json!({}),
            json!({ "maxFileRows": 7 }),
            json!({ "partitionBy": ["group"], "maxOpenFiles": 2 }),
            json!({ "existing": "replace" }),
            json!({ "existing": "add" }),
        ]),
    ) {
        prop_assert_eq!(run(format, &options, seed, true), run(format, &options, seed, false));
    }
}

#[test]
fn given_a_stop_when_another_parallelism_goes_on_then_each_record_is_there_once() {
    for format in FORMATS {
        for options in [
            json!({}),
            json!({ "partitionBy": ["group"] }),
            json!({ "existing": "replace" }),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let spec = spec_of(
                format,
                format!("{}/", directory.path().display()).as_ref(),
                &options,
            );
            let (frames, registry) = frames_of(&records(150, &mut Dice(7)), 5);
            let mut sinks = open(&spec, 3);
            let mut frames = frames.iter();
            for instances in [3, 1, 4, 2, 5, 5] {
                if sinks.is_empty() || sinks.len() != instances as usize {
                    let sealed = seal(&mut sinks);
                    commit(sinks);
                    sinks = resumed(&spec, instances, &sealed);
                }
                for (turn, frame) in frames.by_ref().take(5).enumerate() {
                    let sink = turn % sinks.len();
                    sinks[sink].write(&frame.view(&registry).unwrap()).unwrap();
                }
            }
            seal(&mut sinks);
            commit(sinks);
            let undisturbed = tempfile::tempdir().unwrap();
            let whole = spec_of(
                format,
                format!("{}/", undisturbed.path().display()).as_ref(),
                &options,
            );
            let (frames, registry) = frames_of(&records(150, &mut Dice(7)), 5);
            let mut sinks = open(&whole, 1);
            for frame in &frames {
                sinks[0].write(&frame.view(&registry).unwrap()).unwrap();
            }
            commit(sinks);
            assert_eq!(
                rows(format.0, directory.path()),
                rows(format.0, undisturbed.path()),
                "{format:?} {options}"
            );
        }
    }
}

#[test]
fn given_an_instance_that_had_ended_when_fewer_go_on_then_its_part_gets_more() {
    let directory = tempfile::tempdir().unwrap();
    let spec = spec_of(("json", "none"), &directory.path().join("out-{part}"), &json!({}));
    let (frames, registry) = frames_of(&records(40, &mut Dice(3)), 10);
    let mut sinks = open(&spec, 2);
    for (index, frame) in frames[..2].iter().enumerate() {
        sinks[index].write(&frame.view(&registry).unwrap()).unwrap();
    }
    let mut ended = vec![sinks.remove(0)];
    let mut saved = seal(&mut ended);
    saved[0].parallelism = 2;
    saved.push(SavedPosition {
        instance: 1,
        parallelism: 2,
        bytes: sinks[0].prepare(false).unwrap(),
    });
    crash(sinks, directory.path());
    ended.into_iter().for_each(BatchSink::detach);
    for _crash in 0..2 {
        let mut sinks = resumed(&spec, 1, &saved);
        sinks[0].write(&frames[2].view(&registry).unwrap()).unwrap();
        sinks.into_iter().for_each(BatchSink::detach);
    }
    let mut sinks = resumed(&spec, 1, &saved);
    for frame in &frames[2..] {
        sinks[0].write(&frame.view(&registry).unwrap()).unwrap();
    }
    seal(&mut sinks);
    commit(sinks);
    assert_eq!(names(directory.path()), ["out-00000", "out-00001"]);
    assert_eq!(rows("json", directory.path()).len(), 40);
}

#[test]
fn given_a_stop_when_nothing_more_comes_then_the_file_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let spec = support::spec("jsonLines", &path, &json!({}));
    let (frames, registry) = frames_of(&records(20, &mut Dice(1)), 5);
    let mut sinks = open(&spec, 1);
    sinks[0].write(&frames[0].view(&registry).unwrap()).unwrap();
    let sealed = seal(&mut sinks);
    commit(sinks);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let mut sinks = resumed(&spec, 1, &sealed);
    let again = prepare(&mut sinks, false);
    sinks.into_iter().for_each(BatchSink::detach);
    let mut restored = resume(&spec, 1, &again).unwrap();
    assert_eq!(restored[0].1, Restored::Sealed);
    restored.remove(0).0.commit().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert_eq!(names(directory.path()), ["out"]);
}

#[test]
fn given_files_that_are_appended_to_when_a_stopped_job_goes_on_then_it_appends_behind() {
    for there in [None, Some("\"old\"\n")] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        if let Some(there) = there {
            fs::write(&path, there).unwrap();
        }
        let spec = support::spec("jsonLines", &path, &json!({ "append": true }));
        let (frames, registry) = frames_of(&[json!(1), json!(2), json!(3)], 1);
        let mut sinks = open(&spec, 1);
        for (index, frame) in frames.iter().enumerate() {
            sinks[0].write(&frame.view(&registry).unwrap()).unwrap();
            let sealed = seal(&mut sinks);
            if index == 1 {
                // The process dies before the commit.
                sinks.into_iter().for_each(BatchSink::detach);
            } else {
                commit(sinks);
            }
            sinks = resumed(&spec, 1, &sealed);
        }
        commit(sinks);
        let old = there.unwrap_or_default();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{old}1\n2\n3\n"));
        assert_eq!(names(directory.path()), ["out"]);
    }
}

#[test]
fn given_a_file_that_somebody_else_has_written_when_a_stopped_job_goes_on_then_it_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let spec = support::spec("jsonLines", &path, &json!({}));
    let (frames, registry) = frames_of(&records(20, &mut Dice(1)), 5);
    let mut sinks = open(&spec, 1);
    sinks[0].write(&frames[0].view(&registry).unwrap()).unwrap();
    let sealed = seal(&mut sinks);
    commit(sinks);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "another\n").unwrap();
    let error = resume(&spec, 1, &sealed).map(drop).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointSink);
    assert!(error.message.contains("out"), "{}", error.message);
}
