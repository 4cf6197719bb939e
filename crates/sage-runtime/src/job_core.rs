//! One job: its graph at work, and the moments that change it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sage_connectors::SourceStatistics;
use sage_frame::LayoutRegistry;
use sage_queue::RunQueue;
use sage_queue::sync::{Condvar, Mutex};
use sage_types::{ErrorCode, Result, SageError, SharedClock, StageId, TaskId};

use crate::checkpoint_writer;
use crate::connectors::ConnectorFactory;
use crate::edge::Edge;
use crate::edge_check::check_counts;
use crate::feedback_loop::FeedbackLoop;
use crate::graph::{ExecutionGraph, TaskKind};
use crate::isolate::Isolate;
use crate::job_checkpoints::JobCheckpoints;
use crate::job_event::{JobEvent, JobListener, Outbox};
use crate::job_state::JobState;
use crate::job_state_store::JobStateStore;
use crate::native_task;
use crate::status::{SinkCommit, SourceRead, Status};
use crate::task::{Doorbell, Task};
use crate::task_metrics::Activity;
use crate::wiring::Wiring;

/// The ready tasks of one isolate, and how many of its tasks are still to finish.
pub(crate) struct IsolateQueue {
    /// The graph's number for it.
    pub(crate) index: u32,
    pub(crate) queue: Arc<RunQueue>,
    pub(crate) unfinished_tasks: AtomicUsize,
    /// All of its tasks are dormant: the job starts without it.
    pub(crate) may_be_absent: bool,
    /// It has dormant tasks that wake with its next poll.
    pub(crate) wakes_tasks: AtomicBool,
}

/// One job. All methods may be called from any thread.
pub struct JobCore {
    pub(crate) graph: ExecutionGraph,
    pub(crate) registry: Arc<LayoutRegistry>,
    pub(crate) clock: SharedClock,
    pub(crate) factory: Arc<dyn ConnectorFactory>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) edges: Vec<Arc<dyn Edge>>,
    pub(crate) isolates: Vec<IsolateQueue>,
    pub(crate) loops: Vec<Arc<FeedbackLoop>>,
    pub(crate) status: Mutex<Status>,
    pub(crate) changed: Condvar,
    pub(crate) outbox: Outbox,
    pub(crate) paused: AtomicBool,
    /// In a pause: an epoch was asked for, and what is before its barrier is worked on.
    pub(crate) lets_through: AtomicBool,
    /// The job has failed or was cancelled: everything is closed, threads leave.
    pub(crate) closing: AtomicBool,
    /// What the instances of each native source agree on.
    pinned: Mutex<HashMap<StageId, Arc<str>>>,
    pub(crate) state_store: Mutex<JobStateStore>,
    pub(crate) checkpoints: Option<JobCheckpoints>,
}

impl JobCore {
    /// Builds channels and tasks from the FlatBuffers execution graph. The job starts by itself when every isolate that
    /// its tasks name is attached, except for those that have dormant tasks only; without JavaScript tasks, at once.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH`.
    pub fn new(graph: &[u8], clock: SharedClock, factory: Arc<dyn ConnectorFactory>) -> Result<Arc<Self>> {
        Self::from_graph(ExecutionGraph::decode(graph)?, clock, factory)
    }

    /// As [`JobCore::new`], from a decoded graph.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH`.
    pub fn from_graph(
        graph: ExecutionGraph,
        clock: SharedClock,
        factory: Arc<dyn ConnectorFactory>,
    ) -> Result<Arc<Self>> {
        Self::build(graph, clock, factory, None)
    }

    pub(crate) fn build(
        graph: ExecutionGraph,
        clock: SharedClock,
        factory: Arc<dyn ConnectorFactory>,
        checkpoints: Option<JobCheckpoints>,
    ) -> Result<Arc<Self>> {
        graph.validate()?;
        let Wiring {
            tasks,
            edges,
            isolates,
            loops,
            loop_host,
        } = Wiring::of(&graph, &clock)?;
        let wakefulness = tasks.iter().map(Task::first_wakefulness).collect();
        let status = Status::new(isolates.len(), wakefulness);
        let job = Arc::new(Self {
            graph,
            registry: Arc::new(LayoutRegistry::default()),
            clock,
            factory,
            tasks,
            edges,
            isolates,
            loops,
            status: Mutex::new(status),
            changed: Condvar::new(),
            outbox: Outbox::default(),
            paused: AtomicBool::new(false),
            lets_through: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            pinned: Mutex::new(HashMap::new()),
            state_store: Mutex::new(JobStateStore::default()),
            checkpoints,
        });
        loop_host.belongs_to(&job);
        if let Some(restored) = job.checkpoints.as_ref().and_then(|own| own.restored.as_ref()) {
            job.restore_loops(restored)?;
        }
        crate::job_list::remember(&job);
        job.start_if_complete();
        Ok(job)
    }

    /// The layouts and shapes of the job.
    #[must_use]
    pub fn registry(&self) -> &Arc<LayoutRegistry> {
        &self.registry
    }

    /// The graph it runs.
    #[must_use]
    pub fn graph(&self) -> &ExecutionGraph {
        &self.graph
    }

    /// Where the job stands. A failed or cancelled job says so at once; its [`JobEvent::State`] comes when all of its
    /// native threads are gone.
    #[must_use]
    pub fn state(&self) -> JobState {
        self.status.lock().state
    }

    /// Whether the job is over and every native thread is gone.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.status.lock().settled
    }

    /// The first error, as JSON.
    #[must_use]
    pub fn error(&self) -> Option<Arc<str>> {
        self.status.lock().error.clone()
    }

    /// Errors that came after the first one, as JSON.
    #[must_use]
    pub fn suppressed_errors(&self) -> Vec<Arc<str>> {
        self.status.lock().suppressed.clone()
    }

    /// Sets who is told of events; those that nobody has heard yet come at once.
    pub fn on_event(&self, listener: Option<JobListener>) {
        self.outbox.listen(listener);
    }

    /// Makes the calling isolate the one that runs the tasks with this isolate index. `hook` is called, from any thread,
    /// once per empty to non-empty edge after a poll found nothing, and when the isolate's part is over.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when the graph does not have the index, or it is attached already.
    pub fn attach(self: &Arc<Self>, isolate: u32, hook: Option<sage_queue::WakeHook>) -> Result<Isolate> {
        let place = self.isolates.iter().position(|slot| slot.index == isolate);
        let Some(place) = place else {
            return Err(internal(format!("the job has no task for isolate {isolate}")));
        };
        let mut status = self.status.lock();
        if std::mem::replace(&mut status.attached[place], true) {
            return Err(internal(format!("isolate {isolate} is attached already")));
        }
        drop(status);
        self.isolates[place].queue.set_hook(hook);
        self.start_if_complete();
        Ok(Isolate::new(Arc::clone(self), place))
    }

    /// Waits until the job is over and its native threads are gone, or `timeout` is over. For tests and process exit.
    pub fn wait_settled(&self, timeout: Duration) -> bool {
        let started = std::time::Instant::now();
        let mut status = self.status.lock();
        while !status.settled {
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return false;
            }
            status = self.changed.wait_timeout(status, left);
        }
        true
    }

    pub(crate) fn task(&self, task: TaskId) -> Result<&Task> {
        self.tasks
            .get(task.index())
            .ok_or_else(|| internal(format!("there is no task {task}")))
    }

    pub(crate) fn now_nanos(&self) -> u64 {
        self.clock.monotonic_nanos()
    }

    /// What the clock shows, in milliseconds since 1970.
    pub(crate) fn epoch_millis(&self) -> f64 {
        self.clock.epoch_millis()
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    /// Whether isolates get nothing: in a pause, as long as nobody waits for an epoch.
    pub(crate) fn is_held(&self) -> bool {
        self.is_paused() && !self.lets_through.load(Ordering::SeqCst)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub(crate) fn with_status<R>(&self, read: impl FnOnce(&Status) -> R) -> R {
        read(&self.status.lock())
    }

    pub(crate) fn detach(&self, place: usize) {
        self.isolates[place].queue.set_hook(None);
        self.status.lock().attached[place] = false;
    }

    /// The task has emitted everything: tells the tasks behind it, and the job when it was the last.
    pub(crate) fn finish_task(&self, task: &Task) {
        if self.is_closing() || !task.finish() {
            return;
        }
        for output in &task.outputs {
            output.end(task.end_kind());
        }
        task.metrics.switch(Activity::Idle, self.now_nanos());
        if let Doorbell::Isolate { slot, isolate } = &task.doorbell {
            slot.retire();
            if self.isolates[*isolate]
                .unfinished_tasks
                .fetch_sub(1, Ordering::SeqCst)
                == 1
            {
                self.isolates[*isolate].queue.close();
            }
        }
        if let Some(checkpoints) = &self.checkpoints {
            self.gathered(checkpoints.epochs.finished(task.plan.id));
        }
        self.end_dormant_around(task);
        self.look_at_loops();
        self.task_done();
    }

    /// Waits, in a native sink, for the verdict: `true` to commit, `false` to abort.
    pub(crate) fn wait_for_commit(&self) -> bool {
        let mut status = self.status.lock();
        loop {
            if self.is_closing() {
                return false;
            }
            if status.committing {
                return true;
            }
            status = self.changed.wait_timeout(status, Duration::from_secs(1));
        }
    }

    /// The spec of a native source, the same for all instances.
    pub(crate) fn pinned_spec(&self, stage: StageId, spec: &str) -> Result<Arc<str>> {
        let mut pinned = self.pinned.lock();
        if let Some(spec) = pinned.get(&stage) {
            return Ok(Arc::clone(spec));
        }
        let spec: Arc<str> = self.factory.pin_source(spec)?.into();
        pinned.insert(stage, Arc::clone(&spec));
        Ok(spec)
    }

    pub(crate) fn committed(&self, task: TaskId, report: serde_json::Value) {
        self.status.lock().commits.push(SinkCommit { task, report });
    }

    pub(crate) fn read(&self, task: TaskId, statistics: SourceStatistics) {
        self.status.lock().reads.push(SourceRead { task, statistics });
    }

    /// The last act of a native thread.
    pub(crate) fn native_thread_gone(&self) {
        let mut status = self.status.lock();
        status.native_threads -= 1;
        self.settle_if_over(&mut status);
        drop(status);
        self.outbox.deliver();
    }

    fn task_done(&self) {
        let mut status = self.status.lock();
        status.unfinished_tasks -= 1;
        if status.unfinished_tasks > 0 || status.state.is_terminal() {
            return;
        }
        drop(status);
        if let Err(error) = check_counts(&self.graph.edges, &self.edges)
            // A job that is being closed has dropped what was queued: then the counts say nothing.
            && !self.is_closing()
        {
            self.fail(&error);
            return;
        }
        match &self.checkpoints {
            // Sinks commit when the last epoch is durable: their part of it says what they are to commit.
            Some(checkpoints) if checkpoints.writes() => checkpoints.epochs.all_finished(),
            _ => self.commit_now(),
        }
    }

    /// All work is done: native sinks commit.
    pub(crate) fn commit_now(&self) {
        let mut status = self.status.lock();
        status.committing = true;
        self.changed.notify_all();
        self.settle_if_over(&mut status);
        drop(status);
        self.outbox.deliver();
    }

    /// With the status lock held: the job is over when its fate is decided and no native thread is left.
    pub(crate) fn settle_if_over(&self, status: &mut Status) {
        if status.settled || status.native_threads > 0 {
            return;
        }
        if status.committing && !status.state.is_terminal() {
            status.state = if status.state == JobState::Stopping {
                JobState::Stopped
            } else {
                JobState::Finished
            };
        }
        if status.state.is_terminal() {
            status.settled = true;
            if let Some(checkpoints) = &self.checkpoints {
                checkpoints.release();
            }
            status.ended_nanos = Some(self.now_nanos());
            self.outbox.post(JobEvent::State(status.state));
            self.changed.notify_all();
            // Isolates whose tasks are done have left already; one without tasks learns it here.
            for isolate in &self.isolates {
                isolate.queue.close();
            }
        }
    }

    fn start_if_complete(self: &Arc<Self>) {
        let mut status = self.status.lock();
        let complete = self
            .isolates
            .iter()
            .zip(&status.attached)
            .all(|(isolate, attached)| {
                *attached || isolate.may_be_absent || isolate.unfinished_tasks.load(Ordering::SeqCst) == 0
            });
        if !complete || status.started_nanos.is_some() || status.state.is_terminal() {
            return;
        }
        status.started_nanos = Some(self.now_nanos());
        if status.state == JobState::Initializing {
            status.state = JobState::Running;
            self.outbox.post(JobEvent::State(JobState::Running));
        }
        let native: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|task| self.has_native_work(task))
            .map(|task| task.plan.id)
            .collect();
        let writes = self.checkpoints.as_ref().is_some_and(JobCheckpoints::writes);
        status.native_threads = native.len() + usize::from(writes);
        drop(status);
        self.outbox.deliver();
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.epochs.started(self.now_nanos());
            if writes {
                checkpoint_writer::spawn(self);
            }
            if let Err(error) = self.finish_restored() {
                self.fail(&error);
            }
        }
        if !self.checkpoints.as_ref().is_some_and(|own| own.is_stepped) {
            for task in native {
                native_task::spawn(self, task);
            }
        }
        for task in self.tasks.iter().filter(|task| task.plan.is_source) {
            task.doorbell.ring();
        }
        self.let_go();
    }
}

impl std::fmt::Debug for JobCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobCore")
            .field("name", &self.graph.job_name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

pub(crate) fn is_native(task: &Task) -> bool {
    matches!(
        task.plan.kind,
        TaskKind::NativeSource { .. } | TaskKind::NativeSink { .. } | TaskKind::NativeAggregate { .. }
    )
}

pub(crate) fn internal(message: impl Into<String>) -> SageError {
    SageError::new(ErrorCode::Internal, message)
}
