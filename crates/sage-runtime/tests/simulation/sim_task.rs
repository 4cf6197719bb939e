//! What the JavaScript side does with one task, one small step at a time: between any two of them others have their turn.

use std::collections::{BTreeMap, VecDeque};

use sage_runtime::{Arrival, EndKind, Isolate, JobCore, Take};
use sage_state::{AggregateKind, AggregateSpec, KeyedAggregate};
use sage_types::{EdgeId, TaskId};

use super::disk_of_sinks::{DiskOfSinks, SinkFile};
use super::draws::Draws;
use super::expected::{paired, record_of, turns};
use super::saved_task::{Part, own_parts};
use super::scenario::{Scenario, Work};
use super::table_task::Table;
use super::timed_task::TaskTime;
use crate::support::Record;
use crate::support::sim_task::{records_of, with_batch};

/// A record of a loop says in its source how many turns it has left.
const TURN: f64 = 100.0;

/// Where a task that an isolate has in hand stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has it in hand.
    Waiting,
    /// It is to be asked what there is to do.
    Polled,
    /// A source has nothing before this moment.
    Resting(u64),
    /// There are batches to be sent; then comes the next phase.
    Sending(Next),
    Saving(u64),
    Finishing,
    /// It is to be given back.
    Done,
}

/// What follows when all is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Save(u64),
    Finish,
    Release,
}

/// What goes to an output.
#[derive(Debug)]
pub enum Parcel {
    Batch(Vec<Record>),
    Time(f64),
}

pub struct SimTask {
    pub id: TaskId,
    pub stage: usize,
    pub work: Work,
    pub phase: Phase,
    pub finished: bool,
    pub operator: String,
    pub instance: u32,
    pub is_native: bool,
    pub is_keyed: bool,
    pub keys: u64,
    pub batch_rows: usize,
    pub key_groups: u32,
    /// By output: the edges whose room is looked at.
    pub bounded: Vec<(EdgeId, u64)>,
    pub outputs: usize,
    /// Sources: split, how many of its records were given, and how many it gives.
    pub splits: Vec<(u32, u64, u64)>,
    pub calls: VecDeque<Record>,
    pub sums: Option<KeyedAggregate>,
    pub table: Table,
    pub time: TaskTime,
    pub sides: BTreeMap<u64, [Vec<Record>; 2]>,
    pub files: Vec<SinkFile>,
    pub own_file: Option<SinkFile>,
    pub to_send: VecDeque<(u32, Parcel)>,
    pub last_epoch: u64,
    /// The epoch of the barrier behind which the job stops: nothing comes any more.
    last_barrier: Option<u64>,
}

fn sums() -> KeyedAggregate {
    let count = AggregateSpec {
        kind: AggregateKind::Count,
        input: None,
    };
    let sum = AggregateSpec {
        kind: AggregateKind::Sum,
        input: Some(1),
    };
    KeyedAggregate::new(vec![count, sum]).unwrap()
}

pub fn said<T>(what: &str, result: sage_types::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {}", error.to_json()))
}

impl SimTask {
    /// The task as it goes on.
    pub fn restored(
        scenario: &Scenario,
        job: &JobCore,
        id: TaskId,
        disk: &DiskOfSinks,
    ) -> Result<Self, String> {
        let graph = job.graph();
        let plan = &graph.tasks[id.index()];
        let stage = plan.stage.index();
        let work = scenario.stages[stage].work;
        let is_keyed = scenario.is_keyed(stage);
        let bounded = graph
            .edges
            .iter()
            .filter(|edge| edge.from_task == id && edge.feedback.is_none())
            .map(|edge| (edge.id, u64::from(edge.max_rows)))
            .collect();
        let has_sums = work == Work::Sum || (work == Work::Head && is_keyed);
        let mut task = Self {
            id,
            stage,
            work,
            phase: Phase::Waiting,
            finished: false,
            operator: plan.operators[0].clone(),
            instance: plan.instance,
            is_native: scenario.stages[stage].is_native,
            is_keyed,
            keys: scenario.keys,
            batch_rows: scenario.batch_rows,
            key_groups: graph.key_groups,
            bounded,
            outputs: graph.outputs_of(id).len(),
            splits: scenario
                .splits_of(stage, plan.instance, plan.parallelism)
                .collect(),
            calls: VecDeque::new(),
            sums: has_sums.then(sums),
            table: Table::default(),
            time: TaskTime {
                is_timed: scenario.is_timed(stage),
                gates: vec![f64::NEG_INFINITY; scenario.inputs_of(stage).count()],
                told: f64::NEG_INFINITY,
                restored: None,
                windows: BTreeMap::new(),
            },
            sides: BTreeMap::new(),
            files: Vec::new(),
            own_file: None,
            to_send: VecDeque::new(),
            last_epoch: 0,
            last_barrier: None,
        };
        for Part { name, .. } in task.parts(true) {
            let read = said(
                "reading a part",
                job.read_checkpoint(&task.operator, name, plan.instance, plan.parallelism),
            )?;
            let of_others = |instance: u32| instance % plan.parallelism == plan.instance;
            match read[0] {
                0 => {}
                1 => {
                    for (instance, bytes) in own_parts(&read[1..]) {
                        task.restore_own(name, of_others(instance), &bytes);
                    }
                }
                _ => task.restore_keyed(name, &read[1..])?,
            }
        }
        task.time.told = task.time.restored.unwrap_or(f64::NEG_INFINITY);
        task.table.check()?;
        for file in &task.files {
            disk.truncate(*file)?;
        }
        Ok(task)
    }

    /// One small step. The task is in the hands of the isolate.
    pub fn step(
        &mut self,
        isolate: &Isolate,
        draws: &mut Draws,
        now_nanos: u64,
        disk: &DiskOfSinks,
    ) -> Result<(), String> {
        match self.phase {
            Phase::Waiting => return Err(format!("task {} is in no hands", self.id)),
            Phase::Resting(until) if now_nanos < until => {}
            Phase::Polled | Phase::Resting(_) => self.take(isolate, draws, now_nanos, disk)?,
            Phase::Sending(next) => match self.to_send.pop_front() {
                Some((output, Parcel::Batch(batch))) => {
                    let sent = with_batch(&batch, isolate.job().registry(), |view| {
                        isolate.emit(self.id, output, view)
                    });
                    said("emitting", sent)?;
                }
                Some((output, Parcel::Time(watermark))) => {
                    let sent = isolate.emit_time(self.id, output, watermark, false);
                    said("saying the time", sent)?;
                }
                None => {
                    self.phase = match next {
                        Next::Save(epoch) => Phase::Saving(epoch),
                        Next::Finish => Phase::Finishing,
                        Next::Release => Phase::Done,
                    };
                }
            },
            Phase::Saving(epoch) => {
                // Now and then all, as when much has changed.
                let is_full = !self.table.saves_changes(isolate.checkpoint_base()) || draws.percent(10);
                said(
                    "acknowledging",
                    isolate.acknowledge(self.id, epoch, &self.image(is_full)),
                )?;
                self.table.was_saved(epoch);
                self.phase = Phase::Done;
            }
            Phase::Finishing => {
                said("leaving", isolate.acknowledge(self.id, 0, &self.image(true)))?;
                said("finishing", isolate.finish_task(self.id))?;
                self.finished = true;
                self.phase = Phase::Done;
            }
            Phase::Done => {
                if self.work == Work::Delay && !self.finished {
                    let keeps = !self.calls.is_empty() && draws.percent(50);
                    said("keeping", isolate.keep_task(self.id, keeps))?;
                }
                said("settling", isolate.settle_task(self.id))?;
                said("releasing", isolate.release(self.id))?;
                self.phase = Phase::Waiting;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        isolate: &Isolate,
        draws: &mut Draws,
        now_nanos: u64,
        disk: &DiskOfSinks,
    ) -> Result<(), String> {
        let mut next = Next::Release;
        match said("taking", isolate.take(self.id))? {
            Take::Nothing => {
                // What has been answered meanwhile.
                if !self.calls.is_empty() && said("looking for credit", isolate.has_credit(self.id))? {
                    self.check_room(isolate)?;
                    self.answer_calls(draws);
                    self.time_goes_on();
                }
            }
            Take::Time(time) => {
                self.check_room(isolate)?;
                self.time_came(time)?;
            }
            Take::Flush => {}
            Take::Source => {
                self.check_room(isolate)?;
                if draws.percent(10) {
                    self.phase = Phase::Resting(now_nanos + draws.below(3_000_000) as u64);
                    return Ok(());
                }
                let open: Vec<usize> = (0..self.splits.len())
                    .filter(|&place| self.splits[place].1 < self.splits[place].2)
                    .collect();
                if open.is_empty() {
                    next = Next::Finish;
                } else {
                    self.produce(*draws.of(&open), draws);
                    if draws.percent(60) {
                        self.time_goes_on();
                    }
                }
            }
            Take::Batch(arrival) => {
                self.check_room(isolate)?;
                if self.last_barrier.is_some() {
                    return Err(format!(
                        "task {} is given records behind the last barrier",
                        self.id
                    ));
                }
                self.work_on(&arrival, isolate, draws, disk)?;
            }
            Take::Barrier { epoch, last } => {
                if epoch <= self.last_epoch {
                    return Err(format!(
                        "task {} is given epoch {epoch} after {}",
                        self.id, self.last_epoch
                    ));
                }
                self.last_epoch = epoch;
                if last {
                    self.last_barrier = Some(epoch);
                    self.answer_all();
                }
                next = Next::Save(epoch);
            }
            Take::End(kind) => {
                if kind == EndKind::Drained {
                    // It has ended here, whoever goes on from it: time has gone on without the rest.
                    for (_, next, records) in &mut self.splits {
                        *records = *next;
                    }
                    self.answer_all();
                    self.fire(f64::INFINITY);
                }
                next = Next::Finish;
            }
        }
        self.phase = Phase::Sending(next);
        Ok(())
    }

    /// Whoever gives something has room for it.
    fn check_room(&self, isolate: &Isolate) -> Result<(), String> {
        for &(edge, max_rows) in &self.bounded {
            let queued = isolate.job().queued_rows(edge);
            if queued >= max_rows {
                return Err(format!(
                    "task {} works, and edge {edge} has {queued} of {max_rows} rows",
                    self.id
                ));
            }
        }
        Ok(())
    }

    fn produce(&mut self, place: usize, draws: &mut Draws) {
        let (split, next, records) = &mut self.splits[place];
        let rows = (draws.between(1, self.batch_rows) as u64).min(*records - *next);
        let batch: Vec<Record> = (*next..*next + rows)
            .map(|number| record_of(self.keys, *split, number))
            .collect();
        *next += rows;
        self.send_to_all(&batch);
    }

    fn work_on(
        &mut self,
        arrival: &Arrival,
        isolate: &Isolate,
        draws: &mut Draws,
        disk: &DiskOfSinks,
    ) -> Result<(), String> {
        let view = said("reading a batch", arrival.frame.view(isolate.job().registry()))?;
        let mut records = records_of(&view);
        self.check_in_time(arrival.gate, &records)?;
        if let Some(sums) = &mut self.sums {
            said("adding up", sums.update(&view))?;
        }
        match self.work {
            Work::Source | Work::Total => return Err(format!("{:?} has input here", self.work)),
            Work::Pass | Work::Sum => self.send_to_all(&records),
            Work::Table => {
                self.table.add(&records);
                self.send_to_all(&records);
            }
            Work::Window => self.add_to_windows(&records),
            Work::Delay => {
                self.calls.extend(records);
                self.answer_calls(draws);
                self.time_goes_on();
            }
            Work::Join => {
                let side = arrival.gate as usize;
                let mut pairs = Vec::new();
                for record in records {
                    let sides = self.sides.entry(record.key.to_bits()).or_default();
                    sides[side].push(record);
                    pairs.extend(sides[1 - side].iter().filter_map(|other| {
                        let (left, right) = if side == 0 {
                            (&record, other)
                        } else {
                            (other, &record)
                        };
                        paired(left, right)
                    }));
                }
                self.send_to_all(&pairs);
            }
            Work::Head => {
                if arrival.gate == 0 {
                    for record in &mut records {
                        record.source += TURN * turns(record) as f64;
                    }
                }
                self.send_to_all(&records);
            }
            Work::Tail => {
                for record in &mut records {
                    record.source -= TURN;
                }
                let (again, done): (Vec<Record>, Vec<Record>) =
                    records.into_iter().partition(|record| record.source >= TURN);
                // The first output leads back.
                self.send(0, again);
                for output in 1..self.outputs {
                    self.send(output, done.clone());
                }
            }
            Work::Sink => {
                let place = if let Some(own) = self.own_file {
                    self.files.iter().position(|file| file.file == own.file).unwrap()
                } else {
                    let file = disk.create();
                    self.own_file = Some(file);
                    self.files.push(file);
                    self.files.len() - 1
                };
                disk.append(&mut self.files[place], &records);
            }
        }
        Ok(())
    }

    fn answer_calls(&mut self, draws: &mut Draws) {
        let answered = draws.below(self.calls.len() + 1);
        let batch: Vec<Record> = self.calls.drain(..answered).collect();
        self.send_to_all(&batch);
    }

    fn answer_all(&mut self) {
        let batch: Vec<Record> = self.calls.drain(..).collect();
        self.send_to_all(&batch);
    }

    pub fn send_to_all(&mut self, batch: &[Record]) {
        for output in 0..self.outputs {
            self.send(output, batch.to_vec());
        }
    }

    fn send(&mut self, output: usize, batch: Vec<Record>) {
        if !batch.is_empty() {
            self.to_send
                .push_back((u32::try_from(output).unwrap(), Parcel::Batch(batch)));
        }
    }
}
