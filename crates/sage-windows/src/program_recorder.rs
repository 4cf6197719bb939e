//! Windows whose accumulators JavaScript keeps.

use sage_frame::BatchView;
use sage_types::Result;

use crate::accumulator_ids::AccumulatorIds;
use crate::{PaneAccumulators, word};

/// At so many words a program is long enough, however few results it gives.
const MAX_WORDS: usize = 1 << 18;
/// The accumulator in which results of several are merged.
const MERGED: u32 = 0;

/// What JavaScript has to do, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// Instructions, as [`word`] names them.
    pub words: Vec<i32>,
    /// Start and end of the windows that instructions name by their index, in milliseconds or elements.
    pub windows: Vec<f64>,
}

/// Writes down what JavaScript has to do with accumulators of its own.
#[derive(Debug)]
pub struct ProgramRecorder {
    ids: AccumulatorIds,
    keeps_elements: bool,
    program: Program,
    /// Where the count of the last instruction is, if that is `ADD`.
    adding: Option<usize>,
    results: usize,
}

impl ProgramRecorder {
    /// Nothing to do. Where elements are kept, results of several panes are left to JavaScript.
    #[must_use]
    pub const fn new(keeps_elements: bool) -> Self {
        Self {
            ids: AccumulatorIds::new(),
            keeps_elements,
            program: Program {
                words: Vec::new(),
                windows: Vec::new(),
            },
            adding: None,
            results: 0,
        }
    }

    /// What there is to do.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// The program was taken.
    pub fn clear(&mut self) {
        self.program.words.clear();
        self.program.windows.clear();
        self.adding = None;
        self.results = 0;
    }

    fn write(&mut self, word: i32, operands: &[u32]) {
        self.adding = None;
        self.program.words.push(word);
        self.write_operands(operands);
    }

    #[inline]
    fn write_operands(&mut self, operands: &[u32]) {
        self.program
            .words
            .extend(operands.iter().map(|word| word.cast_signed()));
    }

    fn window(&mut self, start: f64, end: f64) -> u32 {
        let windows = &mut self.program.windows;
        if !matches!(**windows, [.., last_start, last_end] if last_start == start && last_end == end) {
            windows.extend([start, end]);
        }
        // A program has some thousand results.
        u32::try_from(windows.len() / 2 - 1).unwrap_or(u32::MAX)
    }
}

impl PaneAccumulators for ProgramRecorder {
    fn merges_panes(&self) -> bool {
        !self.keeps_elements
    }

    fn max_panes_of_result(&self) -> i64 {
        // Each merge is a call of a function in JavaScript; lists are only named.
        if self.keeps_elements { 24 } else { 8 }
    }

    fn begin_batch(&mut self, _: &BatchView<'_>) -> Result<()> {
        Ok(())
    }

    fn end_batch(&mut self) {
        self.adding = None;
    }

    fn key(&mut self, slot: u32, row: u32) {
        self.write(word::KEY, &[slot, row]);
    }

    fn drop_key(&mut self, slot: u32) {
        self.write(word::DROP, &[slot]);
    }

    fn ids(&mut self) -> &mut AccumulatorIds {
        &mut self.ids
    }

    fn init(&mut self, accumulator: u32) {
        self.write(word::INIT, &[accumulator]);
    }

    #[inline]
    fn add(&mut self, row: u32, accumulator: u32) {
        if let Some(at) = self.adding {
            self.program.words[at] += 1;
            self.write_operands(&[row, accumulator]);
        } else {
            let at = self.program.words.len() + 1;
            self.write(word::ADD, &[1, row, accumulator]);
            self.adding = Some(at);
        }
    }

    fn merge(&mut self, into: u32, from: u32) {
        self.write(word::MERGE, &[into, from]);
    }

    fn stands_for(&mut self, accumulator: u32, slot: u32, start: f64, end: f64) {
        let window = self.window(start, end);
        self.write(word::OPEN, &[accumulator, slot, window]);
    }

    fn emit(&mut self, accumulators: &[u32], slot: u32, start: f64, end: f64) {
        self.results += 1;
        let window = self.window(start, end);
        match *accumulators {
            [accumulator] => self.write(word::EMIT, &[accumulator, slot, window]),
            _ if self.keeps_elements => {
                let count = u32::try_from(accumulators.len()).unwrap_or(u32::MAX);
                self.write(word::EMIT_PANES, &[slot, window, count]);
                self.write_operands(accumulators);
            }
            _ => {
                self.init(MERGED);
                for &accumulator in accumulators {
                    self.merge(MERGED, accumulator);
                }
                self.write(word::EMIT, &[MERGED, slot, window]);
                self.forget(MERGED);
            }
        }
    }

    fn forget(&mut self, accumulator: u32) {
        self.write(word::FREE, &[accumulator]);
    }

    fn saved_len(&self) -> usize {
        0
    }

    fn save(&self, _: u32, _: &mut Vec<u8>) {}

    fn restore(&mut self, _: u32, _: &[u8]) {}

    fn is_full(&self, max_results: usize) -> bool {
        self.results >= max_results || self.program.words.len() >= MAX_WORDS
    }

    fn is_taken(&self) -> bool {
        self.program.words.is_empty()
    }

    fn bytes_used(&self) -> usize {
        self.ids.bytes_used()
            + self.program.words.capacity() * size_of::<i32>()
            + self.program.windows.capacity() * size_of::<f64>()
    }
}
