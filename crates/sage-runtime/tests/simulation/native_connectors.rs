//! Sources and sinks of native tasks: splits as those of other sources, and files of the same disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sage_connectors::{BatchSink, BatchSource, NextBatch, Restored, SavedPosition, SinkReport, SourceSplit};
use sage_frame::{BatchView, LayoutRegistry};
use sage_runtime::ConnectorFactory;
use sage_types::{Result, TaskId};

use super::disk_of_sinks::{DiskOfSinks, SinkFile};
use super::draws::Draws;
use super::expected::record_of;
use super::saved_task::words_of;
use super::scenario::Scenario;
use crate::support::Record;
use crate::support::sim_task::{frame_of, records_of};

/// What a native task has given and written.
#[derive(Debug, Clone, Default)]
pub struct NativeLog {
    pub splits: Vec<(u32, u64, u64)>,
    pub files: Vec<SinkFile>,
    pub has_committed: bool,
}

type SharedLog = Arc<Mutex<NativeLog>>;

/// The connectors of one process. The spec of a source or sink is the number of its stage.
pub struct NativeConnectors {
    scenario: Scenario,
    pub disk: DiskOfSinks,
    /// By stage and instance.
    logs: Mutex<BTreeMap<(usize, u32), SharedLog>>,
}

impl NativeConnectors {
    pub fn new(scenario: &Scenario, disk: &DiskOfSinks) -> Self {
        Self {
            scenario: scenario.clone(),
            disk: disk.clone(),
            logs: Mutex::default(),
        }
    }

    /// What a task has done; none before its first step.
    pub fn log(&self, stage: usize, instance: u32) -> Option<NativeLog> {
        let logs = self.logs.lock().unwrap();
        logs.get(&(stage, instance))
            .map(|log| log.lock().unwrap().clone())
    }

    fn begin(&self, spec: &str, part: SourceSplit, log: NativeLog) -> SharedLog {
        let log = Arc::new(Mutex::new(log));
        let place = (spec.parse().unwrap(), part.instance);
        self.logs.lock().unwrap().insert(place, Arc::clone(&log));
        log
    }
}

impl ConnectorFactory for NativeConnectors {
    fn pin_source(&self, spec: &str) -> Result<String> {
        Ok(spec.to_owned())
    }

    fn open_source(
        &self,
        spec: &str,
        split: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSource>> {
        let stage: usize = spec.parse().unwrap();
        let splits = self
            .scenario
            .splits_of(stage, split.instance, split.instances)
            .collect();
        let log = NativeLog {
            splits,
            ..NativeLog::default()
        };
        Ok(Box::new(SplitSource {
            log: self.begin(spec, split, log),
            keys: self.scenario.keys,
            batch_rows: self.scenario.batch_rows,
            registry: Arc::clone(registry),
            draws: Draws::new(u64::from(split.instance) + 100),
        }))
    }

    fn open_sink(
        &self,
        spec: &str,
        part: SourceSplit,
        _: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSink>> {
        Ok(Box::new(FileSink {
            log: self.begin(spec, part, NativeLog::default()),
            own_file: None,
            part,
            disk: self.disk.clone(),
        }))
    }
}

struct SplitSource {
    log: SharedLog,
    keys: u64,
    batch_rows: usize,
    registry: Arc<LayoutRegistry>,
    draws: Draws,
}

impl BatchSource for SplitSource {
    fn next(&mut self) -> Result<NextBatch> {
        if self.draws.percent(10) {
            return Ok(NextBatch::Waiting);
        }
        let mut log = self.log.lock().unwrap();
        let open = log.splits.iter_mut().filter(|(_, next, records)| next < records);
        let mut open: Vec<_> = open.collect();
        if open.is_empty() {
            return Ok(NextBatch::Ended);
        }
        let chosen = self.draws.below(open.len());
        let (split, next, records) = &mut *open[chosen];
        let rows = (self.draws.between(1, self.batch_rows) as u64).min(*records - *next);
        let batch: Vec<Record> = (*next..*next + rows)
            .map(|number| record_of(self.keys, *split, number))
            .collect();
        *next += rows;
        Ok(NextBatch::Frame(frame_of(&batch, &self.registry)))
    }

    fn wait(&mut self, _: std::time::Duration) {
        unreachable!("whoever runs it step by step waits otherwise");
    }

    fn place(&self) -> String {
        String::new()
    }

    fn resumable(&self) -> Result<()> {
        Ok(())
    }

    fn position(&mut self) -> Result<Vec<u8>> {
        let log = self.log.lock().unwrap();
        let words = log
            .splits
            .iter()
            .flat_map(|&(split, next, records)| [u64::from(split), next, records]);
        Ok(words.flat_map(u64::to_le_bytes).collect())
    }

    fn restore(&mut self, saved: &[SavedPosition]) -> Result<()> {
        let mut log = self.log.lock().unwrap();
        for saved in saved {
            for saved in words_of(&saved.bytes).chunks(3) {
                let mut splits = log.splits.iter_mut();
                if let Some((_, next, _)) = splits.find(|(split, ..)| u64::from(*split) == saved[0]) {
                    *next = saved[1];
                }
            }
        }
        Ok(())
    }
}

struct FileSink {
    log: SharedLog,
    own_file: Option<SinkFile>,
    part: SourceSplit,
    disk: DiskOfSinks,
}

impl BatchSink for FileSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        let mut log = self.log.lock().unwrap();
        let own = *self.own_file.get_or_insert_with(|| {
            let file = self.disk.create();
            log.files.push(file);
            file
        });
        let file = log.files.iter_mut().find(|file| file.file == own.file).unwrap();
        self.disk.append(file, &records_of(batch));
        Ok(())
    }

    fn prepare(&mut self, _: bool) -> Result<Vec<u8>> {
        let log = self.log.lock().unwrap();
        let words = log.files.iter().flat_map(|file| [file.file, file.records]);
        Ok(words.flat_map(u64::to_le_bytes).collect())
    }

    fn restore(&mut self, saved: &[SavedPosition]) -> Result<Restored> {
        let mut log = self.log.lock().unwrap();
        for saved in saved {
            if saved.instance % self.part.instances == self.part.instance {
                let words = words_of(&saved.bytes);
                log.files.extend(words.chunks(2).map(|pair| SinkFile {
                    file: pair[0],
                    records: pair[1],
                }));
            }
        }
        Ok(Restored::Open)
    }

    fn commit(self: Box<Self>) -> Result<SinkReport> {
        self.log.lock().unwrap().has_committed = true;
        Ok(SinkReport::default())
    }

    /// What it wrote is gone, whoever refers to it.
    fn abort(self: Box<Self>) {
        for file in &self.log.lock().unwrap().files {
            self.disk.remove(*file);
        }
    }

    fn detach(self: Box<Self>) {}
}

/// A native task that somebody runs step by step.
pub struct NativeOf {
    pub task: sage_runtime::SteppedTask,
    pub is_awake: bool,
    /// Its source has nothing before this moment.
    pub rests_until: u64,
    pub waits_for_commit: bool,
    pub is_over: bool,
}

impl NativeOf {
    pub fn new(task: sage_runtime::SteppedTask) -> Self {
        Self {
            task,
            is_awake: true,
            rests_until: 0,
            waits_for_commit: false,
            is_over: false,
        }
    }

    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    pub fn may_step(&mut self, now_nanos: u64) -> bool {
        if self.is_over {
            return false;
        }
        self.is_awake |= self.task.was_woken();
        self.is_awake && self.rests_until <= now_nanos
    }
}
