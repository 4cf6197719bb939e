//! How fast the readers and writers are, on one thread.
//!
//! `cargo run --release -p sage-connectors --example throughput [file.parquet]` generates 100 MB of JSON lines in the
//! temporary directory, reads and writes them, as CSV and as a JSON document too, and reads the Parquet file if one is given. Each figure is the best of three, by processor time.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sage_connectors::{NextBatch, SourceSplit, open_sink, open_source};
use sage_frame::LayoutRegistry;
use sage_types::Result;
use serde::Deserialize;

/// The same line for the comparison with a parser that knows the fields at compile time.
#[derive(Deserialize)]
struct Trade {
    id: f64,
    price: f64,
    quantity: f64,
    symbol: String,
    venue: String,
    active: bool,
}

/// The best elapsed time of three: with threads of their own, processor time of one says nothing.
fn best_elapsed<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    loop {
        let mut last = None;
        for _ in 0..3 {
            let started = Instant::now();
            last = Some(run());
            best = best.min(started.elapsed().as_secs_f64());
        }
        if let Some(last) = last {
            return (best, last);
        }
    }
}

/// Seconds of processor time of this thread: other programs do not count. Elapsed time where the system does not tell.
fn thread_seconds(started: Instant) -> f64 {
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    on_processor.map_or_else(|| started.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

fn best_of_three<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    loop {
        let mut last = None;
        for _ in 0..3 {
            let started = Instant::now();
            let before = thread_seconds(started);
            last = Some(run());
            best = best.min(thread_seconds(started) - before);
        }
        if let Some(last) = last {
            return (best, last);
        }
    }
}

fn read(spec: &str) -> Result<u64> {
    let registry = Arc::new(LayoutRegistry::new());
    let mut source = open_source(spec, SourceSplit::WHOLE, registry)?;
    let mut rows = 0;
    loop {
        match source.next()? {
            NextBatch::Frame(frame) => rows += frame.rows() as u64,
            NextBatch::Waiting => source.wait(Duration::from_secs(1)),
            NextBatch::Ended => return Ok(rows),
        }
    }
}

fn copy(spec: &str, sink_spec: &str) -> Result<f64> {
    let registry = Arc::new(LayoutRegistry::new());
    let mut source = open_source(spec, SourceSplit::WHOLE, Arc::clone(&registry))?;
    let mut frames = Vec::new();
    while let NextBatch::Frame(frame) = source.next()? {
        frames.push(frame);
    }
    let started = Instant::now();
    let before = thread_seconds(started);
    let mut sink = open_sink(sink_spec, SourceSplit::WHOLE, Arc::clone(&registry))?;
    for frame in &frames {
        sink.write(&frame.view(&registry)?)?;
    }
    let seconds = thread_seconds(started) - before;
    sink.abort();
    Ok(seconds)
}

/// Writes what a source reads.
fn convert(spec: &str, sink_spec: &str) -> Result<()> {
    let registry = Arc::new(LayoutRegistry::new());
    let mut source = open_source(spec, SourceSplit::WHOLE, Arc::clone(&registry))?;
    let mut sink = open_sink(sink_spec, SourceSplit::WHOLE, Arc::clone(&registry))?;
    while let NextBatch::Frame(frame) = source.next()? {
        sink.write(&frame.view(&registry)?)?;
    }
    sink.commit().map(drop)
}

fn generate(path: &Path, megabytes: usize) -> std::io::Result<()> {
    let mut text = String::new();
    let mut state = 42_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut id = 0;
    while text.len() < megabytes * 1_000_000 {
        id += 1;
        let (price, quantity, symbol, venue) = (
            random() % 1_000_000,
            random() % 1000,
            random() % 5000,
            random() % 8,
        );
        let _ = writeln!(
            text,
            "{{\"id\":{id},\"price\":{}.{:02},\"quantity\":{quantity},\"symbol\":\"SYM{symbol:04}\",\"venue\":\"XV{venue}\",\"active\":{}}}",
            price / 100,
            price % 100,
            quantity % 2 == 0
        );
    }
    std::fs::File::create(path)?.write_all(text.as_bytes())
}

/// Compressed copies of the file, elapsed: unpacked by the library alone, and read, which unpacks on a thread of its own.
fn report_compressed(
    path: &Path,
    report: &dyn Fn(&str, f64, u64),
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let content = std::fs::read(path)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&content)?;
    for (name, packed) in [
        ("gzip", gzip.finish()?),
        ("zstd", zstd::encode_all(&*content, 3)?),
    ] {
        let file = path.with_extension(name);
        std::fs::write(&file, packed)?;
        let (seconds, bytes) = best_elapsed(|| -> std::io::Result<u64> {
            let reader = BufReader::with_capacity(1 << 17, std::fs::File::open(&file)?);
            let mut unpacked: Box<dyn std::io::Read> = match name {
                "gzip" => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
                _ => Box::new(zstd::stream::read::Decoder::with_buffer(reader)?),
            };
            let (mut buffer, mut bytes) = (vec![0; 1 << 18], 0);
            loop {
                match unpacked.read(&mut buffer)? {
                    0 => return Ok(bytes),
                    more => bytes += more as u64,
                }
            }
        });
        report(&format!("{name} alone (elapsed)"), seconds, bytes? / 100);
        for kind in ["textLines", "jsonLines"] {
            let spec = serde_json::json!({ "type": kind, "path": file }).to_string();
            let (seconds, rows) = best_elapsed(|| read(&spec));
            report(&format!("{kind} of {name} (elapsed)"), seconds, rows?);
            let spec = serde_json::json!({ "type": kind, "path": path }).to_string();
            let (seconds, rows) = best_elapsed(|| read(&spec));
            report(&format!("{kind} plain (elapsed)"), seconds, rows?);
        }
    }
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("lines.jsonl");
    generate(&path, 100)?;
    let bytes = std::fs::metadata(&path)?.len() as f64;
    let path_json = serde_json::to_string(&path)?;
    let report = |what: &str, seconds: f64, rows: u64| {
        println!(
            "{what:44} {:7.0} MB/s {:7.1} ns/line",
            bytes / seconds / 1e6,
            seconds * 1e9 / rows as f64
        );
    };

    for (what, spec) in [
        (
            "textLines",
            format!(r#"{{"type":"textLines","path":{path_json}}}"#),
        ),
        (
            "jsonLines, all 6 fields",
            format!(r#"{{"type":"jsonLines","path":{path_json}}}"#),
        ),
        (
            "jsonLines, 2 of 6 fields",
            format!(r#"{{"type":"jsonLines","path":{path_json},"columns":["id","price"]}}"#),
        ),
    ] {
        let (seconds, rows) = best_of_three(|| read(&spec));
        report(what, seconds, rows?);
    }

    report_compressed(&path, &report)?;

    let (seconds, rows) = best_of_three(|| -> std::result::Result<u64, Box<dyn std::error::Error>> {
        let mut lines = BufReader::with_capacity(1 << 18, std::fs::File::open(&path)?);
        let (mut line, mut rows, mut sum) = (Vec::new(), 0, 0.0);
        while lines.read_until(b'\n', &mut line)? > 0 {
            let trade: Trade = sonic_rs::from_slice(&line)?;
            sum += trade.id + trade.price + trade.quantity + (trade.symbol.len() + trade.venue.len()) as f64;
            rows += u64::from(trade.active) | 1;
            line.clear();
        }
        std::hint::black_box(sum);
        Ok(rows)
    });
    report("sonic-rs into a struct, for comparison", seconds, rows?);

    let spec = format!(r#"{{"type":"jsonLines","path":{path_json}}}"#);
    for kind in ["jsonLines", "csv", "json", "parquet"] {
        let sink = serde_json::json!({ "type": kind, "path": directory.path().join("out") }).to_string();
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            best = best.min(copy(&spec, &sink)?);
        }
        report(&format!("{kind} writer (MB of JSON)"), best, read(&spec)?);
    }

    for (kind, options) in [
        ("csv", ""),
        ("csv", r#","types":"string""#),
        ("csv", r#","columns":["id","price"]"#),
        ("json", ""),
    ] {
        let copied = directory.path().join(kind);
        let lines = format!(r#"{{"type":"jsonLines","path":{path_json}}}"#);
        convert(
            &lines,
            &serde_json::json!({ "type": kind, "path": copied }).to_string(),
        )?;
        let copied_bytes = std::fs::metadata(&copied)?.len() as f64;
        let copied_json = serde_json::to_string(&copied)?;
        let (seconds, rows) =
            best_of_three(|| read(&format!(r#"{{"type":"{kind}","path":{copied_json}{options}}}"#)));
        let rows = rows?;
        println!(
            "{:44} {:7.0} MB/s {:7.1} ns/record",
            format!("{kind}{options}"),
            copied_bytes / seconds / 1e6,
            seconds * 1e9 / rows as f64
        );
    }

    if let Some(file) = std::env::args().nth(1) {
        let file = serde_json::to_string(&file)?;
        for columns in [
            "",
            r#","columns":["date","delay","distance"]"#,
            r#","columns":["delay","origin"]"#,
        ] {
            let spec = format!(r#"{{"type":"parquet","path":{file}{columns}}}"#);
            let (seconds, rows) = best_of_three(|| read(&spec));
            let rows = rows?;
            println!(
                "parquet{columns:50} {:7.2} M rows/s ({rows} rows)",
                rows as f64 / seconds / 1e6
            );
        }
    }
    Ok(())
}
