//! One seed from the first process to the last, and what has to be true of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use sage_checkpoint::Files;
use sage_checkpoint::testing::SimulatedFiles;
use sage_runtime::{CheckpointSettings, ConnectorFactory, JobCore, JobState};
use sage_types::{ErrorCode, ManualClock, SageError};

use super::disk_of_sinks::{DiskOfSinks, SinkFile};
use super::draws::Draws;
use super::faults::{Control, Faults};
use super::files::SlowFiles;
use super::native_connectors::NativeConnectors;
use super::process::{Ended, Process, run};
use super::scenario::{Scenario, Work};
use super::sim_task::SimTask;
use crate::support::Record;

/// After so many processes nothing goes wrong any more.
const MOST_FAULTY: usize = 5;
const MOST_PROCESSES: usize = 12;

/// What a seed came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub processes: usize,
    /// Processes that went on from an epoch.
    pub restored: usize,
    /// Of them, those with other numbers of instances.
    pub rescaled: usize,
    pub epochs: usize,
    pub merges: usize,
    pub crashes_in_merges: usize,
    pub trace: u64,
}

/// Runs a seed; a panic of the engine is a failure too.
pub fn simulate(seed: u64) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(|| Simulation::new(seed).run())).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(format!("a panic: {}", message.unwrap_or_default()))
    })
}

/// What a task had given, written and added up.
#[derive(Debug, Clone)]
struct Left {
    splits: Vec<(u32, u64, u64)>,
    files: Vec<SinkFile>,
    results: Option<Vec<(i64, i64, i64)>>,
}

impl Left {
    fn of(task: &SimTask, job: &JobCore) -> Self {
        Self {
            splits: task.splits.clone(),
            files: task.files.clone(),
            results: task.results(job),
        }
    }
}

struct Simulation {
    scenario: Scenario,
    draws: Draws,
    files: SimulatedFiles,
    disk: DiskOfSinks,
    clock: Arc<ManualClock>,
    /// Numbers of instances so far, the newest last.
    scales: Vec<Vec<usize>>,
    /// Epochs that were told to be durable and were not damaged afterwards.
    completed: Vec<u64>,
    /// A process was told to end its sources early: those that go on from it find them ended.
    was_drained: bool,
    /// By stage: what is left of those that had ended when a process began. An epoch keeps it for as many instances only; what such
    /// stages have done is in effect before, so that nothing but this test asks for it.
    left: BTreeMap<usize, Vec<Left>>,
    outcome: Outcome,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let simulation = Self {
            scenario: Scenario::of(seed),
            draws: Draws::new(!seed),
            files: SimulatedFiles::new(),
            disk: DiskOfSinks::default(),
            clock: Arc::new(ManualClock::new()),
            scales: Vec::new(),
            completed: Vec::new(),
            was_drained: false,
            left: BTreeMap::new(),
            outcome: Outcome::default(),
        };
        simulation.say(|| format!("{:#?}", simulation.scenario));
        simulation
    }

    fn run(mut self) -> Result<Outcome, String> {
        // A job that is over is started once more now and then: what it has given stays the same.
        let mut goes_on_at_the_end = usize::from(self.draws.percent(20));
        loop {
            self.outcome.processes += 1;
            if self.outcome.processes > MOST_PROCESSES {
                return Err(format!("no end after {MOST_PROCESSES} processes"));
            }
            if let Some(process) = self.process()? {
                self.check(&process)?;
                if goes_on_at_the_end == 0 {
                    return Ok(self.outcome);
                }
                goes_on_at_the_end -= 1;
            }
        }
    }

    /// For whoever looks into one seed: `SAGE_SIM_VERBOSE=1`.
    fn say(&self, what: impl FnOnce() -> String) {
        if std::env::var_os("SAGE_SIM_VERBOSE").is_some() {
            println!("process {}: {}", self.outcome.processes, what());
        }
    }

    fn is_faulty(&self) -> bool {
        self.outcome.processes <= MOST_FAULTY
    }

    /// Runs one process. It is given back when its job has done all that there was to do.
    fn process(&mut self) -> Result<Option<Process>, String> {
        let isolates = self.scenario.isolates;
        let mut faults = if self.is_faulty() {
            Faults::draw(&mut self.draws, isolates, true, self.scenario.ends_a_loop)
        } else {
            Faults::default()
        };
        if self.outcome.processes == MOST_FAULTY + 1 {
            // Slow and paused, but it comes to its end.
            faults = Faults::draw(&mut self.draws, isolates, false, false);
        }
        if let Some(operation) = faults.crash_in_operation {
            self.files.crash_at(self.files.operations() + operation);
        }
        if let Some(sync) = faults.failing_sync {
            self.files.fail_sync(self.files.syncs() + sync);
        } else {
            self.files.fail_sync(u64::MAX);
        }
        match faults.full_after {
            Some(bytes) => self.files.full_after(self.files.written_bytes() + bytes),
            None => self.files.free_space(),
        }
        let connectors = Arc::new(NativeConnectors::new(&self.scenario, &self.disk));
        let Some(job) = self.open(&faults, &connectors)? else {
            return Ok(None);
        };
        let restored = job.restored_epoch().unwrap_or(0);
        if let Some(&newest) = self.completed.iter().max()
            && restored < newest
        {
            return Err(format!("goes on from epoch {restored}, but {newest} was durable"));
        }
        self.outcome.restored += usize::from(restored > 0);
        self.was_drained |= faults.has(Control::Drain);
        self.say(|| {
            let own = &job.metrics().tasks;
            let finished: Vec<bool> = own.iter().map(|task| task.finished).collect();
            format!(
                "from epoch {restored}, {:?}, {faults:?}, finished: {finished:?}",
                self.scales.last()
            )
        });
        let process = Process::start(
            &self.scenario,
            job,
            connectors,
            Arc::clone(&self.clock),
            faults,
            self.files.clone(),
            Draws::new(self.draws.next()),
        )?;
        self.say(|| {
            let goes_on = |task: &SimTask| task.describe(&process.job);
            process.tasks.iter().map(goes_on).collect::<Vec<_>>().join("; ")
        });
        for stage in process.ended_stages.iter().copied() {
            let tasks = process.tasks_of(stage);
            if tasks.iter().any(|task| task.has_left_something()) {
                let left = tasks.iter().map(|task| Left::of(task, &process.job));
                self.left.insert(stage, left.collect());
            }
        }
        let process = Rc::new(RefCell::new(process));
        let ended = run(&process)?;
        let process = Rc::into_inner(process)
            .ok_or("somebody still has the process")?
            .into_inner();
        self.heard(&process)?;
        self.say(|| {
            let goes_on = |task: &SimTask| task.describe(&process.job);
            process.tasks.iter().map(goes_on).collect::<Vec<_>>().join("; ")
        });
        self.say(|| format!("{ended:?}, epochs {:?}", process.told.lock().unwrap()));
        match ended {
            Ended::Crashed => {
                self.power_returns()?;
                Ok(None)
            }
            Ended::Settled(state) => Self::is_done(state, &process).map(|is_done| is_done.then_some(process)),
        }
    }

    /// None when the process has not got so far.
    fn open(
        &mut self,
        faults: &Faults,
        connectors: &Arc<NativeConnectors>,
    ) -> Result<Option<Arc<JobCore>>, String> {
        let scale = match self.scales.last() {
            Some(before)
                if self
                    .draws
                    .percent(if self.scenario.ends_a_loop { 80 } else { 50 }) =>
            {
                before.clone()
            }
            _ => self.scenario.parallelisms(&mut self.draws),
        };
        let mut scales = vec![scale];
        // Where instances have ended, only as many can go on: the newest epoch is of one of those before.
        scales.extend(self.scales.iter().rev().cloned());
        for scale in scales {
            let graph = self.scenario.graph(&scale, &mut self.draws);
            match self.job_of(&graph, connectors) {
                Ok(job) => {
                    let is_other = self.scales.last().is_some_and(|before| *before != scale);
                    self.outcome.rescaled += usize::from(is_other && job.restored_epoch().is_some());
                    self.scales.push(scale);
                    return Ok(Some(job));
                }
                Err(_) if self.files.has_crashed() => {
                    self.power_returns()?;
                    return Ok(None);
                }
                Err(error) if error.code == ErrorCode::CheckpointRescale => {}
                Err(error) if faults.spoil_files() && is_of_disk(&error) => return Ok(None),
                Err(error) => return Err(format!("the job does not start: {}", error.to_json())),
            }
        }
        Err("the job starts with none of the numbers of instances that it had".into())
    }

    fn job_of(
        &self,
        graph: &sage_runtime::ExecutionGraph,
        connectors: &Arc<NativeConnectors>,
    ) -> sage_types::Result<Arc<JobCore>> {
        let settings = CheckpointSettings {
            interval_ms: self.scenario.interval_ms,
            min_pause_ms: self.scenario.min_pause_ms,
            retained: self.scenario.retained,
            chain_limits: self.scenario.chain_limits,
            ..CheckpointSettings::new("/epochs")
        };
        JobCore::stepped(
            &graph.encode(),
            &settings,
            Arc::new(SlowFiles(self.files.clone())),
            Arc::clone(&self.clock) as sage_types::SharedClock,
            Arc::clone(connectors) as Arc<dyn ConnectorFactory>,
        )
    }

    fn heard(&mut self, process: &Process) -> Result<(), String> {
        let told = process.told.lock().unwrap();
        self.completed.extend(&told.completed);
        self.outcome.epochs += told.completed.len();
        self.outcome.merges += process.merges;
        self.outcome.crashes_in_merges += usize::from(process.crashed_in_merge);
        self.outcome.trace = self.outcome.trace.rotate_left(7) ^ process.trace;
        if told.failed > 0 && !process.faults.spoil_files() && !self.files.has_crashed() {
            return Err(format!("{} epochs failed on a sound disk", told.failed));
        }
        Ok(())
    }

    /// The machine starts again. Now and then a bit of the newest epoch has changed.
    fn power_returns(&mut self) -> Result<(), String> {
        self.files = self.files.restarted(self.draws.next());
        let names = self.files.list(Path::new("/epochs")).unwrap_or_default();
        let mut epochs: Vec<u64> = names
            .iter()
            .filter_map(|name| name.strip_prefix("epoch-")?.strip_suffix(".ckpt")?.parse().ok())
            .collect();
        epochs.sort_unstable();
        let known = epochs
            .iter()
            .filter(|epoch| self.completed.contains(epoch))
            .count();
        // With one that is retained, nobody promises an older one; what was removed may be there again, but not what it is on top of.
        let may_flip = known >= 2 && self.scenario.retained >= 2 && self.draws.percent(10);
        let Some(&newest) = epochs.last().filter(|_| may_flip) else {
            return Ok(());
        };
        self.say(|| {
            format!(
                "a bit of epoch {newest} changes; on disk {epochs:?}, completed {:?}, retained {}",
                self.completed, self.scenario.retained
            )
        });
        let at = self.draws.next();
        let path = format!("/epochs/epoch-{newest:020}.ckpt");
        self.files
            .tamper(Path::new(&path), |bytes| {
                if !bytes.is_empty() {
                    let place = usize::try_from(at % bytes.len() as u64).unwrap();
                    bytes[place] ^= 1 << (at % 7);
                }
            })
            .map_err(|error| error.to_string())?;
        self.completed.retain(|&epoch| epoch != newest);
        Ok(())
    }

    /// Whether the job has done everything, as it is over.
    fn is_done(state: JobState, process: &Process) -> Result<bool, String> {
        let faults = &process.faults;
        match state {
            JobState::Finished => Ok(true),
            JobState::Stopped if faults.has(Control::Drain) => Ok(true),
            JobState::Stopped if faults.has(Control::Stop) => Ok(false),
            JobState::Canceled if faults.has(Control::Cancel) => Ok(false),
            JobState::Failed if faults.has(Control::FailTask) || faults.spoil_files() => Ok(false),
            _ => Err(format!("the job is {state}: {:?}", process.job.error())),
        }
    }

    fn left_of(&self, stage: usize, process: &Process) -> Vec<Left> {
        let tasks = process.tasks_of(stage);
        let is_forgotten =
            process.ended_stages.contains(&stage) && !tasks.iter().any(|task| task.has_left_something());
        match self.left.get(&stage) {
            Some(left) if is_forgotten => left.clone(),
            _ => tasks.iter().map(|task| Left::of(task, &process.job)).collect(),
        }
    }

    fn check(&self, process: &Process) -> Result<(), String> {
        for edge in process.job.metrics().edges {
            if edge.sent != edge.received || edge.queued != 0 {
                return Err(format!("edge {} at the end: {edge:?}", edge.edge));
            }
        }
        process.check_commits()?;
        let stages = 0..self.scenario.stages.len();
        let left: Vec<Vec<Left>> = stages.map(|stage| self.left_of(stage, process)).collect();
        let mut produced: BTreeMap<u32, u64> = BTreeMap::new();
        for &(split, next, records) in left.iter().flatten().flat_map(|left| &left.splits) {
            if next < records && !self.was_drained {
                return Err(format!("split {split} was read up to {next} of {records}"));
            }
            produced.insert(split, next);
        }
        let arrivals = self.scenario.arrivals(&produced);
        for (stage, (arrived, left)) in arrivals.iter().zip(left).enumerate() {
            let results: Vec<_> = left.iter().filter_map(|left| left.results.clone()).collect();
            if !results.is_empty() {
                check_sums(stage, arrived, results.concat())?;
            }
            if self.scenario.stages[stage].work == Work::Sink {
                let files: Vec<SinkFile> = left.into_iter().flat_map(|left| left.files).collect();
                self.check_written(stage, arrived, &self.disk.read(&files))?;
            }
        }
        Ok(())
    }

    fn check_written(&self, stage: usize, arrived: &[Record], written: &[Record]) -> Result<(), String> {
        let id = |record: &Record| (whole(record.key), whole(record.source), whole(record.number));
        let sorted = |records: &[Record]| {
            let mut ids: Vec<_> = records.iter().map(id).collect();
            ids.sort_unstable();
            ids
        };
        let (found, expected) = (sorted(written), sorted(arrived));
        if found != expected {
            let mut counts: BTreeMap<_, i64> = BTreeMap::new();
            for id in found {
                *counts.entry(id).or_default() += 1;
            }
            for id in expected {
                *counts.entry(id).or_default() -= 1;
            }
            counts.retain(|_, count| *count != 0);
            return Err(format!(
                "sink {stage}: too many (or, below 0, too few) of {counts:?}"
            ));
        }
        if !self.scenario.keeps_order(stage) {
            return Ok(());
        }
        let mut newest: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for record in written {
            let (key, source, number) = id(record);
            if let Some(before) = newest.insert((key, source), number)
                && before >= number
            {
                return Err(format!(
                    "sink {stage}: {number} of split {source} comes after {before}"
                ));
            }
        }
        Ok(())
    }
}

fn check_sums(stage: usize, arrived: &[Record], mut results: Vec<(i64, i64, i64)>) -> Result<(), String> {
    results.sort_unstable();
    let mut expected: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for record in arrived {
        let sums = expected.entry(whole(record.key)).or_default();
        sums.0 += 1;
        sums.1 += whole(record.number);
    }
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(key, (count, sum))| (key, count, sum))
        .collect();
    if results == expected {
        return Ok(());
    }
    Err(format!(
        "stage {stage} has added up {results:?}, and not {expected:?}"
    ))
}

fn is_of_disk(error: &SageError) -> bool {
    error.code.as_str().starts_with("SAGE_IO_")
}

#[expect(clippy::cast_possible_truncation, reason = "whole numbers")]
fn whole(number: f64) -> i64 {
    number as i64
}
