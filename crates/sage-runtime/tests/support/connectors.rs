//! Native sources and sinks without files: what they are to do is their spec, what sinks got is kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sage_connectors::{
    BatchSink, BatchSource, Cancellation, NextBatch, Restored, SavedPosition, SinkReport, SourceSplit,
    SourceStatistics,
};
use sage_frame::{BatchView, LayoutRegistry};
use sage_runtime::ConnectorFactory;
use sage_types::{ErrorCode, Result, SageError};

use super::sim_task::{Record, frame_of, records_of};

/// What happened to one sink instance.
#[derive(Debug, Default, Clone)]
pub struct SinkLog {
    pub records: Vec<Record>,
    pub committed: bool,
    pub aborted: bool,
    /// Left for a process that goes on behind it.
    pub detached: bool,
    /// What it was asked to prepare: for the last time, or not.
    pub prepared: Vec<bool>,
}

/// Specs: `count:N` (records), `endless`, `pipe` (cannot be read twice), `quiet` (ten, and then nothing for ever), `open-error`, `read-error`, `read-panic`; sinks `ok`, `write-error`,
/// `prepare-error`, `commit-error`, `write-panic`, `enough` (its reader goes after the first batch), `stuck` (writing waits for a
/// reader that never comes).
#[derive(Default)]
pub struct TestConnectors {
    pub sinks: Arc<Mutex<Vec<SinkLog>>>,
    /// How often a source was pinned.
    pub pins: AtomicUsize,
}

impl TestConnectors {
    pub fn logs(&self) -> Vec<SinkLog> {
        self.sinks.lock().unwrap().clone()
    }
}

fn failure(what: &str) -> SageError {
    SageError::new(ErrorCode::IoRead, what)
}

impl ConnectorFactory for TestConnectors {
    fn pin_source(&self, spec: &str) -> Result<String> {
        self.pins.fetch_add(1, Ordering::SeqCst);
        Ok(spec.to_owned())
    }

    fn check_resumable(&self, spec: &str) -> Result<()> {
        match spec {
            "pipe" => Err(SageError::new(ErrorCode::CheckpointSource, "a pipe")),
            "open-error" => Err(failure("cannot look")),
            _ => Ok(()),
        }
    }

    fn open_source(
        &self,
        spec: &str,
        split: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSource>> {
        if spec == "open-error" {
            return Err(failure("cannot open"));
        }
        let count = spec.strip_prefix("count:").map(|count| count.parse().unwrap());
        let source = CountingSource {
            spec: spec.into(),
            split,
            registry: Arc::clone(registry),
            count: count.unwrap_or(u64::MAX),
            next: 0,
        };
        Ok(Box::new(source))
    }

    fn open_sink(
        &self,
        spec: &str,
        part: SourceSplit,
        _: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSink>> {
        let mut sinks = self.sinks.lock().unwrap();
        sinks.push(SinkLog::default());
        Ok(Box::new(LoggingSink {
            spec: spec.into(),
            sinks: Arc::clone(&self.sinks),
            index: sinks.len() - 1,
            instance: part.instance,
            cancellation: Cancellation::default(),
        }))
    }
}

struct CountingSource {
    spec: String,
    split: SourceSplit,
    registry: Arc<LayoutRegistry>,
    count: u64,
    next: u64,
}

impl BatchSource for CountingSource {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn next(&mut self) -> Result<NextBatch> {
        match self.spec.as_str() {
            "read-error" => return Err(failure("cannot read")),
            "read-panic" => panic!("the reader has a bug"),
            _ => {}
        }
        if self.spec == "quiet" && self.next > 0 {
            return Ok(NextBatch::Waiting);
        }
        if self.next == self.count {
            return Ok(NextBatch::Ended);
        }
        let source = f64::from(self.split.instance);
        let until = self.count.min(self.next + 10);
        let records: Vec<Record> = (self.next..until)
            .map(|number| Record {
                key: (number % 7) as f64,
                source,
                number: number as f64,
            })
            .collect();
        self.next = until;
        Ok(NextBatch::Frame(frame_of(&records, &self.registry)))
    }

    fn resumable(&self) -> Result<()> {
        Ok(())
    }

    fn position(&mut self) -> Result<Vec<u8>> {
        Ok(self.next.to_le_bytes().to_vec())
    }

    fn restore(&mut self, saved: &[SavedPosition]) -> Result<()> {
        let own = saved.iter().find(|saved| saved.instance == self.split.instance);
        self.next = own.map_or(0, |own| {
            u64::from_le_bytes(own.bytes.as_slice().try_into().unwrap())
        });
        Ok(())
    }

    fn place(&self) -> String {
        self.next.to_string()
    }

    fn statistics(&self) -> SourceStatistics {
        SourceStatistics {
            records: self.next,
            ..SourceStatistics::default()
        }
    }
}

struct LoggingSink {
    spec: String,
    instance: u32,
    sinks: Arc<Mutex<Vec<SinkLog>>>,
    index: usize,
    cancellation: Cancellation,
}

impl BatchSink for LoggingSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        match self.spec.as_str() {
            "write-error" => return Err(failure("disk full")),
            "write-panic" => panic!("the writer has a bug"),
            "stuck" => {
                while !self.cancellation.is_canceled() {
                    std::thread::yield_now();
                }
                return Err(SageError::new(ErrorCode::JobCanceled, "given up"));
            }
            _ => {}
        }
        self.sinks.lock().unwrap()[self.index]
            .records
            .extend(records_of(batch));
        Ok(())
    }

    fn prepare(&mut self, last: bool) -> Result<Vec<u8>> {
        if self.spec == "prepare-error" {
            return Err(failure("disk full at the end"));
        }
        let log = &mut self.sinks.lock().unwrap()[self.index];
        log.prepared.push(last);
        let records = log.records.len();
        let words = [self.index as u64, records as u64, u64::from(last)];
        Ok(words.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    /// Takes over the first records of the log that was written to then: what came later was not prepared.
    fn restore(&mut self, saved: &[SavedPosition]) -> Result<Restored> {
        let own = saved
            .iter()
            .find(|saved| saved.instance == self.instance)
            .unwrap();
        let words: Vec<u64> = own
            .bytes
            .chunks(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
            .collect();
        let mut sinks = self.sinks.lock().unwrap();
        let before = usize::try_from(words[0]).unwrap();
        let records = usize::try_from(words[1]).unwrap();
        assert!(!sinks[before].aborted, "what a checkpoint refers to was removed");
        let taken = sinks[before].records[..records].to_vec();
        sinks[self.index].records = taken;
        Ok(if words[2] == 1 {
            Restored::Sealed
        } else {
            Restored::Open
        })
    }

    fn commit(self: Box<Self>) -> Result<SinkReport> {
        if self.spec == "commit-error" {
            return Err(failure("rename failed"));
        }
        let log = &mut self.sinks.lock().unwrap()[self.index];
        log.committed = true;
        Ok(SinkReport {
            path: "test".into(),
            records: log.records.len() as u64,
            ..SinkReport::default()
        })
    }

    fn abort(self: Box<Self>) {
        self.sinks.lock().unwrap()[self.index].aborted = true;
    }

    fn detach(self: Box<Self>) {
        self.sinks.lock().unwrap()[self.index].detached = true;
    }

    fn cancel_when(&mut self, cancellation: Cancellation) {
        self.cancellation = cancellation;
    }

    fn wants_more(&self) -> bool {
        self.spec != "enough" || self.sinks.lock().unwrap()[self.index].records.is_empty()
    }
}

impl Drop for LoggingSink {
    /// Dropped without a commit: as connectors promise, nothing is left behind.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.sinks.lock().unwrap()[self.index].aborted = true;
        }
    }
}
