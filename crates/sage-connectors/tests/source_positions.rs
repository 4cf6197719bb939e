//! Sources go on where an earlier process was, each record once, with as many instances as before or others.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Int32Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use sage_connectors::{
    BatchSource, NextBatch, SavedPosition, SourceSplit, check_resumable, open_source, pin_source,
    resume_source,
};
use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, Result, SageError};
use serde_json::{Value, json};
use support::rows_of;

/// Small numbers, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

const FORMATS: [&str; 11] = [
    "textLines",
    "textLines.gz",
    "jsonLines",
    "jsonLines.zst",
    "csv",
    "csv.gz",
    "json",
    "json.gz",
    "parquet",
    "arrow",
    "arrows",
];

fn texts(dice: &mut Dice) -> Vec<(i32, String)> {
    let rows = dice.roll(400);
    (0..rows)
        .map(|row| {
            let mut text = "x".repeat(dice.roll(30));
            match dice.roll(8) {
                0 => text.push_str(", \"a\"\nb"),
                1 => text.push('é'),
                2 => text.clear(),
                _ => {}
            }
            (i32::try_from(row).unwrap(), format!("{text}.{}", dice.roll(1000)))
        })
        .collect()
}

fn batches(rows: &[(i32, String)], dice: &mut Dice) -> (Arc<Schema>, Vec<RecordBatch>) {
    let fields = vec![
        Field::new("n", DataType::Int32, false),
        Field::new("t", DataType::Utf8, false),
    ];
    let schema = Arc::new(Schema::new(fields));
    let (mut batches, mut from) = (Vec::new(), 0);
    while from < rows.len() {
        let piece = &rows[from..(from + dice.roll(60)).min(rows.len())];
        from += piece.len();
        let numbers = Int32Array::from_iter_values(piece.iter().map(|row| row.0));
        let texts = StringArray::from_iter_values(piece.iter().map(|row| row.1.as_str()));
        let columns: Vec<arrow_array::ArrayRef> = vec![Arc::new(numbers), Arc::new(texts)];
        batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).unwrap());
    }
    (schema, batches)
}

fn json_of(rows: &[(i32, String)], dice: &mut Dice) -> Vec<String> {
    rows.iter()
        .map(|(number, text)| match dice.roll(4) {
            0 => json!({ "n": number, "t": text, "other": { "x": [number] } }),
            1 => json!({ "n": null, "t": text }),
            _ => json!({ "n": number, "t": text }),
        })
        .map(|value| value.to_string())
        .collect()
}

fn has_extension(name: &str, expected: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == expected)
}

fn packed(name: &str, content: &[u8]) -> Vec<u8> {
    if has_extension(name, "gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, content).unwrap();
        encoder.finish().unwrap()
    } else if has_extension(name, "zst") {
        zstd::encode_all(content, 1).unwrap()
    } else {
        content.to_vec()
    }
}

/// A file of random records, as a format has them.
fn content(format: &str, dice: &mut Dice) -> Vec<u8> {
    let rows = texts(dice);
    let end = ["\n", "\r\n"][dice.roll(2)];
    let mark = ["", "\u{FEFF}"][dice.roll(2)];
    let mut text = mark.to_owned();
    match format.split('.').next().unwrap() {
        "textLines" => rows
            .iter()
            .for_each(|row| write!(text, "{}{end}", row.1.replace('\n', " ")).unwrap()),
        "jsonLines" => {
            for line in json_of(&rows, dice) {
                let empty = if dice.roll(9) == 0 { end } else { "" };
                write!(text, "{line}{end}{empty}").unwrap();
            }
        }
        "csv" => {
            write!(text, "n,t{end}").unwrap();
            for (number, cell) in &rows {
                write!(text, "{number},\"{}\"{end}", cell.replace('"', "\"\"")).unwrap();
                match dice.roll(12) {
                    0 => write!(text, "{end}").unwrap(),
                    1 => write!(text, "too,many,cells{end}").unwrap(),
                    _ => {}
                }
            }
        }
        "json" => write!(text, "[{}]", json_of(&rows, dice).join(" ,\n ")).unwrap(),
        "parquet" => {
            let (schema, batches) = batches(&rows, dice);
            let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
            for batch in &batches {
                writer.write(batch).unwrap();
                writer.flush().unwrap();
            }
            return writer.into_inner().unwrap();
        }
        "arrow" => {
            let (schema, batches) = batches(&rows, dice);
            let mut writer = FileWriter::try_new(Vec::new(), &schema).unwrap();
            for batch in &batches {
                writer.write(batch).unwrap();
            }
            return writer.into_inner().unwrap();
        }
        _ => {
            let (schema, batches) = batches(&rows, dice);
            let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
            for batch in &batches {
                writer.write(batch).unwrap();
            }
            return writer.into_inner().unwrap();
        }
    }
    // The last line may have no end.
    if dice.roll(3) == 0 && text.ends_with(end) && text.len() > 20 {
        text.truncate(text.len() - end.len());
    }
    packed(format, text.as_bytes())
}

fn spec_of(format: &str, path: &Path, batch_rows: usize) -> String {
    let name = format.split('.').next().unwrap();
    let mut options = json!({ "batchRows": batch_rows });
    if name == "csv" {
        options["onError"] = "skip".into();
    }
    support::spec(if name == "arrows" { "arrow" } else { name }, path, &options)
}

fn instances(count: u32) -> impl Iterator<Item = SourceSplit> {
    (0..count).map(move |instance| SourceSplit {
        instance,
        instances: count,
    })
}

/// The rows of so many batches, as texts.
fn read(source: &mut dyn BatchSource, registry: &LayoutRegistry, batches: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut left = batches;
    while left > 0 {
        match source.next().unwrap() {
            NextBatch::Frame(frame) => {
                left -= 1;
                rows.extend(rows_of(&frame, registry).iter().map(|row| format!("{row:?}")));
            }
            NextBatch::Waiting => source.wait(Duration::from_secs(1)),
            NextBatch::Ended => break,
        }
    }
    rows
}

fn positions(sources: &mut [Box<dyn BatchSource>]) -> Vec<SavedPosition> {
    let parallelism = u32::try_from(sources.len()).unwrap();
    let positions = sources
        .iter_mut()
        .zip(0..)
        .map(|(source, instance)| SavedPosition {
            instance,
            parallelism,
            bytes: source.position().unwrap(),
        });
    positions.collect()
}

fn resume(
    spec: &str,
    count: u32,
    saved: &[SavedPosition],
    registry: &Arc<LayoutRegistry>,
) -> Result<Vec<Box<dyn BatchSource>>> {
    let resumed = instances(count).map(|split| {
        let mut source = resume_source(spec, split, Arc::clone(registry))?;
        source.restore(saved)?;
        Ok(source)
    });
    resumed.collect()
}

fn check(format: &str, seed: u64) {
    let mut dice = Dice(seed);
    let directory = tempfile::tempdir().unwrap();
    for file in 0..=dice.roll(4) {
        let content = content(format, &mut dice);
        fs::write(directory.path().join(format!("{file}.{format}")), content).unwrap();
    }
    let spec = spec_of(format, directory.path(), 1 + dice.roll(50));
    check_resumable(&spec).unwrap();
    let spec = pin_source(&spec).unwrap();
    let registry = Arc::new(LayoutRegistry::new());
    let counts: Vec<u32> = (0..4).map(|_| 1 + u32::try_from(dice.roll(4)).unwrap()).collect();
    let open = || -> Vec<Box<dyn BatchSource>> {
        instances(counts[0])
            .map(|split| open_source(&spec, split, Arc::clone(&registry)).unwrap())
            .collect()
    };
    let mut undisturbed = open();
    let expected: Vec<Vec<String>> = undisturbed
        .iter_mut()
        .map(|source| read(source.as_mut(), &registry, usize::MAX))
        .collect();
    let statistics = |sources: &[Box<dyn BatchSource>]| {
        let mut all = sage_connectors::SourceStatistics::default();
        for source in sources {
            all += source.statistics();
        }
        all
    };

    let mut sources = open();
    let mut given: Vec<Vec<String>> = vec![Vec::new(); 4];
    for (round, &count) in counts.iter().enumerate() {
        if round > 0 {
            let saved = positions(&mut sources);
            sources = resume(&spec, count, &saved, &registry).unwrap();
            assert_eq!(
                positions(&mut sources).len(),
                count as usize,
                "before the first batch"
            );
        }
        for (source, given) in sources.iter_mut().zip(&mut given) {
            let batches = if round == 3 { usize::MAX } else { dice.roll(6) };
            given.extend(read(source.as_mut(), &registry, batches));
        }
    }
    if counts.iter().all(|&count| count == counts[0]) {
        assert_eq!(
            given[..expected.len()],
            expected,
            "{format}, seed {seed}: the order of each instance"
        );
    }
    let sorted = |rows: Vec<Vec<String>>| {
        let mut rows: Vec<String> = rows.into_iter().flatten().collect();
        rows.sort();
        rows
    };
    assert_eq!(
        sorted(given),
        sorted(expected),
        "{format}, seed {seed}, instances {counts:?}"
    );
    assert_eq!(
        statistics(&sources),
        statistics(&undisturbed),
        "{format}, seed {seed}"
    );
}

proptest! {
    // Each case reads the files of all formats again and again.
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn given_positions_at_random_points_when_others_go_on_then_each_record_is_read_once(seed: u64) {
        for format in FORMATS {
            check(format, seed);
        }
    }
}

fn file_of_lines(directory: &Path, lines: usize) -> PathBuf {
    let path = directory.join("lines");
    fs::write(&path, "a line of text\n".repeat(lines)).unwrap();
    path
}

fn position_of(spec: &str, batches: usize) -> Vec<SavedPosition> {
    let registry = Arc::new(LayoutRegistry::new());
    let mut source = open_source(spec, SourceSplit::WHOLE, Arc::clone(&registry)).unwrap();
    read(source.as_mut(), &registry, batches);
    positions(&mut [source])
}

fn refused(spec: &str, saved: &[SavedPosition]) -> SageError {
    resume(spec, 1, saved, &Arc::new(LayoutRegistry::new()))
        .map(drop)
        .unwrap_err()
}

#[test]
fn given_a_file_that_is_not_what_it_was_when_reading_goes_on_then_it_is_refused_by_name() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("cannot be opened", |path| fs::remove_file(path).unwrap()),
        ("shorter", |path| fs::write(path, "short\n").unwrap()),
        ("written", |path| {
            let other = path.with_extension("new");
            fs::write(&other, "another line of it\n".repeat(200)).unwrap();
            fs::rename(other, path).unwrap();
        }),
        ("written", |path| {
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }),
    ];
    for (what, change) in changes {
        let directory = tempfile::tempdir().unwrap();
        let path = file_of_lines(directory.path(), 100);
        let spec = pin_source(&support::spec("textLines", &path, &json!({ "batchRows": 10 }))).unwrap();
        let saved = position_of(&spec, 3);
        change(&path);
        let error = refused(&spec, &saved);
        assert_eq!(error.code, ErrorCode::CheckpointSource);
        assert!(
            error.message.contains(what) && error.message.contains(path.to_str().unwrap()),
            "{}",
            error.message
        );
    }
}

#[test]
fn given_a_file_that_grew_and_a_new_file_when_reading_goes_on_then_only_what_was_there_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_lines(directory.path(), 100);
    let spec = pin_source(&support::spec(
        "textLines",
        directory.path(),
        &json!({ "batchRows": 10 }),
    ))
    .unwrap();
    let saved = position_of(&spec, 3);
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"new\n").unwrap();
    fs::write(directory.path().join("new"), "new\n").unwrap();
    let registry = Arc::new(LayoutRegistry::new());
    let mut sources = resume(&spec, 1, &saved, &registry).unwrap();
    assert_eq!(read(sources[0].as_mut(), &registry, usize::MAX).len(), 70);
    assert_eq!(sources[0].statistics().records, 100);
}

#[test]
fn given_a_file_that_was_read_to_its_end_when_it_is_gone_then_nobody_minds() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_lines(directory.path(), 10);
    let spec = pin_source(&support::spec("textLines", &path, &json!({}))).unwrap();
    let saved = position_of(&spec, usize::MAX);
    fs::remove_file(&path).unwrap();
    let registry = Arc::new(LayoutRegistry::new());
    let mut sources = resume(&spec, 3, &saved, &registry).unwrap();
    for source in &mut sources {
        assert!(read(source.as_mut(), &registry, usize::MAX).is_empty());
    }
}

#[test]
fn given_positions_that_are_malformed_or_incomplete_when_reading_goes_on_then_they_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = file_of_lines(directory.path(), 10);
    let spec = pin_source(&support::spec("textLines", &path, &json!({}))).unwrap();
    let saved = position_of(&spec, 0);
    let position: Value = serde_json::from_slice(&saved[0].bytes).unwrap();
    let mut newer = position.clone();
    newer["version"] = 2.into();
    let of = |instance, parallelism, bytes: Vec<u8>| SavedPosition {
        instance,
        parallelism,
        bytes,
    };
    let good = saved[0].bytes.clone();
    for saved in [
        vec![],
        vec![of(0, 2, good.clone())],
        vec![of(0, 2, good.clone()), of(0, 2, good.clone())],
        vec![of(0, 1, b"nonsense".to_vec())],
        vec![of(0, 1, newer.to_string().into_bytes())],
    ] {
        assert_eq!(refused(&spec, &saved).code, ErrorCode::CheckpointSource);
    }
}

#[test]
fn given_the_standard_input_when_a_job_has_checkpoints_then_it_is_refused() {
    let error = check_resumable(r#"{"type":"textLines","path":"-"}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::CheckpointSource);
    assert!(error.message.contains("standard input"));
    let source = open_source(
        r#"{"type":"textLines","path":"-"}"#,
        SourceSplit::WHOLE,
        Arc::default(),
    )
    .unwrap();
    assert_eq!(source.resumable().unwrap_err(), error);
}

#[test]
fn given_a_watched_directory_when_others_go_on_then_no_file_is_read_twice_and_new_ones_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, lines: usize| {
        fs::write(
            directory.path().join(name),
            (0..lines).fold(String::new(), |text, line| text + &format!("{name} {line}\n")),
        )
        .unwrap();
    };
    let spec = support::spec(
        "textLines",
        directory.path(),
        &json!({ "batchRows": 10, "watch": { "everyMs": 1 } }),
    );
    let registry = Arc::new(LayoutRegistry::new());
    (0..6).for_each(|name| write(&format!("old{name}"), 25));
    // So many rows, and then nothing: a source that watches never ends.
    let read_rows = |sources: &mut [Box<dyn BatchSource>], wanted: usize| {
        let mut rows = Vec::new();
        while rows.len() < wanted {
            for source in sources.iter_mut() {
                if rows.len() >= wanted {
                    break;
                }
                match source.next().unwrap() {
                    NextBatch::Frame(frame) => {
                        rows.extend(rows_of(&frame, &registry).iter().map(|row| format!("{row:?}")));
                    }
                    NextBatch::Waiting => source.wait(Duration::from_secs(1)),
                    NextBatch::Ended => panic!("it watches"),
                }
            }
        }
        rows
    };
    let mut sources: Vec<_> = instances(2)
        .map(|split| open_source(&spec, split, Arc::clone(&registry)).unwrap())
        .collect();
    let mut rows = read_rows(&mut sources, 60);
    for count in [3, 1] {
        let saved = positions(&mut sources);
        write(&format!("new{count}"), 25);
        sources = resume(&spec, count, &saved, &registry).unwrap();
        rows.extend(read_rows(&mut sources, 40));
    }
    let missing = 8 * 25 - rows.len();
    rows.extend(read_rows(&mut sources, missing));
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 8 * 25);
}
