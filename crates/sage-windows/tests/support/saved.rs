//! Windows in several instances, saved and restored in others between steps: from epochs that hold changes, on top of each other.

use std::collections::BTreeMap;

use sage_checkpoint::EntryReader;
use sage_frame::{LayoutRegistry, hash_canonical};
use sage_state::{KeyedPayload, SavedBytes, saved_entries};
use sage_types::KeyGroups;
use sage_windows::{NativeWindows, RecordedWindows, WindowSpec};

use super::batch::RowBatch;
use super::interpreter::Interpreter;
use super::oracle::Row;
use super::run::{Outcome, Step, execute, outcome_of, take};

pub const KEY_GROUPS: u32 = 128;

/// What happens behind a step.
#[derive(Debug, Clone, Copy)]
pub enum Behind {
    Nothing,
    /// An epoch is written: what has changed since the one before, if that is known.
    Epoch,
    /// An epoch is written, and so many others go on from it.
    Restart(u32),
}

/// What the epochs of an instance have come to: entries by key.
#[derive(Debug, Default)]
struct Chain(BTreeMap<Vec<u8>, Vec<u8>>);

impl Chain {
    fn add(&mut self, payload: &[u8], is_full: bool) {
        if is_full {
            self.0.clear();
        }
        for entry in EntryReader::new(payload).map(Result::unwrap) {
            match entry.value {
                Some(value) => self.0.insert(entry.key.to_vec(), value.to_vec()),
                None => self.0.remove(entry.key),
            };
        }
    }

    fn payload(&self) -> Vec<u8> {
        let mut payload = KeyedPayload::new(KEY_GROUPS);
        for (key, value) in &self.0 {
            payload.put(key, value).unwrap();
        }
        payload.into_bytes()
    }
}

/// Canonical bytes of the key of a row: a string.
fn canonical(key: u32) -> Vec<u8> {
    [&[5][..], format!("key-{key}").as_bytes()].concat()
}

/// The entries of all old instances that are a new one's, by key group.
pub fn share_of(saved: &[Vec<u8>], instance: u32, parallelism: u32) -> Vec<u8> {
    let groups = KeyGroups::new(KEY_GROUPS, parallelism);
    let group = |key: &[u8]| match key {
        [] => 0,
        _ => groups.group_of(hash_canonical(key)),
    };
    let mut entries: Vec<(&[u8], &[u8])> = saved
        .iter()
        .flat_map(|payload| saved_entries(payload).unwrap())
        .filter(|(key, _)| groups.instance_of_group(group(key)) == instance)
        .collect();
    entries.sort_by_key(|(key, _)| group(key));
    let mut payload = KeyedPayload::new(KEY_GROUPS);
    for (key, value) in entries {
        payload.put(key, value).unwrap();
    }
    payload.into_bytes()
}

/// The rows of an instance.
fn own_rows(rows: &[Row], instance: usize, instances: usize) -> Vec<Row> {
    let groups = KeyGroups::new(KEY_GROUPS, u32::try_from(instances).unwrap());
    let is_own = |row: &&Row| {
        instances == 1 || groups.instance_of(hash_canonical(&canonical(row.key))) as usize == instance
    };
    rows.iter().filter(is_own).copied().collect()
}

/// One instance, whoever has the accumulators.
trait Instance {
    fn new(spec: &WindowSpec) -> Self;
    fn add(
        &mut self,
        registry: &LayoutRegistry,
        rows: &[Row],
        keyed: bool,
        now: f64,
        most: usize,
        late: &mut Vec<usize>,
    );
    fn advance(&mut self, registry: &LayoutRegistry, watermark: f64, now: f64, most: usize);
    fn finish(&mut self, registry: &LayoutRegistry, most: usize);
    fn gaps(&self) -> u64;
    /// Progress, keys, and what JavaScript has.
    fn save(&mut self) -> [Vec<u8>; 3];
    /// What has changed of keys, and of what JavaScript has.
    fn save_changes(&mut self) -> Option<[Vec<u8>; 2]>;
    fn restore(&mut self, progress: &[Vec<u8>], keys: &[u8], values: &[u8]);
    fn take_results(&mut self, steps: &[Step]) -> Vec<Vec<f64>>;
}

pub struct Native {
    windows: NativeWindows,
    results: Vec<Vec<f64>>,
}

impl Native {
    fn take(&mut self, registry: &LayoutRegistry, most: usize) {
        take(&mut self.windows, registry, most, &mut self.results);
    }
}

impl Instance for Native {
    fn new(spec: &WindowSpec) -> Self {
        Self {
            windows: NativeWindows::new(spec).unwrap(),
            results: Vec::new(),
        }
    }

    fn add(
        &mut self,
        registry: &LayoutRegistry,
        rows: &[Row],
        keyed: bool,
        now: f64,
        most: usize,
        late: &mut Vec<usize>,
    ) {
        let batch = RowBatch::new(registry, rows, keyed);
        let mut next = 0;
        while next < rows.len() {
            let table = self.windows.table_mut();
            next = table.add(&batch.view(), &batch.times, next, now).unwrap();
            late.extend(table.late().iter().map(|&row| rows[row as usize].id));
            self.take(registry, most);
        }
    }

    fn advance(&mut self, registry: &LayoutRegistry, watermark: f64, now: f64, most: usize) {
        self.windows.table_mut().advance(watermark, now).unwrap();
        self.take(registry, most);
    }

    fn finish(&mut self, registry: &LayoutRegistry, most: usize) {
        self.windows.table_mut().finish();
        self.take(registry, most);
        assert_eq!(self.windows.table().counts().keys, 0, "keys are left");
    }

    fn gaps(&self) -> u64 {
        self.windows.table().counts().gap_rows
    }

    fn save(&mut self) -> [Vec<u8>; 3] {
        let table = self.windows.table_mut();
        [table.save_progress(), table.save(KEY_GROUPS).unwrap(), Vec::new()]
    }

    fn save_changes(&mut self) -> Option<[Vec<u8>; 2]> {
        let changes = self.windows.table_mut().save_changes(KEY_GROUPS).unwrap();
        changes.map(|changes| [changes, Vec::new()])
    }

    fn restore(&mut self, progress: &[Vec<u8>], keys: &[u8], _: &[u8]) {
        for progress in progress {
            self.windows.table_mut().restore_progress(progress).unwrap();
        }
        self.windows.table_mut().restore(keys).unwrap();
        assert!(!self.windows.table().has_more(), "something is due at once");
    }

    fn take_results(&mut self, _: &[Step]) -> Vec<Vec<f64>> {
        std::mem::take(&mut self.results)
    }
}

pub struct Recorded {
    windows: RecordedWindows,
    interpreter: Interpreter,
}

/// Slot and accumulators of a key in a listing.
fn listed_key(value: &[u8]) -> (u32, Vec<(u32, f64, f64)>) {
    let mut value = SavedBytes::new(value);
    let (slot, count) = (value.u32().unwrap(), value.u32().unwrap());
    let accumulator = |_| (value.u32().unwrap(), value.f64().unwrap(), value.f64().unwrap());
    let accumulators = (0..count).map(accumulator).collect();
    value.end().unwrap();
    (slot, accumulators)
}

impl Recorded {
    /// Of listed accumulators the key as it is called and the rows; how many accumulators these were.
    fn values(&self, listing: &[u8]) -> (Vec<u8>, usize) {
        let mut values = KeyedPayload::new(KEY_GROUPS);
        let mut seen = 0;
        for entry in EntryReader::new(listing).map(Result::unwrap) {
            let Some(value) = entry.value else {
                values.remove(entry.key).unwrap();
                continue;
            };
            let (slot, accumulators) = listed_key(value);
            let mut value = vec![u8::try_from(self.interpreter.key(slot)).unwrap()];
            for (accumulator, start, end) in &accumulators {
                seen += 1;
                if let Some(window) = self.interpreter.windows.get(&accumulator.cast_signed()) {
                    assert_eq!((window.1, window.2), (*start, *end));
                }
                let rows = &self.interpreter.contents()[&accumulator.cast_signed()];
                value.push(u8::try_from(rows.len()).unwrap());
                value.extend(
                    rows.iter()
                        .flat_map(|&row| u16::try_from(row).unwrap().to_le_bytes()),
                );
            }
            values.put(entry.key, &value).unwrap();
        }
        (values.into_bytes(), seen)
    }
}

impl Instance for Recorded {
    fn new(spec: &WindowSpec) -> Self {
        Self {
            windows: RecordedWindows::new(spec).unwrap(),
            interpreter: Interpreter::default(),
        }
    }

    fn add(
        &mut self,
        registry: &LayoutRegistry,
        rows: &[Row],
        keyed: bool,
        now: f64,
        most: usize,
        late: &mut Vec<usize>,
    ) {
        let batch = RowBatch::new(registry, rows, keyed);
        let mut next = 0;
        while next < rows.len() {
            let table = self.windows.table_mut();
            next = table.add(&batch.view(), &batch.times, next, now).unwrap();
            late.extend(table.late().iter().map(|&row| rows[row as usize].id));
            execute(&mut self.windows, &mut self.interpreter, rows, most);
        }
    }

    fn advance(&mut self, _: &LayoutRegistry, watermark: f64, now: f64, most: usize) {
        self.windows.table_mut().advance(watermark, now).unwrap();
        execute(&mut self.windows, &mut self.interpreter, &[], most);
    }

    fn finish(&mut self, _: &LayoutRegistry, most: usize) {
        self.windows.table_mut().finish();
        execute(&mut self.windows, &mut self.interpreter, &[], most);
        assert!(self.interpreter.is_empty(), "{:?}", self.interpreter);
    }

    fn gaps(&self) -> u64 {
        self.windows.table().counts().gap_rows
    }

    fn save(&mut self) -> [Vec<u8>; 3] {
        let table = self.windows.table_mut();
        let listing = table.list_accumulators(KEY_GROUPS).unwrap();
        let (progress, keys) = (table.save_progress(), table.save(KEY_GROUPS).unwrap());
        assert_eq!(table.list_changed_accumulators(KEY_GROUPS).unwrap(), None);
        let (values, seen) = self.values(&listing);
        assert_eq!(saved_entries(&listing).unwrap().len(), self.interpreter.len());
        assert_eq!(
            seen,
            self.interpreter.contents().len(),
            "each accumulator is listed"
        );
        [progress, keys, values]
    }

    fn save_changes(&mut self) -> Option<[Vec<u8>; 2]> {
        let table = self.windows.table_mut();
        let changes = table.save_changes(KEY_GROUPS).unwrap()?;
        let listing = table.list_changed_accumulators(KEY_GROUPS).unwrap().unwrap();
        Some([changes, self.values(&listing).0])
    }

    fn restore(&mut self, progress: &[Vec<u8>], keys: &[u8], values: &[u8]) {
        for progress in progress {
            self.windows.table_mut().restore_progress(progress).unwrap();
        }
        self.windows.table_mut().restore(keys).unwrap();
        let values: BTreeMap<&[u8], &[u8]> = saved_entries(values).unwrap().into_iter().collect();
        let listing = self.windows.table().list_accumulators(KEY_GROUPS).unwrap();
        for (key, listed) in saved_entries(&listing).unwrap() {
            let (slot, accumulators) = listed_key(listed);
            let mut value = SavedBytes::new(values[key]);
            let number = value.u8().unwrap();
            let rows = accumulators.iter().map(|&(accumulator, ..)| {
                let count = value.u8().unwrap();
                let row = |_| {
                    let bytes = value.take(2).unwrap();
                    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
                };
                (accumulator, (0..count).map(row).collect())
            });
            self.interpreter.resume(slot, u32::from(number), rows);
            value.end().unwrap();
        }
    }

    fn take_results(&mut self, steps: &[Step]) -> Vec<Vec<f64>> {
        let results = std::mem::take(&mut self.interpreter.results);
        outcome_of(&results, steps, Vec::new(), 0).results
    }
}

/// Puts what has changed on top of the epochs before, or all of it; what this has come to.
fn write_epoch<I: Instance>(instance: &mut I, chains: &mut [Chain; 2], changed: &mut usize) {
    if let Some(changes) = instance.save_changes() {
        *changed += 1;
        for (chain, payload) in chains.iter_mut().zip(&changes) {
            chain.add(payload, false);
        }
    } else {
        let [_, keys, values] = instance.save();
        chains[0].add(&keys, true);
        chains[1].add(&values, true);
    }
}

/// Through so many instances, which write epochs, and are replaced by others that go on from them; also how many epochs were changes.
fn through<I: Instance>(
    spec: &WindowSpec,
    steps: &[Step],
    behind: &[Behind],
    most: usize,
) -> (Outcome, usize) {
    let mut outcome = Outcome::default();
    let mut changed = 0;
    let registry = LayoutRegistry::new();
    let mut instances = vec![(I::new(spec), <[Chain; 2]>::default())];
    for (step, behind) in steps.iter().zip(behind.iter().cycle()) {
        let count = instances.len();
        for (at, (instance, _)) in instances.iter_mut().enumerate() {
            match step {
                Step::Rows { rows, now } => {
                    let own = own_rows(rows, at, count);
                    if !own.is_empty() {
                        instance.add(&registry, &own, spec.keyed, *now, most, &mut outcome.late);
                    }
                }
                Step::Advance { watermark, now } => instance.advance(&registry, *watermark, *now, most),
            }
            outcome.results.extend(instance.take_results(steps));
        }
        if matches!(behind, Behind::Nothing) {
            continue;
        }
        for (instance, chains) in &mut instances {
            write_epoch(instance, chains, &mut changed);
        }
        let Behind::Restart(parallelism) = *behind else {
            continue;
        };
        let parallelism = if spec.keyed { parallelism } else { 1 };
        outcome.gaps += instances.iter().map(|(instance, _)| instance.gaps()).sum::<u64>();
        let mut left: [Vec<Vec<u8>>; 3] = Default::default();
        for (instance, chains) in &mut instances {
            let [progress, whole @ ..] = instance.save();
            for ((whole, chain), left) in whole.iter().zip(&*chains).zip(&mut left[1..]) {
                let mut all = Chain::default();
                all.add(whole, true);
                assert_eq!(
                    chain.0, all.0,
                    "changes on top of each other are all that there is"
                );
                left.push(chain.payload());
            }
            left[0].push(progress);
        }
        instances = (0..parallelism)
            .map(|_| (I::new(spec), Default::default()))
            .collect();
        for (at, (instance, _)) in (0..).zip(&mut instances) {
            let share = |part: usize| share_of(&left[part], at, parallelism);
            instance.restore(&left[0], &share(1), &share(2));
        }
    }
    for (instance, _) in &mut instances {
        instance.finish(&registry, most);
        outcome.results.extend(instance.take_results(steps));
    }
    outcome.gaps += instances.iter().map(|(instance, _)| instance.gaps()).sum::<u64>();
    (outcome, changed)
}

/// Through the built-in aggregates.
pub fn native(spec: &WindowSpec, steps: &[Step], behind: &[Behind], most: usize) -> Outcome {
    through::<Native>(spec, steps, behind, most).0
}

/// Through accumulators of JavaScript.
pub fn recorded(spec: &WindowSpec, steps: &[Step], behind: &[Behind], most: usize) -> Outcome {
    through::<Recorded>(spec, steps, behind, most).0
}

/// How many epochs of instances were changes, through the built-in aggregates and through accumulators of JavaScript.
pub fn epochs_of_changes(spec: &WindowSpec, steps: &[Step], behind: &[Behind]) -> [usize; 2] {
    let of_javascript = WindowSpec {
        aggregates: None,
        ..spec.clone()
    };
    [
        through::<Native>(spec, steps, behind, 1000).1,
        through::<Recorded>(&of_javascript, steps, behind, 1000).1,
    ]
}
