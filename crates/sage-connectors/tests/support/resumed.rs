//! Sinks that are prepared, ended and gone on with.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use sage_connectors::{BatchSink, Restored, SavedPosition, SourceSplit, open_sink, resume_sink};
use sage_types::Result;
use serde_json::{Value, json};

use super::written::names;

/// Small numbers, the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

pub const FORMATS: [(&str, &str); 8] = [
    ("jsonLines", "none"),
    ("jsonLines", "gzip"),
    ("csv", "none"),
    ("csv", "zstd"),
    ("json", "none"),
    ("parquet", "none"),
    ("arrow", "file"),
    ("arrow", "stream"),
];

pub fn spec_of((kind, variant): (&str, &str), path: &Path, options: &Value) -> String {
    let mut options = options.clone();
    match (kind, variant) {
        ("arrow", format) => options["format"] = format.into(),
        ("parquet", _) | (_, "none") => {}
        (_, compression) => options["compression"] = compression.into(),
    }
    super::spec(kind, path, &options)
}

pub fn records(count: usize, dice: &mut Dice) -> Vec<Value> {
    let text = |dice: &mut Dice| "text, \"".repeat(dice.roll(4));
    (0..count)
        .map(|number| json!({ "n": number, "t": text(dice), "group": format!("g{}", dice.roll(3)) }))
        .collect()
}

pub fn split(instance: u32, instances: u32) -> SourceSplit {
    SourceSplit { instance, instances }
}

/// Ends without a commit, as a process does that is killed, with bytes in the temporary files that nobody prepared.
pub fn crash(sinks: Vec<Box<dyn BatchSink>>, directory: &Path) {
    for sink in sinks {
        sink.detach();
    }
    for name in names(directory).iter().filter(|name| {
        Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "tmp")
    }) {
        let mut file = fs::File::options()
            .append(true)
            .open(directory.join(name))
            .unwrap();
        file.write_all(b"{\"torn\":").unwrap();
    }
}

pub fn prepare(sinks: &mut [Box<dyn BatchSink>], last: bool) -> Vec<SavedPosition> {
    let parallelism = u32::try_from(sinks.len()).unwrap();
    let saved = sinks.iter_mut().zip(0..).map(|(sink, instance)| SavedPosition {
        instance,
        parallelism,
        bytes: sink.prepare(last).unwrap(),
    });
    saved.collect()
}

pub fn resume(
    spec: &str,
    instances: u32,
    saved: &[SavedPosition],
) -> Result<Vec<(Box<dyn BatchSink>, Restored)>> {
    (0..instances)
        .map(|instance| {
            let mut sink = resume_sink(spec, split(instance, instances), Arc::default())?;
            let restored = sink.restore(saved)?;
            Ok((sink, restored))
        })
        .collect()
}

pub fn open(spec: &str, instances: u32) -> Vec<Box<dyn BatchSink>> {
    (0..instances)
        .map(|instance| open_sink(spec, split(instance, instances), Arc::default()).unwrap())
        .collect()
}
