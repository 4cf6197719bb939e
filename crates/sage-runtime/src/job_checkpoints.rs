//! The checkpoints of a job: what it goes on from, and what its tasks hand over.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sage_checkpoint::{
    CheckpointStore, Files, ImagePart, PartKind, TaskImage, make_savepoint_place, read_epoch,
};
use sage_queue::EndKind;
use sage_queue::sync::Mutex;
use sage_types::{ErrorCode, KeyGroups, Result, SageError, SharedClock, TaskId};

use crate::checkpoint_settings::{CheckpointSettings, StartFrom};
use crate::checkpoint_writer;
use crate::connectors::ConnectorFactory;
use crate::epochs::{Epochs, Pace};
use crate::graph::{ExecutionGraph, TaskKind, TaskPlan};
use crate::job_core::{JobCore, internal};
use crate::job_event::JobEvent;
use crate::loop_log::LoopLog;
use crate::native_parts::POSITION;
use crate::restored_loops::log_name;
use crate::restored_state::RestoredState;
use crate::task::Task;
use crate::task_barrier::Barrier;

/// What a job has for its checkpoints.
pub(crate) struct JobCheckpoints {
    pub(crate) epochs: Epochs,
    pub(crate) pace: Pace,
    /// Without a directory: nothing is written but savepoints, and nothing is done for them before one is asked for.
    pub(crate) savepoints_only: bool,
    /// Somebody writes epochs.
    writes: AtomicBool,
    /// None when the job is over, as another one may have the directory, and when there is none.
    pub(crate) store: Mutex<Option<CheckpointStore>>,
    /// Where all of it is.
    pub(crate) files: Arc<dyn Files>,
    pub(crate) restored: Option<RestoredState>,
    /// Epochs are written by [`JobCore::step_checkpoints`], and not by a thread.
    pub(crate) is_stepped: bool,
    /// By task of a loop: what it has handed over, until its log is complete.
    awaiting_logs: Mutex<Vec<(TaskId, Barrier, TaskImage, u64)>>,
}

impl JobCheckpoints {
    /// # Errors
    /// Those of the store; of the epoch, when it does not fit the graph; `SAGE_INTERNAL` for a graph that cannot have checkpoints.
    pub(crate) fn open(
        settings: &CheckpointSettings,
        files: Arc<dyn Files>,
        graph: &ExecutionGraph,
        now_nanos: u64,
    ) -> Result<Self> {
        let savepoints_only = settings.directory.is_none();
        let dormant = graph.tasks.iter().find(|task| task.dormant);
        if let Some(task) = dormant.filter(|_| !savepoints_only) {
            return Err(internal(format!(
                "task {} is dormant in a job with checkpoints",
                task.id
            )));
        }
        if let Some(task) = dormant.filter(|_| settings.from != StartFrom::None) {
            return Err(growing(task, "go on from a savepoint"));
        }
        let is_js = |id: TaskId| matches!(graph.tasks[id.index()].kind, TaskKind::JsTask { .. });
        if let Some(edge) = graph
            .edges
            .iter()
            .find(|edge| edge.feedback.is_some() && !is_js(edge.to_task))
        {
            return Err(internal(format!("edge {} leads back to a native task", edge.id)));
        }
        let open = |directory: &String| {
            let store =
                CheckpointStore::open(Arc::clone(&files), directory.as_str(), settings.retained as usize)?;
            Ok::<_, SageError>(store.with_limits(settings.chain_limits))
        };
        let store = settings.directory.as_ref().map(open).transpose()?;
        let epoch = match (&settings.from, &store) {
            (StartFrom::None, _) => None,
            (StartFrom::Latest, Some(store)) => store.newest()?,
            (StartFrom::Latest, None) => {
                return Err(internal("a job without a directory has no latest epoch"));
            }
            (StartFrom::Path(path), Some(store)) => Some(store.read(Path::new(path))?),
            (StartFrom::Path(path), None) => Some(read_epoch(&files, Path::new(path))?),
        };
        let restored = epoch
            .map(|epoch| RestoredState::new(epoch, graph, settings.allow_dropped))
            .transpose()?;
        // Also behind a savepoint of another directory: sinks may know epochs by their numbers.
        let next = restored.as_ref().map_or(0, RestoredState::number) + 1;
        Ok(Self {
            epochs: Epochs::new(
                store.as_ref().map_or(next, |store| store.next_epoch().max(next)),
                graph.tasks.len(),
                now_nanos,
            ),
            pace: Pace {
                interval_nanos: settings.interval_ms.map(nanos),
                min_pause_nanos: nanos(settings.min_pause_ms),
                ends_with_epoch: !savepoints_only,
            },
            savepoints_only,
            writes: AtomicBool::new(!savepoints_only),
            store: Mutex::new(store),
            files,
            restored,
            is_stepped: false,
            awaiting_logs: Mutex::new(Vec::new()),
        })
    }

    /// Refuses sources that nobody could go on with. Anything else that is wrong with them is said when they are opened.
    pub(crate) fn check_sources(&self, graph: &ExecutionGraph, factory: &dyn ConnectorFactory) -> Result<()> {
        for task in graph.tasks.iter().filter(|task| task.instance == 0) {
            let TaskKind::NativeSource { spec } = &task.kind else {
                continue;
            };
            let positions = self
                .restored
                .as_ref()
                .map(|own| own.own_parts(&task.uid, POSITION));
            if positions
                .transpose()?
                .is_some_and(|positions| !positions.is_empty())
            {
                continue;
            }
            match factory.check_resumable(spec) {
                Err(error) if error.code == ErrorCode::CheckpointSource => {
                    return Err(error.with("operator", task.uid.clone()));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Whether epochs may be under way. Not before a savepoint is asked for in a job that has nothing else.
    pub(crate) fn writes(&self) -> bool {
        self.writes.load(Ordering::SeqCst)
    }

    /// The job is over: its directory is free.
    pub(crate) fn release(&self) {
        let store = self.store.lock().take();
        drop(store);
    }

    /// Whether what sinks have written may be needed by another process.
    pub(crate) fn may_be_gone_on_from(&self) -> bool {
        self.restored.is_some() || self.epochs.may_be_gone_on_from()
    }

    /// Whether a task has nothing to do any more.
    pub(crate) fn had_finished(&self, task: &TaskPlan) -> bool {
        self.restored
            .as_ref()
            .is_some_and(|restored| restored.has_finished(task))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked not to be negative; a duration that is too long is the longest"
)]
fn nanos(millis: f64) -> u64 {
    (millis * 1e6) as u64
}

impl JobCore {
    /// As [`JobCore::new`], with checkpoints on the disk of this machine.
    ///
    /// # Errors
    /// Also those of the store; `SAGE_CHECKPOINT_UNCLAIMED` and `SAGE_CHECKPOINT_RESCALE` when what it goes on from does not fit.
    pub fn with_checkpoints(
        graph: &[u8],
        settings: Option<CheckpointSettings>,
        files: Arc<dyn Files>,
        clock: SharedClock,
        factory: Arc<dyn ConnectorFactory>,
    ) -> Result<Arc<Self>> {
        let graph = ExecutionGraph::decode(graph)?;
        let checkpoints = settings
            .map(|settings| JobCheckpoints::open(&settings, files, &graph, clock.monotonic_nanos()))
            .transpose()?;
        if let Some(checkpoints) = checkpoints.as_ref().filter(|own| !own.savepoints_only) {
            checkpoints.check_sources(&graph, factory.as_ref())?;
        }
        Self::build(graph, clock, factory, checkpoints)
    }

    /// The epoch that the job goes on from.
    #[must_use]
    pub fn restored_epoch(&self) -> Option<u64> {
        let restored = self.checkpoints.as_ref()?.restored.as_ref()?;
        Some(restored.number())
    }

    /// Whether all instances of an operator had come to their end in the epoch that the job goes on from; nothing when it has none of it.
    #[must_use]
    pub fn had_ended(&self, operator: &str) -> Option<bool> {
        let restored = self.checkpoints.as_ref()?.restored.as_ref()?;
        restored.has_ended(operator)
    }

    /// The newer epochs that could not be gone on from, and why, as JSON.
    #[must_use]
    pub fn skipped_epochs(&self) -> Vec<String> {
        let restored = self.checkpoints.as_ref().and_then(|own| own.restored.as_ref());
        let skipped = restored.into_iter().flat_map(RestoredState::skipped);
        skipped.map(sage_types::SageError::to_json).collect()
    }

    /// Begins an epoch; none while one is under way, before the job has started, and when nothing is left to save.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job without checkpoints.
    pub fn begin_checkpoint(&self) -> Result<Option<u64>> {
        if self.checkpoints.as_ref().is_none_or(|own| own.savepoints_only) {
            return Err(internal("the job has no checkpoints"));
        }
        Ok(self.begin_when_started(None))
    }

    /// Has a copy of the next epoch written there, which needs no other file; it is begun now, or when the one under way has ended.
    /// Directories that are missing are made. What becomes of the copy is an event of its own.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for a job without checkpoints; `SAGE_IO_EXISTS` when something has the path; `SAGE_IO_*`. Of a job that writes
    /// nothing but savepoints: `SAGE_CHECKPOINT_SOURCE` for a source that cannot be read twice, `SAGE_CHECKPOINT_RESCALE` for one whose
    /// instances come while it runs, `SAGE_JOB_STATE` when all of its tasks have finished.
    pub fn begin_savepoint(self: &Arc<Self>, path: &Path) -> Result<Option<u64>> {
        self.savepoint_place(path)?;
        Ok(self.begin_when_started(Some(path.to_owned())))
    }

    /// Looks whether a savepoint can go there, and sees to it that somebody writes it.
    pub(crate) fn savepoint_place(self: &Arc<Self>, path: &Path) -> Result<&JobCheckpoints> {
        let Some(checkpoints) = &self.checkpoints else {
            return Err(internal("the job has no checkpoints"));
        };
        if checkpoints.savepoints_only {
            if let Some(task) = self.graph.tasks.iter().find(|task| task.dormant) {
                return Err(growing(task, "leave a savepoint"));
            }
            checkpoints.check_sources(&self.graph, self.factory.as_ref())?;
        }
        make_savepoint_place(checkpoints.files.as_ref(), path)?;
        self.begin_to_write(checkpoints)?;
        Ok(checkpoints)
    }

    /// The first savepoint of a job that has nothing else was asked for: from now on it has somebody who writes epochs.
    fn begin_to_write(self: &Arc<Self>, checkpoints: &JobCheckpoints) -> Result<()> {
        let mut status = self.status.lock();
        if checkpoints.writes() {
            return Ok(());
        }
        // Decided under the lock: who finishes the last task looks for a writer behind it.
        if status.state.is_terminal() || status.unfinished_tasks == 0 {
            return Err(SageError::new(
                ErrorCode::JobState,
                "the job has come to its end, and there is nothing left to go on with",
            ));
        }
        checkpoints.writes.store(true, Ordering::SeqCst);
        // Before the start, the thread is started with all others.
        if status.started_nanos.is_some() {
            status.native_threads += 1;
            drop(status);
            checkpoint_writer::spawn(self);
        }
        Ok(())
    }

    fn begin_when_started(&self, savepoint: Option<PathBuf>) -> Option<u64> {
        let begins = self.with_status(|status| status.started_nanos.is_some() && !status.state.is_terminal());
        if !begins {
            return None;
        }
        let epoch = self.begin_epoch(false, savepoint);
        self.let_through();
        epoch
    }

    /// What an instance of an operator goes on from, as the export `checkpointRead` gives it.
    ///
    /// # Errors
    /// Those of the store; `SAGE_CHECKPOINT_DAMAGED`.
    pub fn read_checkpoint(
        &self,
        operator: &str,
        name: &str,
        instance: u32,
        parallelism: u32,
    ) -> Result<Vec<u8>> {
        let restored = self.checkpoints.as_ref().and_then(|own| own.restored.as_ref());
        let groups = KeyGroups::new(self.graph.key_groups, parallelism);
        restored.map_or_else(
            || Ok(vec![0]),
            |restored| restored.read(operator, name, &groups, instance),
        )
    }

    /// Begins an epoch, behind whose barrier, the `last` one, the job stops: at once or after the one under way.
    pub(crate) fn begin_epoch(&self, last: bool, savepoint: Option<PathBuf>) -> Option<u64> {
        let checkpoints = self.checkpoints.as_ref()?;
        let ask = |task: usize, barrier: Barrier| self.tasks[task].barrier.ask(barrier);
        // While one is under way none begins, and whoever writes has the store.
        let base = if checkpoints.epochs.is_under_way() {
            None
        } else {
            checkpoints
                .store
                .lock()
                .as_ref()
                .and_then(CheckpointStore::base_for_changes)
        };
        let barrier = checkpoints
            .epochs
            .begin(last, savepoint, base, self.now_nanos(), ask)?;
        if !checkpoints.savepoints_only {
            let event = serde_json::json!({
                "type": "epoch", "event": "epoch", "epoch": barrier.epoch, "last": barrier.last, "state": "begun",
            });
            self.outbox.post(JobEvent::Epoch(event.to_string().into()));
        }
        // Who has inputs waits for their barriers, unless it is in a loop that gets nothing from outside.
        for task in self
            .tasks
            .iter()
            .filter(|task| task.plan.is_source || task.member.is_some())
        {
            task.doorbell.ring();
        }
        // A source that rests is in the hands of its isolate, which has to look.
        for isolate in &self.isolates {
            isolate.queue.nudge();
        }
        self.outbox.deliver();
        Some(barrier.epoch)
    }

    /// A task hands over what it holds: its barrier goes on to all tasks behind.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when nobody waits for it; those of loop logs.
    pub(crate) fn acknowledge_task(&self, task: &Task, barrier: Barrier, image: TaskImage) -> Result<()> {
        let Some(checkpoints) = &self.checkpoints else {
            return Err(internal("the job has no checkpoints"));
        };
        for output in &task.outputs {
            output.emit_barrier(barrier.epoch, barrier.last);
        }
        let (awaits_log, alignment_nanos) = task.inputs.acknowledged();
        task.barrier.acknowledged(barrier, awaits_log);
        if barrier.last && task.plan.is_source {
            task.request_stop(EndKind::Stopped);
        }
        let id = task.plan.id;
        if awaits_log {
            checkpoints
                .awaiting_logs
                .lock()
                .push((id, barrier, image, alignment_nanos));
        } else {
            self.gathered(checkpoints.epochs.acknowledged(
                id,
                barrier.epoch,
                image.into(),
                alignment_nanos,
            )?);
        }
        task.doorbell.ring();
        Ok(())
    }

    /// A task cannot hand over what it holds, for a reason (JSON): the epoch is not written, and the job goes on unless it was the last one.
    ///
    /// # Errors
    /// Those of [`JobCore::acknowledge_task`].
    pub(crate) fn refuse_epoch(&self, task: &Task, barrier: Barrier, error: &str) -> Result<()> {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.epochs.refuse(barrier.epoch, error.into());
        }
        self.acknowledge_task(task, barrier, TaskImage::new())
    }

    /// What came around to a task of a loop is complete: with it, what the task has handed over.
    ///
    /// # Errors
    /// Those of the batches.
    pub(crate) fn complete_log(&self, task: &Task, barrier: Barrier, log: LoopLog) -> Result<()> {
        let Some(checkpoints) = &self.checkpoints else {
            return Ok(());
        };
        let id = task.plan.id;
        let mut awaiting = checkpoints.awaiting_logs.lock();
        let place = awaiting
            .iter()
            .position(|(waits, for_barrier, ..)| *waits == id && *for_barrier == barrier);
        let Some((_, _, mut image, alignment_nanos)) = place.map(|place| awaiting.swap_remove(place)) else {
            return Err(internal(format!(
                "task {id} has a log of an epoch that it did not acknowledge"
            )));
        };
        drop(awaiting);
        task.barrier.log_is_complete();
        for (gate, log) in log.by_gate() {
            image.push(&ImagePart {
                operator: operator_of(&task.plan),
                name: &log_name(&self.graph, &task.plan, gate)
                    .ok_or_else(|| internal(format!("gate {gate} of task {id} is in no loop")))?,
                kind: PartKind::Own,
                is_full: true,
                payload: &log.to_bytes(&self.registry)?,
            })?;
        }
        self.gathered(
            checkpoints
                .epochs
                .acknowledged(id, barrier.epoch, image.into(), alignment_nanos)?,
        );
        Ok(())
    }

    /// What stays, in all later epochs, of a task that finishes next.
    pub(crate) fn leave_behind(&self, task: &Task, image: TaskImage) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.epochs.leaves(task.plan.id, image.into());
        }
    }

    /// All tasks have handed over what they hold for an epoch. Behind the last one nothing goes around any more: what was on its way
    /// is logged.
    pub(crate) fn gathered(&self, barrier: Option<Barrier>) {
        if barrier.is_some_and(|barrier| barrier.last) {
            for of in &self.loops {
                of.discard(EndKind::Stopped);
            }
        }
    }

    /// Ends the tasks that had finished in the epoch that the job goes on from. Native sinks end themselves: what they wrote may not be
    /// visible yet.
    pub(crate) fn finish_restored(&self) -> Result<()> {
        let Some(checkpoints) = &self.checkpoints else {
            return Ok(());
        };
        let Some(restored) = &checkpoints.restored else {
            return Ok(());
        };
        let had_finished = |task: &TaskId| {
            let task = self.tasks.get(task.index());
            task.is_some_and(|task| restored.has_finished(&task.plan))
        };
        for of in self.loops.iter().filter(|of| of.tasks.iter().any(had_finished)) {
            of.had_ended();
        }
        for task in self.tasks.iter().filter(|task| restored.has_finished(&task.plan)) {
            if ends_itself(&task.plan) {
                continue;
            }
            checkpoints
                .epochs
                .leaves(task.plan.id, restored.left_by(&task.plan)?);
            task.deliver_end(EndKind::Drained);
            self.finish_task(task);
        }
        Ok(())
    }
}

fn growing(task: &TaskPlan, what: &str) -> SageError {
    let message = format!(
        "a job whose instances come while it runs (parallelism 'auto') cannot {what}: give it a number of instances, or checkpoints"
    );
    SageError::new(ErrorCode::CheckpointRescale, message).with("operator", task.uid.clone())
}

/// Whether a task that had finished has something left to do nevertheless.
pub(crate) const fn ends_itself(task: &TaskPlan) -> bool {
    matches!(task.kind, TaskKind::NativeSink { .. })
}

/// Under which operator a task keeps what belongs to all of its operators.
fn operator_of(task: &TaskPlan) -> &str {
    task.operators.first().map_or(task.uid.as_str(), String::as_str)
}
