//! Windows in several instances, saved and restored in others between steps.

use std::collections::BTreeMap;

use sage_frame::{LayoutRegistry, hash_canonical};
use sage_state::{KeyedPayload, SavedBytes, saved_entries};
use sage_types::KeyGroups;
use sage_windows::{NativeWindows, RecordedWindows, WindowSpec};

use super::batch::RowBatch;
use super::interpreter::Interpreter;
use super::oracle::Row;
use super::run::{Outcome, Step, execute, outcome_of, take};

pub const KEY_GROUPS: u32 = 128;

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
    fn save(&self) -> [Vec<u8>; 3];
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

    fn save(&self) -> [Vec<u8>; 3] {
        let table = self.windows.table();
        [table.save_progress(), table.save(KEY_GROUPS).unwrap(), Vec::new()]
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

/// Key, slot, accumulators.
type Listed = (Vec<u8>, u32, Vec<(u32, f64, f64)>);

/// Of a listing of accumulators.
fn listed(listing: &[u8]) -> Vec<Listed> {
    let read = |(key, value): (&[u8], &[u8])| {
        let mut value = SavedBytes::new(value);
        let (slot, count) = (value.u32().unwrap(), value.u32().unwrap());
        let accumulator = |_| (value.u32().unwrap(), value.f64().unwrap(), value.f64().unwrap());
        let accumulators = (0..count).map(accumulator).collect();
        value.end().unwrap();
        (key.to_vec(), slot, accumulators)
    };
    saved_entries(listing).unwrap().into_iter().map(read).collect()
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

    fn save(&self) -> [Vec<u8>; 3] {
        let table = self.windows.table();
        let mut values = KeyedPayload::new(KEY_GROUPS);
        let listing = listed(&table.list_accumulators(KEY_GROUPS).unwrap());
        assert_eq!(listing.len(), self.interpreter.len(), "each key is listed");
        let mut seen = 0;
        for (key, slot, accumulators) in &listing {
            let mut value = vec![u8::try_from(self.interpreter.key(*slot)).unwrap()];
            for (accumulator, start, end) in accumulators {
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
            values.put(key, &value).unwrap();
        }
        assert_eq!(
            seen,
            self.interpreter.contents().len(),
            "each accumulator is listed"
        );
        [
            table.save_progress(),
            table.save(KEY_GROUPS).unwrap(),
            values.into_bytes(),
        ]
    }

    fn restore(&mut self, progress: &[Vec<u8>], keys: &[u8], values: &[u8]) {
        for progress in progress {
            self.windows.table_mut().restore_progress(progress).unwrap();
        }
        self.windows.table_mut().restore(keys).unwrap();
        let values: BTreeMap<&[u8], &[u8]> = saved_entries(values).unwrap().into_iter().collect();
        let listing = self.windows.table().list_accumulators(KEY_GROUPS).unwrap();
        for (key, slot, accumulators) in listed(&listing) {
            let mut value = SavedBytes::new(values[&*key]);
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

/// Through so many instances, which are saved and replaced by others behind each step that has a number.
fn through<I: Instance>(spec: &WindowSpec, steps: &[Step], saves: &[Option<u32>], most: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let registry = LayoutRegistry::new();
    let mut instances = vec![I::new(spec)];
    for (step, save) in steps.iter().zip(saves.iter().cycle()) {
        let count = instances.len();
        for (at, instance) in instances.iter_mut().enumerate() {
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
        let Some(parallelism) = save.map(|parallelism| if spec.keyed { parallelism } else { 1 }) else {
            continue;
        };
        outcome.gaps += instances.iter().map(I::gaps).sum::<u64>();
        let left: Vec<[Vec<u8>; 3]> = instances.iter().map(I::save).collect();
        let parts = |part: usize| -> Vec<Vec<u8>> { left.iter().map(|parts| parts[part].clone()).collect() };
        instances = (0..parallelism).map(|_| I::new(spec)).collect();
        for (at, instance) in (0..).zip(&mut instances) {
            let share = |part: usize| share_of(&parts(part), at, parallelism);
            instance.restore(&parts(0), &share(1), &share(2));
        }
    }
    for instance in &mut instances {
        instance.finish(&registry, most);
        outcome.results.extend(instance.take_results(steps));
    }
    outcome.gaps += instances.iter().map(I::gaps).sum::<u64>();
    outcome
}

/// Through the built-in aggregates.
pub fn native(spec: &WindowSpec, steps: &[Step], saves: &[Option<u32>], most: usize) -> Outcome {
    through::<Native>(spec, steps, saves, most)
}

/// Through accumulators of JavaScript.
pub fn recorded(spec: &WindowSpec, steps: &[Step], saves: &[Option<u32>], most: usize) -> Outcome {
    through::<Recorded>(spec, steps, saves, most)
}
