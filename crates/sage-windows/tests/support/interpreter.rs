//! Does what a program says, as JavaScript would, and checks that it makes sense.

use std::collections::BTreeMap;

use sage_windows::{Program, word};

use super::oracle::{Row, Shown};

/// Accumulators that hold the rows themselves.
#[derive(Debug, Default)]
pub struct Interpreter {
    keys: BTreeMap<i32, u32>,
    accumulators: BTreeMap<i32, Vec<usize>>,
    /// With a custom trigger: the window of each accumulator.
    pub windows: BTreeMap<i32, (u32, f64, f64)>,
    pub results: Vec<Shown>,
    pub longest_list: usize,
    pub merges: usize,
}

impl Interpreter {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.accumulators.is_empty()
    }

    /// The rows that each accumulator holds.
    pub fn contents(&self) -> &BTreeMap<i32, Vec<usize>> {
        &self.accumulators
    }

    /// Has from now on the key of a slot and what is in its accumulators, as after a restore.
    pub fn resume(&mut self, slot: u32, key: u32, accumulators: impl Iterator<Item = (u32, Vec<usize>)>) {
        assert_eq!(self.keys.insert(slot.cast_signed(), key), None);
        for (accumulator, rows) in accumulators {
            let before = self.accumulators.insert(accumulator.cast_signed(), rows);
            assert_eq!(before, None, "accumulator {accumulator} is listed twice");
        }
    }

    /// The key of a slot.
    pub fn key(&self, slot: u32) -> u32 {
        self.keys[&slot.cast_signed()]
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn run(&mut self, program: &Program, batch: &[Row]) {
        let mut words = program.words.iter().copied();
        let mut next = || words.next();
        while let Some(instruction) = next() {
            let mut operand = || next().unwrap();
            match instruction {
                word::KEY => {
                    let (slot, row) = (operand(), operand());
                    let before = self.keys.insert(slot, batch[index(row)].key);
                    assert_eq!(before, None, "slot {slot} has a key");
                }
                word::DROP => {
                    let slot = operand();
                    assert!(self.keys.remove(&slot).is_some(), "slot {slot} has no key");
                }
                word::INIT => {
                    let accumulator = operand();
                    let before = self.accumulators.insert(accumulator, Vec::new());
                    assert_eq!(before, None, "accumulator {accumulator} is in use");
                }
                word::ADD => {
                    for _ in 0..operand() {
                        let (row, accumulator) = (operand(), operand());
                        let rows = self.accumulators.get_mut(&accumulator).unwrap();
                        rows.push(batch[index(row)].id);
                    }
                }
                word::MERGE => {
                    let (into, from) = (operand(), operand());
                    assert_ne!(into, from);
                    self.merges += 1;
                    let rows = self.accumulators[&from].clone();
                    self.accumulators.get_mut(&into).unwrap().extend(rows);
                }
                word::EMIT => {
                    let (accumulator, slot, window) = (operand(), operand(), operand());
                    self.emit(program, slot, window, self.accumulators[&accumulator].clone());
                }
                word::EMIT_PANES => {
                    let (slot, window, count) = (operand(), operand(), operand());
                    self.longest_list = self.longest_list.max(index(count));
                    let rows = (0..count)
                        .flat_map(|_| self.accumulators[&operand()].clone())
                        .collect();
                    self.emit(program, slot, window, rows);
                }
                word::FREE => {
                    let accumulator = operand();
                    self.windows.remove(&accumulator);
                    let rows = self.accumulators.remove(&accumulator);
                    assert!(rows.is_some(), "accumulator {accumulator} is not in use");
                }
                word::OPEN => {
                    let (accumulator, slot, window) = (operand(), operand(), operand());
                    let (start, end) = edges(program, window);
                    self.windows.insert(accumulator, (self.keys[&slot], start, end));
                }
                other => panic!("there is no instruction {other}"),
            }
        }
    }

    fn emit(&mut self, program: &Program, slot: i32, window: i32, mut rows: Vec<usize>) {
        rows.sort_unstable();
        let (start, end) = edges(program, window);
        self.results.push(Shown {
            key: self.keys[&slot],
            start,
            end,
            rows,
        });
    }
}

fn edges(program: &Program, window: i32) -> (f64, f64) {
    (
        program.windows[2 * index(window)],
        program.windows[2 * index(window) + 1],
    )
}

fn index(word: i32) -> usize {
    usize::try_from(word).unwrap()
}
