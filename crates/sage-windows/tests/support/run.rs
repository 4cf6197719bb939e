//! Runs steps through the engine and through the oracle.

use sage_frame::{ColumnData, LayoutRegistry};
use sage_windows::{NativeWindows, RecordedWindows, WindowSpec};

use super::batch::RowBatch;
use super::interpreter::Interpreter;
use super::oracle::{Oracle, Row, Shown};

/// Something that happens to windows.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Rows { rows: Vec<Row>, now: f64 },
    Advance { watermark: f64, now: f64 },
}

/// What came out: results as `[key, start, end, count, sum, avg, min, max]`, null as NaN.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub results: Vec<Vec<f64>>,
    pub late: Vec<usize>,
    pub gaps: u64,
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        let bits = |results: &[Vec<f64>]| -> Vec<Vec<u64>> {
            let row = |row: &Vec<f64>| row.iter().map(|number| (number + 0.0).to_bits()).collect();
            results.iter().map(row).collect()
        };
        bits(&self.results) == bits(&other.results) && (&self.late, self.gaps) == (&other.late, other.gaps)
    }
}

/// The aggregators of [`native`].
pub const AGGREGATES: &str = r#"[{"kind":"count"},{"kind":"sum","input":0},{"kind":"avg","input":0},{"kind":"min","input":0},{"kind":"max","input":0}]"#;

/// Results of the aggregators of a window.
pub fn aggregate(shown: &Shown, values: &[Option<f64>]) -> Vec<f64> {
    let inputs: Vec<f64> = shown.rows.iter().filter_map(|&row| values[row]).collect();
    let sum: f64 = inputs.iter().sum();
    let fold = |better: fn(f64, f64) -> f64| inputs.iter().copied().reduce(better).unwrap_or(f64::NAN);
    let mean = if inputs.is_empty() {
        f64::NAN
    } else {
        sum / inputs.len() as f64
    };
    let head = [f64::from(shown.key), shown.start, shown.end];
    let results = [shown.rows.len() as f64, sum, mean, fold(f64::min), fold(f64::max)];
    head.into_iter().chain(results).collect()
}

fn values_of(steps: &[Step]) -> Vec<Option<f64>> {
    let rows = steps.iter().filter_map(|step| match step {
        Step::Rows { rows, .. } => Some(rows),
        Step::Advance { .. } => None,
    });
    rows.flatten().map(|row| row.value).collect()
}

/// By the definition.
pub fn oracle(spec: &WindowSpec, steps: &[Step]) -> (Outcome, Vec<Shown>) {
    let mut oracle = Oracle::new(spec);
    for step in steps {
        match step {
            Step::Rows { rows, now } => {
                for &row in rows {
                    oracle.add(row, *now);
                }
            }
            Step::Advance { watermark, now } => oracle.advance(*watermark, *now),
        }
    }
    oracle.finish();
    let outcome = outcome_of(&oracle.results, steps, oracle.late, oracle.gaps);
    (outcome, oracle.results)
}

pub fn outcome_of(results: &[Shown], steps: &[Step], late: Vec<usize>, gaps: u64) -> Outcome {
    let values = values_of(steps);
    Outcome {
        results: results.iter().map(|shown| aggregate(shown, &values)).collect(),
        late,
        gaps,
    }
}

/// Cuts the rows of steps into batches of these sizes, one after the other and again.
pub fn cut(steps: &[Step], sizes: &[usize]) -> Vec<Step> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut cut = Vec::new();
    for step in steps {
        let Step::Rows { rows, now } = step else {
            cut.push(step.clone());
            continue;
        };
        let mut rest = &rows[..];
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
            cut.push(Step::Rows {
                rows: batch.to_vec(),
                now: *now,
            });
            rest = behind;
        }
    }
    cut
}

/// Through the built-in aggregates.
pub fn native(spec: &WindowSpec, steps: &[Step], max_results: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let registry = LayoutRegistry::new();
    let mut windows = NativeWindows::new(spec).unwrap();
    for step in steps {
        match step {
            Step::Rows { rows, now } => {
                let batch = RowBatch::new(&registry, rows, spec.keyed);
                let mut next = 0;
                while next < rows.len() {
                    let table = windows.table_mut();
                    next = table.add(&batch.view(), &batch.times, next, *now).unwrap();
                    outcome
                        .late
                        .extend(table.late().iter().map(|&row| rows[row as usize].id));
                    take(&mut windows, &registry, max_results, &mut outcome.results);
                }
            }
            Step::Advance { watermark, now } => {
                windows.table_mut().advance(*watermark, *now).unwrap();
                take(&mut windows, &registry, max_results, &mut outcome.results);
            }
        }
    }
    windows.table_mut().finish();
    take(&mut windows, &registry, max_results, &mut outcome.results);
    let counts = windows.table().counts();
    assert_eq!(counts.late_rows, outcome.late.len() as u64);
    assert_eq!(counts.keys, 0, "keys are left");
    outcome.gaps = counts.gap_rows;
    outcome
}

pub fn take(
    windows: &mut NativeWindows,
    registry: &LayoutRegistry,
    max_results: usize,
    results: &mut Vec<Vec<f64>>,
) {
    while let Some(frame) = windows.fire(max_results, registry).unwrap() {
        assert!(frame.rows() <= max_results);
        let view = frame.view(registry).unwrap();
        let keys: Vec<f64> = match view.key().map(|column| column.data) {
            Some(ColumnData::Str(keys)) => {
                let mut start = 0;
                let text = |&end: &u32| {
                    let key = &keys.data[start..end as usize];
                    start = end as usize;
                    std::str::from_utf8(key)
                        .unwrap()
                        .trim_start_matches("key-")
                        .parse()
                        .unwrap()
                };
                keys.ends.iter().map(text).collect()
            }
            Some(_) => panic!("keys are not strings"),
            None => vec![0.0; view.rows()],
        };
        let columns: Vec<_> = (0..7).map(|at| view.column(&at.to_string()).unwrap()).collect();
        for (row, key) in keys.into_iter().enumerate() {
            let number = |column: &sage_frame::Column<'_>| match column.data {
                ColumnData::F64(numbers) if column.presence_of(row) == 0 => numbers[row],
                _ => f64::NAN,
            };
            results.push([key].into_iter().chain(columns.iter().map(number)).collect());
        }
    }
    assert!(!windows.table().has_more());
}

/// Through a program that an interpreter executes.
pub fn recorded(spec: &WindowSpec, steps: &[Step], max_results: usize) -> (Outcome, Interpreter) {
    let mut interpreter = Interpreter::default();
    let mut late = Vec::new();
    let registry = LayoutRegistry::new();
    let mut windows = RecordedWindows::new(spec).unwrap();
    for step in steps {
        match step {
            Step::Rows { rows, now } => {
                let batch = RowBatch::new(&registry, rows, spec.keyed);
                let mut next = 0;
                while next < rows.len() {
                    let table = windows.table_mut();
                    next = table.add(&batch.view(), &batch.times, next, *now).unwrap();
                    late.extend(table.late().iter().map(|&row| rows[row as usize].id));
                    execute(&mut windows, &mut interpreter, rows, max_results);
                }
            }
            Step::Advance { watermark, now } => {
                windows.table_mut().advance(*watermark, *now).unwrap();
                execute(&mut windows, &mut interpreter, &[], max_results);
            }
        }
    }
    windows.table_mut().finish();
    execute(&mut windows, &mut interpreter, &[], max_results);
    assert!(interpreter.is_empty(), "{interpreter:?}");
    let gaps = windows.table().counts().gap_rows;
    (outcome_of(&interpreter.results, steps, late, gaps), interpreter)
}

pub fn execute(
    windows: &mut RecordedWindows,
    interpreter: &mut Interpreter,
    rows: &[Row],
    max_results: usize,
) {
    while windows.table().has_more() {
        interpreter.run(windows.program(max_results), rows);
        windows.take_program();
    }
}
