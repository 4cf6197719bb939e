//! Compares embedded stores on the access pattern of keyed state: 16-byte keys in random order, 50-byte values, atomic
//! batches of 10,000 dirty keys, point reads of 1,000 random keys at a time.
//!
//! `cargo run --release --manifest-path bench/state-store/Cargo.toml -- fjall|redb|lmdb [keys]`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

mod fjall_engine;
mod lmdb_engine;
mod redb_engine;

type Outcome<T> = Result<T, Box<dyn Error>>;

const WRITE_BATCH: u64 = 10_000;
const READ_BATCH: u64 = 1_000;
const VALUE_BYTES: usize = 50;

trait Engine {
    fn write(&mut self, batch: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()>;
    /// How many of the keys, which are sorted, are there.
    fn read(&mut self, keys: &[Vec<u8>]) -> Outcome<usize>;
}

/// A bijection of u64: keys come in an order that no store can guess, and each comes once.
const fn mix(number: u64) -> u64 {
    let a = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

fn key(number: u64) -> Vec<u8> {
    [mix(number).to_be_bytes(), number.to_be_bytes()].concat()
}

fn value(number: u64, round: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(VALUE_BYTES + 8);
    while bytes.len() < VALUE_BYTES {
        bytes.extend_from_slice(&mix(number ^ (round << 40) ^ bytes.len() as u64).to_le_bytes());
    }
    bytes.truncate(VALUE_BYTES);
    bytes
}

#[derive(Default)]
struct Latencies(Vec<f64>);

impl Latencies {
    fn time<T>(&mut self, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let started = Instant::now();
        let result = work()?;
        self.0.push(started.elapsed().as_secs_f64() * 1e3);
        Ok(result)
    }

    fn report(&mut self, what: &str) {
        self.0.sort_by(f64::total_cmp);
        let at = |share: f64| self.0[((self.0.len() - 1) as f64 * share) as usize];
        println!(
            "{what}: median {:.2} ms, p99 {:.2} ms, max {:.2} ms ({} calls)",
            at(0.5),
            at(0.99),
            at(1.0),
            self.0.len()
        );
    }
}

fn status(field: &str) -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap_or("?").to_owned();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn disk_bytes(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => disk_bytes(&entry.path()),
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

fn memory(after: &str) {
    println!("{after}: {}, {}, {}", status("VmHWM"), status("RssAnon"), status("RssFile"));
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let keys: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let folder = std::env::temp_dir().join(format!("state-store-bench-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut engine: Box<dyn Engine> = match name.as_str() {
        "fjall" => Box::new(fjall_engine::open(&folder)?),
        "redb" => Box::new(redb_engine::open(&folder)?),
        "lmdb" => Box::new(lmdb_engine::open(&folder)?),
        _ => return Err("give one of fjall, redb, lmdb".into()),
    };
    let batch_of = |numbers: &mut dyn Iterator<Item = u64>, round: u64| {
        let mut batch: Vec<_> = numbers.map(|number| (key(number), value(number, round))).collect();
        batch.sort();
        batch
    };

    let started = Instant::now();
    let mut writes = Latencies::default();
    for first in (0..keys).step_by(WRITE_BATCH as usize) {
        let batch = batch_of(&mut (first..(first + WRITE_BATCH).min(keys)), 0);
        writes.time(|| engine.write(&batch))?;
    }
    println!("{name}, {keys} keys filled in {:.1} s", started.elapsed().as_secs_f64());
    writes.report("write of 10,000 new keys");
    memory("after filling");

    let mut seed = 1;
    let mut random = |count: u64| -> Vec<u64> {
        (0..count)
            .map(|_| {
                seed += 1;
                mix(seed) % keys
            })
            .collect()
    };
    let mut reads = Latencies::default();
    let read = |engine: &mut Box<dyn Engine>, reads: &mut Latencies, numbers: Vec<u64>| -> Outcome<()> {
        let mut wanted: Vec<_> = numbers.into_iter().map(key).collect();
        wanted.sort();
        let found = reads.time(|| engine.read(&wanted))?;
        if found == wanted.len() { Ok(()) } else { Err(format!("{found} of {} keys were found", wanted.len()).into()) }
    };
    for _ in 0..1000 {
        read(&mut engine, &mut reads, random(READ_BATCH))?;
    }
    reads.report("read of 1,000 random keys");

    let (mut mixed_reads, mut mixed_writes) = (Latencies::default(), Latencies::default());
    let started = Instant::now();
    for round in 1..=200 {
        for _ in 0..10 {
            read(&mut engine, &mut mixed_reads, random(READ_BATCH))?;
        }
        let batch = batch_of(&mut random(WRITE_BATCH).into_iter(), round);
        mixed_writes.time(|| engine.write(&batch))?;
    }
    println!("2,000,000 reads and writes in {:.1} s", started.elapsed().as_secs_f64());
    mixed_reads.report("mixed, read of 1,000 random keys");
    mixed_writes.report("mixed, write of 10,000 random keys");
    memory("after the mixed run");
    println!("disk: {} MiB", disk_bytes(&folder) >> 20);
    drop(engine);
    println!("disk, closed: {} MiB", disk_bytes(&folder) >> 20);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
