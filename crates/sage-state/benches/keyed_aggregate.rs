//! Nanoseconds a row of keyed slots and aggregates, on batches of 1024 rows that are already columns.
//!
//! `cargo bench -p sage-state`, or with a word to run only the lines that contain it: `cargo bench -p sage-state -- string`.
//! Each line: one million rows in some rounds; the mean over batches of a batch's least and median time, after the keys have
//! been seen, and of its time in the first round. With `SAGE_BENCH_WORST` set, also the slowest batches of a growing table.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sage_frame::{BatchView, Layout, LayoutRegistry, StringEncoding};
use sage_state::{AggregateKind, AggregateSpec, Emitted, KeyTable, KeyedAggregate};
use sage_types::{LayoutId, Result};

const BATCH_ROWS: usize = 1024;
const ROWS: usize = 1 << 20;
const ROUNDS: usize = 9;
const KEYS: usize = 100_000;

/// The columns of one batch.
struct Batch {
    layout: Arc<Layout>,
    layout_id: LayoutId,
    key_ends: Vec<u32>,
    key_data: Vec<u8>,
    key_numbers: Vec<f64>,
    presence: Vec<u8>,
    values: Vec<f64>,
}

impl Batch {
    fn view(&self) -> Result<BatchView<'_>> {
        let numeric = self.key_ends.is_empty();
        let key = if numeric {
            vec![bytemuck::cast_slice(&self.key_numbers)]
        } else {
            vec![bytemuck::cast_slice(&self.key_ends), &*self.key_data]
        };
        let row = [&*self.presence, bytemuck::cast_slice(&self.values)];
        let encodings = (!numeric).then_some(StringEncoding::Ascii);
        BatchView::from_parts(
            Arc::clone(&self.layout),
            self.layout_id,
            BATCH_ROWS,
            key.into_iter().chain(row),
            encodings,
        )
    }
}

#[derive(Clone, Copy)]
enum Keys {
    Numbers,
    /// 8 to 12 bytes.
    Strings,
    /// 40 bytes.
    LongStrings,
}

/// Deterministic numbers that look random (splitmix64).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn make_batches(kind: Keys, distinct: usize, rows: usize, registry: &LayoutRegistry) -> Result<Vec<Batch>> {
    let key = if matches!(kind, Keys::Numbers) {
        "f64"
    } else {
        "str"
    };
    let layout = Arc::new(Layout::parse(&format!(
        r#"{{"key":"{key}","row":{{"tup":["f64?"]}}}}"#
    ))?);
    let layout_id = registry.intern_layout(Arc::clone(&layout))?;
    let mut state = 42;
    // Every key is there once when there are rows enough, then they come at random.
    let mut row = 0;
    let batches = (0..rows / BATCH_ROWS).map(|_| {
        let mut batch = Batch {
            layout: Arc::clone(&layout),
            layout_id,
            key_ends: Vec::new(),
            key_data: Vec::new(),
            key_numbers: Vec::new(),
            presence: vec![0; BATCH_ROWS],
            values: Vec::new(),
        };
        for _ in 0..BATCH_ROWS {
            let random = random(&mut state);
            let number = if row < distinct {
                row as u64
            } else {
                random % distinct as u64
            };
            row += 1;
            batch.values.push((random >> 40) as f64);
            match kind {
                Keys::Numbers => batch.key_numbers.push(number as f64 * 17.0),
                Keys::Strings => {
                    let text = format!("user-{number}{}", &"abcd"[..(number % 3) as usize]);
                    batch.key_data.extend_from_slice(text.as_bytes());
                }
                Keys::LongStrings => {
                    batch
                        .key_data
                        .extend_from_slice(format!("organisation/department/{number:016}").as_bytes());
                }
            }
            if !matches!(kind, Keys::Numbers) {
                batch
                    .key_ends
                    .push(u32::try_from(batch.key_data.len()).unwrap_or_default());
            }
        }
        batch
    });
    Ok(batches.collect())
}

/// Runs `round` and prints what a row cost.
fn measure(
    name: &str,
    only: &str,
    batches: &[Batch],
    mut on_batch: impl FnMut(&BatchView<'_>) -> Result<()>,
) -> Result<()> {
    if !name.contains(only) {
        return Ok(());
    }
    let views = batches.iter().map(Batch::view).collect::<Result<Vec<_>>>()?;
    // Time of each batch in each round: other processes of the machine disturb some batches of a round, but hardly the
    // same batch in every round.
    let mut taken = vec![[Duration::ZERO; ROUNDS + 1]; views.len()];
    for round in 0..=ROUNDS {
        for (view, taken) in views.iter().zip(&mut taken) {
            let started = Instant::now();
            on_batch(view)?;
            taken[round] = started.elapsed();
        }
    }
    // The first round sees the keys for the first time.
    for rounds in &mut taken {
        rounds[1..].sort();
    }
    let mean = |at: usize| {
        let sum: Duration = taken.iter().map(|rounds| rounds[at]).sum();
        sum.as_nanos() as f64 / (taken.len() * BATCH_ROWS) as f64
    };
    println!(
        "{name:<44} {:6.1} / {:6.1}   first round {:6.1}",
        mean(1),
        mean(1 + ROUNDS / 2),
        mean(0)
    );
    Ok(())
}

fn specs(kinds: &[AggregateKind]) -> Vec<AggregateSpec> {
    let spec = |&kind| AggregateSpec {
        kind,
        input: (kind != AggregateKind::Count).then_some(0),
    };
    kinds.iter().map(spec).collect()
}

/// What growing costs at worst: the longest batch while new keys only come.
fn growth(only: &str, registry: &LayoutRegistry) -> Result<()> {
    const NEW_KEYS: usize = 3 << 20;
    if !"growth".contains(only) {
        return Ok(());
    }
    let batches = make_batches(Keys::Strings, NEW_KEYS, NEW_KEYS, registry)?;
    // What other processes of the machine cost is not in the least of some runs: a table grows at about the same batches.
    let mut taken = vec![Duration::MAX; batches.len()];
    let mut bytes = 0;
    for _ in 0..3 {
        let mut aggregate = KeyedAggregate::new(specs(&[AggregateKind::Count, AggregateKind::Sum]))?;
        for (batch, taken) in batches.iter().zip(&mut taken) {
            let view = batch.view()?;
            let started = Instant::now();
            aggregate.update(&view)?;
            *taken = started.elapsed().min(*taken);
        }
        bytes = aggregate.bytes_used();
    }
    let total: Duration = taken.iter().sum();
    if std::env::var_os("SAGE_BENCH_WORST").is_some() {
        let mut worst: Vec<_> = taken
            .iter()
            .enumerate()
            .map(|(batch, taken)| (taken, batch * BATCH_ROWS))
            .collect();
        worst.sort();
        println!(
            "slowest batches and the keys before them: {:?}",
            &worst[worst.len() - 12..]
        );
    }
    taken.sort();
    println!(
        "growth to {NEW_KEYS} keys: {:.1} ns a row, batch median {:?}, p99 {:?}, worst {:?}; {:.1} bytes a key",
        total.as_nanos() as f64 / NEW_KEYS as f64,
        taken[taken.len() / 2],
        taken[taken.len() * 99 / 100],
        taken[taken.len() - 1],
        bytes as f64 / NEW_KEYS as f64
    );
    Ok(())
}

fn main() -> Result<()> {
    let only = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let only = only.as_str();
    let registry = LayoutRegistry::new();
    let count_sum = specs(&[AggregateKind::Count, AggregateKind::Sum]);
    println!("{:<44} min / median ns a row", "");
    for (name, kind, distinct) in [
        ("number", Keys::Numbers, KEYS),
        ("string", Keys::Strings, KEYS),
        ("string, 1000 keys", Keys::Strings, 1000),
        ("string, 1M keys", Keys::Strings, 1_000_000),
        ("long string", Keys::LongStrings, KEYS),
    ] {
        if !["slots", "count+sum", "emit", "all seven"]
            .iter()
            .any(|what| format!("{name}: {what}").contains(only))
        {
            continue;
        }
        let batches = make_batches(kind, distinct, ROWS, &registry)?;

        let mut table = KeyTable::new();
        let mut slots = Vec::new();
        measure(&format!("{name}: slots"), only, &batches, |view| {
            table.slots_for(view, &mut slots)?;
            black_box(&slots);
            Ok(())
        })?;

        let mut aggregate = KeyedAggregate::new(count_sum.clone())?;
        measure(&format!("{name}: count+sum"), only, &batches, |view| {
            aggregate.update(view)
        })?;
        black_box(&aggregate);

        let mut aggregate = KeyedAggregate::new(count_sum.clone())?;
        let mut image = vec![0; 64 << 10];
        measure(&format!("{name}: emit count+sum"), only, &batches, |view| {
            let emitted = aggregate.update_emit_into(view, &registry, &mut image)?;
            debug_assert!(matches!(emitted, Emitted::Written(_)));
            black_box(&image);
            Ok(())
        })?;

        let mut aggregate = KeyedAggregate::new(specs(&AggregateKind::ALL))?;
        measure(&format!("{name}: all seven"), only, &batches, |view| {
            aggregate.update(view)
        })?;
        black_box(&aggregate);
    }
    growth(only, &registry)
}
