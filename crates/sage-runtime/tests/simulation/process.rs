//! One process: a job, its isolates, and the clock, in one thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sage_checkpoint::testing::SimulatedFiles;
use sage_runtime::{Isolate, JobCore, JobEvent, JobState, NativeStep, Next, WriterStep};
use sage_types::{ManualClock, TaskId};

use super::disk_of_sinks::DiskOfSinks;
use super::disk_work::{merge, write};
use super::draws::Draws;
use super::faults::{Control, Faults};
use super::native_connectors::{NativeConnectors, NativeOf};
use super::scenario::{Scenario, Work};
use super::sim_task::{Phase, SimTask};

/// Nothing takes so many steps: the job goes around in circles.
const MOST_STEPS: u64 = 60_000;
/// So often in a row nothing happened but time.
const MOST_QUIET_ROUNDS: u32 = 50;
/// At each operation of the disk the pipeline makes at most so many steps.
const MEANWHILE_STEPS: usize = 12;

/// How a process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The machine has crashed.
    Crashed,
    /// The job is over.
    Settled(JobState),
}

struct IsolateOf {
    isolate: Isolate,
    held: Vec<TaskId>,
    /// It looks for tasks; once it found none, only its hook wakes it.
    is_awake: Arc<AtomicBool>,
    is_over: bool,
}

pub struct Process {
    pub job: Arc<JobCore>,
    pub tasks: Vec<SimTask>,
    pub faults: Faults,
    /// Of epochs that the job has told of.
    pub told: Arc<Mutex<Told>>,
    /// Stages that had ended in the epoch that it goes on from.
    pub ended_stages: Vec<usize>,
    isolates: Vec<IsolateOf>,
    natives: Vec<NativeOf>,
    connectors: Arc<NativeConnectors>,
    files: SimulatedFiles,
    disk: DiskOfSinks,
    clock: Arc<ManualClock>,
    holds: usize,
    /// Of each hundred steps, so many ask for an epoch.
    epochs_on_demand: usize,
    pub draws: Draws,
    steps: u64,
    /// How many epochs were durable when all sources had ended.
    completed_before_end: Option<usize>,
    /// A task whose isolate has it in hand for long.
    lazy: Option<TaskId>,
    has_crashed: bool,
    pub writer_is_over: bool,
    /// Merges that were begun, and those that were done.
    begun_merges: usize,
    pub merges: usize,
    pub crashed_in_merge: bool,
    /// Hash of all that has happened.
    pub trace: u64,
}

/// What was heard of epochs.
#[derive(Debug, Default)]
pub struct Told {
    pub completed: Vec<u64>,
    pub failed: u32,
}

impl Process {
    pub fn start(
        scenario: &Scenario,
        job: Arc<JobCore>,
        connectors: Arc<NativeConnectors>,
        clock: Arc<ManualClock>,
        faults: Faults,
        files: SimulatedFiles,
        mut draws: Draws,
    ) -> Result<Self, String> {
        let graph = job.graph();
        let told: Arc<Mutex<Told>> = Arc::default();
        let listener = Arc::clone(&told);
        job.on_event(Some(Arc::new(move |event| {
            let JobEvent::Epoch(json) = event else { return };
            let event: serde_json::Value = serde_json::from_str(json).unwrap();
            let mut told = listener.lock().unwrap();
            match event["state"].as_str() {
                Some("completed") => told.completed.push(event["epoch"].as_u64().unwrap()),
                Some("failed") => told.failed += 1,
                _ => {}
            }
        })));
        let tasks = graph
            .tasks
            .iter()
            .map(|task| SimTask::restored(scenario, &job, task.id, &connectors.disk))
            .collect::<Result<_, _>>()?;
        let tasks: Vec<SimTask> = tasks;
        let heads: Vec<TaskId> = tasks
            .iter()
            .filter(|task| task.work == Work::Head)
            .map(|task| task.id)
            .collect();
        let lazy = match draws.below(3) {
            0 if !heads.is_empty() => Some(*draws.of(&heads)),
            0 | 1 => Some(tasks[draws.below(tasks.len())].id),
            _ => None,
        };
        let mut isolates = Vec::new();
        for index in 0..u32::try_from(scenario.isolates).unwrap() {
            let has_tasks = graph
                .tasks
                .iter()
                .any(|task| task.kind == (sage_runtime::TaskKind::JsTask { isolate: index }));
            if !has_tasks && index > 0 {
                continue;
            }
            let is_awake = Arc::new(AtomicBool::new(true));
            let wakes = Arc::clone(&is_awake);
            let hook = Arc::new(move || wakes.store(true, Ordering::SeqCst));
            let isolate = job.attach(index, Some(hook)).map_err(|error| error.to_json())?;
            isolates.push(IsolateOf {
                isolate,
                held: Vec::new(),
                is_awake,
                is_over: false,
            });
        }
        let natives = job.stepped_tasks().map_err(|error| error.to_json())?;
        let counts = job.metrics().tasks;
        let has_ended = |stage: &usize| {
            let tasks = graph.tasks.iter().filter(|task| task.stage.index() == *stage);
            tasks.into_iter().all(|task| counts[task.id.index()].finished)
        };
        let ended_stages = (0..scenario.stages.len()).filter(has_ended).collect();
        Ok(Self {
            job,
            tasks,
            faults,
            told,
            ended_stages,
            isolates,
            natives: natives.into_iter().map(NativeOf::new).collect(),
            disk: connectors.disk.clone(),
            connectors,
            files,
            clock,
            holds: scenario.holds,
            epochs_on_demand: scenario.epochs_on_demand,
            draws,
            steps: 0,
            completed_before_end: None,
            lazy,
            has_crashed: false,
            writer_is_over: false,
            begun_merges: 0,
            merges: 0,
            crashed_in_merge: false,
            trace: 0xcbf2_9ce4_8422_2325,
        })
    }

    pub fn tasks_of(&self, stage: usize) -> Vec<&SimTask> {
        self.tasks.iter().filter(|task| task.stage == stage).collect()
    }

    pub fn note(&mut self, what: u64) {
        self.trace = (self.trace ^ what).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn now_nanos(&self) -> u64 {
        sage_types::Clock::monotonic_nanos(self.clock.as_ref())
    }

    pub fn is_gone(&self) -> bool {
        self.has_crashed || self.files.has_crashed()
    }

    /// What is to happen at this step.
    fn count_step(&mut self) -> Result<(), String> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(format!(
                "no end after {MOST_STEPS} steps: {:?}",
                self.job.metrics()
            ));
        }
        if let Some(epochs) = self.faults.crash_behind
            && self.told.lock().unwrap().completed.len() >= epochs
        {
            self.has_crashed |= self.draws.percent(2);
        }
        let mut due = self.faults.due(self.steps);
        due.extend(self.at_the_end()?);
        for control in due {
            self.note(1000 + control as u64);
            self.natives_look();
            // What cannot be done as the job is over is not done.
            match control {
                Control::Crash => self.has_crashed = true,
                Control::FailTask => {
                    self.job
                        .fail_with_json(r#"{"code":"SAGE_OPERATOR_FAILED","message":"a task has failed"}"#);
                }
                Control::Cancel => {
                    self.job.cancel();
                }
                Control::Stop => drop(self.job.stop(false)),
                Control::Drain => drop(self.job.stop(true)),
                Control::Pause => drop(self.job.pause()),
                Control::Resume => drop(self.job.resume()),
                Control::FreeSpace => self.files.free_space(),
            }
        }
        Ok(())
    }

    /// What happens because all sources have ended.
    fn at_the_end(&mut self) -> Result<Option<Control>, String> {
        let Some(control) = self.faults.at_the_end else {
            return Ok(None);
        };
        let is_open = |task: &SimTask| {
            task.work == Work::Source
                && !task.finished
                && task.splits.iter().any(|&(_, next, records)| next < records)
        };
        let completed = self.told.lock().unwrap().completed.len();
        if self.completed_before_end.is_none() && !self.tasks.iter().any(is_open) {
            self.completed_before_end = Some(completed);
        }
        let Some(before) = self.completed_before_end else {
            return Ok(None);
        };
        if self.draws.percent(8) {
            self.job.begin_checkpoint().map_err(|error| error.to_json())?;
        }
        let may_be = control != Control::Crash || completed > before;
        Ok((may_be && self.draws.percent(3)).then_some(control))
    }

    /// One small step of an isolate; `false` when none has anything to do.
    fn step_isolates(&mut self) -> Result<bool, String> {
        let now = self.now_nanos();
        let mut choices: Vec<(usize, Option<TaskId>)> = Vec::new();
        for (place, of) in self.isolates.iter().enumerate() {
            if self.faults.is_slow(place, self.steps) {
                continue;
            }
            let is_awake = of.is_awake.load(Ordering::SeqCst);
            if is_awake && !of.is_over && of.held.len() < self.holds {
                choices.push((place, None));
            }
            for &task in &of.held {
                let rests = matches!(self.tasks[task.index()].phase, Phase::Resting(until) if now < until);
                // Whoever is awake looks whether a source that rests is asked for a barrier.
                if !rests || (is_awake && of.isolate.barrier_asked().is_some()) {
                    choices.push((place, Some(task)));
                }
            }
        }
        for (place, native) in self.natives.iter_mut().enumerate() {
            if native.may_step(now) {
                choices.push((self.isolates.len() + place, Some(native.id())));
            }
        }
        if let Some(lazy) = self.lazy
            && self.draws.percent(90)
            && choices.iter().any(|&(_, task)| task != Some(lazy))
        {
            choices.retain(|&(_, task)| task != Some(lazy));
        }
        if choices.is_empty() {
            return Ok(false);
        }
        let (place, task) = *self.draws.of(&choices);
        self.note(place as u64 * 1000 + task.map_or(999, |task| u64::from(task.0)));
        let Some(of) = self.isolates.get_mut(place) else {
            self.step_native(place - self.isolates.len(), now);
            return Ok(true);
        };
        match task {
            Some(id) => {
                let task = &mut self.tasks[id.index()];
                if matches!(task.phase, Phase::Resting(until) if now < until) {
                    task.phase = Phase::Polled;
                }
                task.step(&of.isolate, &mut self.draws, now, &self.disk)?;
                if task.phase == Phase::Waiting {
                    of.held.retain(|&held| held != id);
                }
            }
            None => match of
                .isolate
                .poll(None, Duration::ZERO)
                .map_err(|error| error.to_json())?
            {
                Next::Task(id) => {
                    let task = &mut self.tasks[id.index()];
                    if task.phase != Phase::Waiting {
                        return Err(format!("task {id} was handed out twice"));
                    }
                    task.phase = Phase::Polled;
                    of.held.push(id);
                }
                Next::Idle => of.is_awake.store(false, Ordering::SeqCst),
                Next::Over => of.is_over = true,
            },
        }
        Ok(true)
    }

    fn step_native(&mut self, place: usize, now: u64) {
        let native = &mut self.natives[place];
        // What it is woken for from here on comes behind the look.
        native.is_awake = native.task.was_woken();
        match native.task.step() {
            NativeStep::Worked => native.is_awake = true,
            NativeStep::Waits => {}
            NativeStep::WaitsForSource => {
                native.is_awake = true;
                native.rests_until = now + self.draws.below(3_000_000) as u64;
            }
            NativeStep::WaitsForCommit => native.waits_for_commit = true,
            NativeStep::Over => native.is_over = true,
        }
        let task = &mut self.tasks[native.id().index()];
        task.finished |= native.is_over;
        if let Some(log) = self.connectors.log(task.stage, task.instance) {
            task.splits = log.splits;
            task.files = log.files;
        }
    }

    /// Something may have become of the job, of which native tasks are told otherwise than by being woken.
    pub fn natives_look(&mut self) {
        for native in self.natives.iter_mut().filter(|native| native.waits_for_commit) {
            native.is_awake = true;
        }
    }

    /// At the end of a job all native sinks have committed.
    pub fn check_commits(&self) -> Result<(), String> {
        for task in self
            .tasks
            .iter()
            .filter(|task| task.work == Work::Sink && task.is_native)
        {
            let log = self.connectors.log(task.stage, task.instance);
            if !log.is_some_and(|log| log.has_committed) {
                return Err(format!("sink {} has not committed", task.id));
            }
        }
        Ok(())
    }

    /// While the disk works, the pipeline goes on.
    pub fn meanwhile(&mut self) -> Result<(), String> {
        for _ in 0..self.draws.below(MEANWHILE_STEPS) {
            if self.is_gone() {
                break;
            }
            self.count_step()?;
            self.step_isolates()?;
        }
        if self.has_crashed {
            self.files.crash_at(self.files.operations() + 1);
        }
        Ok(())
    }

    pub fn merge_begins(&mut self) {
        self.begun_merges += 1;
        if self.faults.crash_in_merge == Some(self.begun_merges) {
            let operation = self.draws.between(1, 8) as u64;
            self.files.crash_at(self.files.operations() + operation);
        }
    }

    /// The earliest moment at which a source that rests goes on.
    fn next_due(&self) -> Option<u64> {
        let due = |task: &SimTask| match task.phase {
            Phase::Resting(until) => Some(until),
            _ => None,
        };
        let natives = self
            .natives
            .iter()
            .filter(|native| !native.is_over && native.is_awake);
        let natives = natives.map(|native| native.rests_until);
        self.tasks.iter().filter_map(due).chain(natives).min()
    }
}

/// Runs until the job is over or the machine has crashed.
pub fn run(process: &Rc<RefCell<Process>>) -> Result<Ended, String> {
    let mut quiet_rounds = 0;
    loop {
        let mut own = process.borrow_mut();
        own.count_step()?;
        if own.is_gone() {
            return Ok(Ended::Crashed);
        }
        if own.job.is_settled() {
            return Ok(Ended::Settled(own.job.state()));
        }
        match own.draws.below(100) {
            0..4 if !own.writer_is_over => {
                drop(own);
                write(process)?;
                continue;
            }
            97..100 if !own.writer_is_over => {
                drop(own);
                merge(process)?;
                continue;
            }
            4..6 => {
                let nanos = own.draws.below(3_000_000) as u64;
                own.clock.advance_nanos(nanos);
                continue;
            }
            dice if (6..6 + own.epochs_on_demand).contains(&dice) => {
                own.job.begin_checkpoint().map_err(|error| error.to_json())?;
                continue;
            }
            _ => {}
        }
        if own.step_isolates()? {
            quiet_rounds = 0;
            continue;
        }
        // Nobody has anything to do: the writer has, or time has to pass.
        let step = if own.writer_is_over {
            WriterStep::Waits(Duration::from_secs(1))
        } else {
            drop(own);
            let step = write(process)?;
            own = process.borrow_mut();
            step
        };
        let WriterStep::Waits(timeout) = step else {
            continue;
        };
        if own.faults.goes_on(own.steps) {
            continue;
        }
        quiet_rounds += 1;
        if quiet_rounds > MOST_QUIET_ROUNDS {
            return Err(format!("the job stands still: {:?}", own.job.metrics()));
        }
        let now = own.now_nanos();
        let wait = u64::try_from(timeout.as_nanos()).unwrap();
        let due = own
            .next_due()
            .map_or(wait, |due| due.saturating_sub(now).min(wait));
        own.clock.advance_nanos(due.max(1));
    }
}
