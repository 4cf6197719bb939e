//! Windows against a loop that somebody would write by hand: 2,000,000 rows that are out of order by up to 5 s, 10,000 string
//! keys, 20,000 rows per second of event time, in batches of 1024.
//!
//! `cargo bench -p sage-windows`, or with words to run only the lines that contain them: nanoseconds a row, least and median of some rounds, and the ratios that matter.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashMap;
use sage_frame::{BatchView, Layout, LayoutRegistry, StringEncoding};
use sage_types::{LayoutId, Result};
use sage_windows::{NativeWindows, RecordedWindows, WindowSpec};

const ROWS: usize = 2_000_000;
const BATCH_ROWS: usize = 1024;
const KEYS: u64 = 10_000;
const ROWS_PER_MS: f64 = 20.0;
const DISORDER_MS: u64 = 5_000;
const ROUNDS: usize = 7;
const RESULTS: usize = 1024;

struct Batch {
    layout: Arc<Layout>,
    layout_id: LayoutId,
    ends: Vec<u32>,
    data: String,
    presence: Vec<u8>,
    values: Vec<f64>,
    times: Vec<f64>,
    watermark: f64,
}

impl Batch {
    fn view(&self) -> Result<BatchView<'_>> {
        let buffers: [&[u8]; 4] = [
            bytemuck::cast_slice(&self.ends),
            self.data.as_bytes(),
            &self.presence,
            bytemuck::cast_slice(&self.values),
        ];
        BatchView::from_parts(
            Arc::clone(&self.layout),
            self.layout_id,
            self.times.len(),
            buffers,
            [StringEncoding::Ascii],
        )
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let key = &self.data[start..end as usize];
            start = end as usize;
            key
        })
    }
}

/// Deterministic numbers that look random (splitmix64).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn batches(registry: &LayoutRegistry) -> Result<Vec<Batch>> {
    let text = r#"{"key":"str","row":{"tup":["f64?"]}}"#;
    let layout = Arc::new(Layout::parse(text)?);
    let layout_id = registry.intern(text)?;
    let mut state = 7;
    let mut made = Vec::new();
    let mut row = 0;
    while row < ROWS {
        let mut batch = Batch {
            layout: Arc::clone(&layout),
            layout_id,
            ends: Vec::new(),
            data: String::new(),
            presence: Vec::new(),
            values: Vec::new(),
            times: Vec::new(),
            watermark: row as f64 / ROWS_PER_MS - DISORDER_MS as f64,
        };
        for _ in 0..BATCH_ROWS.min(ROWS - row) {
            batch.data.push_str("user-");
            batch.data.push_str(&(random(&mut state) % KEYS).to_string());
            batch
                .ends
                .push(u32::try_from(batch.data.len()).unwrap_or(u32::MAX));
            batch.presence.push(0);
            batch.values.push((random(&mut state) % 1000) as f64);
            let late = (random(&mut state) % DISORDER_MS) as f64;
            batch.times.push((row as f64 / ROWS_PER_MS - late).floor());
            row += 1;
        }
        made.push(batch);
    }
    Ok(made)
}

fn spec(assigner: &str, more: &str) -> Result<WindowSpec> {
    WindowSpec::from_json(&format!(
        r#"{{"keyed":true,"time":"event","assigner":{assigner}{more}}}"#
    ))
}

/// Adds all batches; how many results came.
fn native(spec: &WindowSpec, batches: &[Batch], registry: &LayoutRegistry) -> Result<usize> {
    let mut windows = NativeWindows::new(spec)?;
    let mut results = 0;
    for batch in batches {
        let view = batch.view()?;
        let mut next = 0;
        while next < view.rows() {
            next = windows.table_mut().add(&view, &batch.times, next, 0.0)?;
            results += drain(&mut windows, registry)?;
        }
        windows.table_mut().advance(batch.watermark, 0.0)?;
        results += drain(&mut windows, registry)?;
    }
    windows.table_mut().finish();
    Ok(results + drain(&mut windows, registry)?)
}

fn drain(windows: &mut NativeWindows, registry: &LayoutRegistry) -> Result<usize> {
    let mut results = 0;
    while let Some(frame) = windows.fire(RESULTS, registry)? {
        results += black_box(frame.rows());
    }
    Ok(results)
}

fn recorded(spec: &WindowSpec, batches: &[Batch]) -> Result<usize> {
    fn drain(windows: &mut RecordedWindows) -> usize {
        let mut words = 0;
        while windows.table().has_more() {
            words += black_box(windows.program(RESULTS).words.len());
            windows.take_program();
        }
        words
    }
    let mut windows = RecordedWindows::new(spec)?;
    let mut words = 0;
    for batch in batches {
        let view = batch.view()?;
        let mut next = 0;
        while next < view.rows() {
            next = windows.table_mut().add(&view, &batch.times, next, 0.0)?;
            words += drain(&mut windows);
        }
        windows.table_mut().advance(batch.watermark, 0.0)?;
        words += drain(&mut windows);
    }
    windows.table_mut().finish();
    Ok(words + drain(&mut windows))
}

/// Tumbling counts by hand: a map of keys for each window, and the results as they would be handed on.
fn by_hand(size: f64, batches: &[Batch]) -> usize {
    let mut windows: BTreeMap<i64, HashMap<String, u64>> = BTreeMap::new();
    let mut results = 0;
    let mut out: Vec<(String, f64, f64, u64)> = Vec::new();
    let mut fire = |windows: &mut BTreeMap<i64, HashMap<String, u64>>, watermark: f64| {
        while let Some(entry) = windows.first_entry() {
            let start = *entry.key() as f64;
            if start + size > watermark {
                break;
            }
            out.clear();
            out.extend(
                entry
                    .remove()
                    .into_iter()
                    .map(|(key, count)| (key, start, start + size, count)),
            );
            results += black_box(&out).len();
        }
    };
    for batch in batches {
        for (key, &time) in batch.keys().zip(&batch.times) {
            let start = (time / size).floor() * size;
            #[expect(clippy::cast_possible_truncation, reason = "times are small here")]
            let counts = windows.entry(start as i64).or_default();
            *counts.entry_ref(key).or_insert(0) += 1;
        }
        fire(&mut windows, batch.watermark);
    }
    fire(&mut windows, f64::INFINITY);
    results
}

/// Least and median nanoseconds a row.
fn measure(name: &str, mut run: impl FnMut() -> Result<usize>) -> Result<f64> {
    // A word on the command line chooses lines; cargo adds `--bench`.
    if !std::env::args()
        .skip(1)
        .all(|word| word.starts_with('-') || name.contains(&word))
    {
        return Ok(f64::NAN);
    }
    let mut times = Vec::new();
    let mut given = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        given = run()?;
        times.push(start.elapsed().as_secs_f64() * 1e9 / ROWS as f64);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{name:<44} {:7.1} ns/row, median {:7.1}   {given} results or words",
        times[0],
        times[ROUNDS / 2]
    );
    Ok(times[ROUNDS / 2])
}

fn main() -> Result<()> {
    let registry = LayoutRegistry::new();
    let batches = batches(&registry)?;
    let count = r#","aggregates":[{"kind":"count"}]"#;
    let five = r#","aggregates":[{"kind":"count"},{"kind":"sum","input":0},{"kind":"avg","input":0},{"kind":"min","input":0},{"kind":"max","input":0}]"#;
    let tumbling = r#"{"kind":"tumbling","sizeMs":10000}"#;
    let sliding = r#"{"kind":"sliding","sizeMs":10000,"slideMs":2000}"#;
    let short = r#"{"kind":"sliding","sizeMs":10000,"slideMs":200}"#;
    let session = r#"{"kind":"session","gapMs":2000}"#;
    let run = |name: &str, assigner: &str, more: &str| {
        let spec = spec(assigner, more)?;
        measure(name, || native(&spec, &batches, &registry))
    };

    let hand = measure("tumbling 10 s, count, by hand", || {
        Ok(by_hand(10_000.0, &batches))
    })?;
    let engine = run("tumbling 10 s, count", tumbling, count)?;
    let slides = run("sliding 10 s / 2 s, count", sliding, count)?;
    run("sliding 10 s / 0.2 s, count", short, count)?;
    run("session 2 s, count", session, count)?;
    let late = format!(r#"{count},"allowedLatenessMs":2000"#);
    run("tumbling 10 s, count, lateness 2 s", tumbling, &late)?;
    let early = format!(r#"{count},"trigger":{{"kind":"count","every":5}}"#);
    run("tumbling 10 s, count, at each 5 elements", tumbling, &early)?;
    run(
        "count windows of 20",
        r#"{"kind":"count","size":20,"slide":20}"#,
        count,
    )?;
    let engine_five = run("tumbling 10 s, five aggregates", tumbling, five)?;
    let slides_five = run("sliding 10 s / 2 s, five aggregates", sliding, five)?;
    for (name, assigner, more) in [
        ("tumbling 10 s, program", tumbling, ""),
        ("sliding 10 s / 2 s, program", sliding, ""),
        (
            "sliding 10 s / 2 s, program of elements",
            sliding,
            r#","elements":true"#,
        ),
        ("session 2 s, program", session, ""),
    ] {
        let spec = spec(assigner, more)?;
        measure(name, || recorded(&spec, &batches))?;
    }
    println!("engine / by hand    {:.2}", engine / hand);
    println!(
        "sliding / tumbling  {:.2}, five aggregates {:.2}",
        slides / engine,
        slides_five / engine_five
    );
    Ok(())
}
