//! What the JavaScript of one task would do: sources count, everything else passes on what it gets.

use std::collections::BTreeMap;

use sage_checkpoint::{ImagePart, PartKind, TaskImage};
use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry};
use sage_runtime::{EndKind, Isolate, JobCore, Take};
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
    /// In a job with checkpoints.
    pub checkpointed: Option<Checkpointed>,
}

/// What a task of a job with checkpoints knows besides.
#[derive(Debug, Clone, Default)]
pub struct Checkpointed {
    /// Its operator.
    pub operator: String,
    /// By epoch: what its edges had sent and received when it acknowledged.
    pub cuts: BTreeMap<u64, Vec<Cut>>,
}

/// One edge of a task at its barrier: rows that it was sent, if the task is its producer, or that were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub edge: u32,
    pub is_output: bool,
    pub rows: u64,
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
            checkpointed: None,
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
            Take::Barrier { epoch, last } => {
                self.save(isolate, epoch, last);
                true
            }
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

    /// In a job with checkpoints, going on from what it restored.
    pub fn checkpointed(mut self, job: &JobCore) -> Self {
        let plan = &job.graph().tasks[self.id.index()];
        let operator = plan.operators[0].clone();
        let read = job
            .read_checkpoint(&operator, "all", plan.instance, plan.parallelism)
            .unwrap();
        self.checkpointed = Some(Checkpointed {
            operator,
            cuts: BTreeMap::new(),
        });
        if read[0] == 1 {
            let mut rest = &read[1..];
            let mut word = || {
                let (word, behind) = rest.split_first_chunk::<4>().unwrap();
                rest = behind;
                u32::from_le_bytes(*word)
            };
            let count = word();
            for _ in 0..count {
                let (instance, _, length) = (word(), word(), word() as usize);
                let mut words = Vec::new();
                for _ in 0..length / 4 {
                    words.push(word());
                }
                if instance == plan.instance {
                    self.restore(&words);
                }
            }
        }
        self
    }

    fn restore(&mut self, words: &[u32]) {
        let mut words = words.iter().copied();
        let mut next = || words.next().unwrap();
        self.produced = u64::from(next());
        self.finished = next() == 1;
        self.ended = (next() == 1).then_some(EndKind::Drained);
        let record = |next: &mut dyn FnMut() -> u32| Record {
            key: f64::from(next()),
            source: f64::from(next()),
            number: f64::from(next()),
        };
        for _ in 0..next() {
            let edge = EdgeId(next());
            self.received.push((edge, record(&mut next)));
        }
        for _ in 0..next() {
            self.emitted.push(record(&mut next));
        }
    }

    /// Everything that it has seen and done.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small whole numbers"
    )]
    fn image(&self) -> Vec<u8> {
        let mut words = vec![
            self.produced as u32,
            u32::from(self.finished),
            u32::from(self.ended.is_some()),
        ];
        let record = |words: &mut Vec<u32>, record: &Record| {
            words.extend([record.key as u32, record.source as u32, record.number as u32]);
        };
        words.push(self.received.len() as u32);
        for (edge, received) in &self.received {
            words.push(edge.0);
            record(&mut words, received);
        }
        words.push(self.emitted.len() as u32);
        for emitted in &self.emitted {
            record(&mut words, emitted);
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let operator = &self.checkpointed.as_ref().unwrap().operator;
        let mut image = TaskImage::new();
        image
            .push(&ImagePart {
                operator,
                name: "all",
                kind: PartKind::Own,
                is_full: true,
                payload: &bytes,
            })
            .unwrap();
        image.as_bytes().to_vec()
    }

    fn save(&mut self, isolate: &Isolate, epoch: u64, last: bool) {
        assert!(!self.finished, "a barrier for a task that has finished");
        let _ = last;
        let job = isolate.job();
        let edges = job.graph().edges.iter().zip(job.metrics().edges);
        let cuts = edges.flat_map(|(edge, counts)| {
            let sent = (edge.from_task == self.id).then_some((true, counts.sent));
            let received = (edge.to_task == self.id).then_some((false, counts.received));
            [sent, received]
                .into_iter()
                .flatten()
                .map(|(is_output, rows)| Cut {
                    edge: edge.id.0,
                    is_output,
                    rows,
                })
        });
        let cuts: Vec<Cut> = cuts.collect();
        let image = self.image();
        isolate.acknowledge(self.id, epoch, &image).unwrap();
        let cuts_by_epoch = &mut self.checkpointed.as_mut().unwrap().cuts;
        assert!(cuts_by_epoch.insert(epoch, cuts).is_none(), "acknowledged twice");
    }

    fn finish(&mut self, isolate: &Isolate) {
        self.finished = true;
        if self.checkpointed.is_some() {
            isolate.acknowledge(self.id, 0, &self.image()).unwrap();
        }
        isolate.finish_task(self.id).unwrap();
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
