//! What the JavaScript of one task would do: sources count, everything else passes on what it gets.

use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry};
use sage_runtime::{EndKind, Isolate, Take};
use sage_types::{EdgeId, TaskId};

/// Key, which source task made it, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Record {
    pub key: f64,
    pub source: f64,
    pub number: f64,
}

impl Record {
    /// As a whole number triple, for sorting and counting.
    pub fn id(&self) -> (i64, i64) {
        #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
        (self.source as i64, self.number as i64)
    }
}

const LAYOUT: &str = r#"{"key":"f64","row":{"tup":["f64","f64"]}}"#;

/// Calls `read` with a batch of these records.
pub fn with_batch<R>(
    records: &[Record],
    registry: &LayoutRegistry,
    read: impl FnOnce(&BatchView<'_>) -> R,
) -> R {
    let id = registry.intern(LAYOUT).unwrap();
    let columns: [Vec<f64>; 3] = [
        records.iter().map(|record| record.key).collect(),
        records.iter().map(|record| record.source).collect(),
        records.iter().map(|record| record.number).collect(),
    ];
    let buffers = columns
        .iter()
        .map(|column| bytemuck::cast_slice::<f64, u8>(column));
    let layout = registry.get(id).unwrap();
    read(&BatchView::from_parts(layout, id, records.len(), buffers, []).unwrap())
}

pub fn frame_of(records: &[Record], registry: &LayoutRegistry) -> Frame {
    with_batch(records, registry, |batch| {
        Frame::from_view(batch, FrameMeta::default()).unwrap()
    })
}

pub fn records_of(batch: &BatchView<'_>) -> Vec<Record> {
    let (keys, sources, numbers) = (batch.f64s(0), batch.f64s(1), batch.f64s(2));
    (0..batch.rows())
        .map(|row| Record {
            key: keys[row],
            source: sources[row],
            number: numbers[row],
        })
        .collect()
}

/// One task in a simulated isolate, and all it has seen and done.
#[derive(Debug)]
pub struct SimTask {
    pub id: TaskId,
    pub outputs: u32,
    /// Sources: how many records are still to come, how many keys they have, how many a batch has.
    pub to_produce: u64,
    pub keys: u64,
    pub batch_rows: u64,
    produced: u64,
    pub received: Vec<(EdgeId, Record)>,
    /// What went to each output: every output gets everything.
    pub emitted: Vec<Record>,
    pub ended: Option<EndKind>,
    pub finished: bool,
}

impl SimTask {
    pub fn new(id: TaskId, outputs: usize) -> Self {
        Self {
            id,
            outputs: super::graphs::number(outputs),
            to_produce: 0,
            keys: 7,
            batch_rows: 5,
            produced: 0,
            received: Vec::new(),
            emitted: Vec::new(),
            ended: None,
            finished: false,
        }
    }

    pub fn producing(self, records: u64, batch_rows: u64) -> Self {
        Self {
            to_produce: records,
            batch_rows,
            ..self
        }
    }

    /// One step; `false` when there was nothing to do.
    pub fn step(&mut self, isolate: &Isolate) -> bool {
        match isolate.take(self.id).unwrap() {
            Take::Nothing => false,
            Take::Time(_) => unreachable!("nobody says how far event time is"),
            Take::Flush => unreachable!("there is no loop"),
            Take::Barrier { .. } => unreachable!("there are no checkpoints"),
            Take::Source => {
                let rows = self.batch_rows.min(self.to_produce - self.produced);
                let batch: Vec<Record> = (self.produced..self.produced + rows)
                    .map(|n| self.record(n))
                    .collect();
                self.produced += rows;
                self.emit(isolate, &batch);
                if self.produced == self.to_produce {
                    self.finish(isolate);
                }
                true
            }
            Take::Batch(arrival) => {
                let batch = records_of(&arrival.frame.view(isolate.job().registry()).unwrap());
                self.received
                    .extend(batch.iter().map(|record| (arrival.edge, *record)));
                self.emit(isolate, &batch);
                true
            }
            Take::End(kind) => {
                assert_eq!(self.ended.replace(kind), None, "the end was told twice");
                self.finish(isolate);
                true
            }
        }
    }

    fn finish(&mut self, isolate: &Isolate) {
        isolate.finish_task(self.id).unwrap();
        self.finished = true;
    }

    fn emit(&mut self, isolate: &Isolate, batch: &[Record]) {
        with_batch(batch, isolate.job().registry(), |view| {
            for output in 0..self.outputs {
                isolate.emit(self.id, output, view).unwrap();
            }
        });
        self.emitted.extend_from_slice(batch);
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn record(&self, number: u64) -> Record {
        Record {
            key: (number % self.keys) as f64,
            source: f64::from(self.id.0),
            number: number as f64,
        }
    }
}
