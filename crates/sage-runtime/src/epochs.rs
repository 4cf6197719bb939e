//! Which tasks are still to acknowledge the epoch under way.
//!
//! One epoch at a time: the next one begins when the one before is durable or has failed. A task that finishes without having
//! acknowledged counts with what it left behind; so does one that had finished before.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sage_queue::sync::{Condvar, Mutex};
use sage_types::{PlantedBug, Result, TaskId};

use crate::handed_parts::HandedParts;
use crate::job_core::internal;
use crate::task_barrier::Barrier;

/// What one task has handed over for an epoch.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    pub(crate) parts: Option<Arc<HandedParts>>,
    /// It had finished: it gives nothing any more.
    pub(crate) finished: bool,
}

/// An epoch for which all tasks have handed over what they hold.
#[derive(Debug)]
pub(crate) struct GatheredEpoch {
    pub(crate) barrier: Barrier,
    /// What parts that are not whole are changes of.
    pub(crate) base: Option<u64>,
    /// By task.
    pub(crate) handed: Vec<Handed>,
    pub(crate) begun_nanos: u64,
    /// The longest alignment of a task.
    pub(crate) alignment_nanos: u64,
    /// Where copies of it are to go.
    pub(crate) savepoints: Vec<PathBuf>,
    /// The last of these is what the job stops with.
    pub(crate) stops_with_savepoint: bool,
    /// Why a task cannot hand over what it holds, as JSON.
    pub(crate) refusal: Option<Arc<str>>,
}

#[derive(Debug)]
struct InFlight {
    barrier: Barrier,
    base: Option<u64>,
    begun_nanos: u64,
    alignment_nanos: u64,
    /// By task: what it has handed over.
    handed: Vec<Option<Handed>>,
    waiting: usize,
    savepoints: Vec<PathBuf>,
    stops_with_savepoint: bool,
    refusal: Option<Arc<str>>,
    /// The writer has it.
    is_taken: bool,
}

#[derive(Debug, Default)]
enum End {
    #[default]
    Runs,
    /// It has said what stays of it, and finishes next.
    Leaves(Arc<HandedParts>),
    Finished(Option<Arc<HandedParts>>),
}

/// What became of the epochs so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct EpochCounts {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) last_epoch: u64,
    pub(crate) last_bytes: u64,
    pub(crate) last_duration_nanos: u64,
    pub(crate) last_alignment_nanos: u64,
}

#[derive(Debug)]
struct State {
    next: u64,
    in_flight: Option<InFlight>,
    /// By task.
    ends: Vec<End>,
    /// The last epoch of a job that is to stop waits for the one under way.
    stop_wanted: bool,
    /// Where copies of the next epoch are to go.
    next_savepoints: Vec<PathBuf>,
    /// Where a copy of the last epoch is to go.
    last_savepoint: Option<PathBuf>,
    /// The epoch behind which the job stops is durable.
    sealed: bool,
    all_finished: bool,
    last_begun_nanos: u64,
    last_ended_nanos: u64,
    counts: EpochCounts,
}

/// What there is for the writer.
#[derive(Debug)]
pub(crate) enum Work {
    Write(Box<GatheredEpoch>),
    /// All tasks have finished and the last epoch is durable.
    Commit,
    /// All tasks have finished: one more epoch.
    WriteLast(Box<GatheredEpoch>),
    /// An epoch is to be begun.
    Begin {
        last: bool,
    },
    /// Nothing, for so long at most.
    Wait(Duration),
}

/// When epochs begin by themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) interval_nanos: Option<u64>,
    pub(crate) min_pause_nanos: u64,
    /// When all tasks have finished, one more is written.
    pub(crate) ends_with_epoch: bool,
}

/// Longest wait without a look at the job's clock, which may be one that a test moves.
const LOOK: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(1);

/// The coordinator of a job's epochs. Its lock is never held while another one is taken.
#[derive(Debug)]
pub(crate) struct Epochs {
    state: Mutex<State>,
    changed: Condvar,
}

impl Epochs {
    /// `next` is the number of the first one.
    pub(crate) fn new(next: u64, tasks: usize, now_nanos: u64) -> Self {
        Self {
            state: Mutex::new(State {
                next,
                in_flight: None,
                ends: std::iter::repeat_with(End::default).take(tasks).collect(),
                stop_wanted: false,
                next_savepoints: Vec::new(),
                last_savepoint: None,
                sealed: false,
                all_finished: false,
                last_begun_nanos: now_nanos,
                last_ended_nanos: now_nanos,
                counts: EpochCounts::default(),
            }),
            changed: Condvar::new(),
        }
    }

    /// The job runs from now on.
    pub(crate) fn started(&self, now_nanos: u64) {
        let mut state = self.state.lock();
        state.last_begun_nanos = now_nanos;
        state.last_ended_nanos = now_nanos;
    }

    /// A copy of the last epoch is wanted there; that it is the last one is said next.
    pub(crate) fn wants_last_savepoint(&self, path: PathBuf) {
        self.state.lock().last_savepoint = Some(path);
    }

    /// Begins an epoch, a copy of which goes to `savepoint`, and calls `ask` for each task that is to acknowledge it. None while one is
    /// under way, and when all tasks have finished; a `last` one, and one for a savepoint, is begun later then. Its parts may be changes
    /// on top of `base`, unless an epoch was begun since: then nobody has what is between the two.
    pub(crate) fn begin(
        &self,
        last: bool,
        savepoint: Option<PathBuf>,
        base: Option<u64>,
        now_nanos: u64,
        ask: impl Fn(usize, Barrier),
    ) -> Option<Barrier> {
        let mut state = self.state.lock();
        let running = state
            .ends
            .iter()
            .filter(|end| !matches!(end, End::Finished(_)))
            .count();
        state.next_savepoints.extend(savepoint);
        if running == 0 || state.sealed {
            return None;
        }
        if state.in_flight.is_some() {
            state.stop_wanted |= last;
            return None;
        }
        let barrier = Barrier {
            epoch: state.next,
            last: last || state.stop_wanted,
        };
        let base = base.filter(|base| base + 1 == state.next);
        state.next += 1;
        state.stop_wanted = false;
        state.last_begun_nanos = now_nanos;
        let mut savepoints = std::mem::take(&mut state.next_savepoints);
        let last_savepoint = if barrier.last {
            state.last_savepoint.take()
        } else {
            None
        };
        let stops_with_savepoint = last_savepoint.is_some();
        savepoints.extend(last_savepoint);
        let handed: Vec<Option<Handed>> = state.ends.iter().map(End::handed).collect();
        for (task, _) in handed.iter().enumerate().filter(|(_, handed)| handed.is_none()) {
            ask(task, barrier);
        }
        state.in_flight = Some(InFlight {
            barrier,
            base,
            begun_nanos: now_nanos,
            alignment_nanos: 0,
            handed,
            waiting: running,
            savepoints,
            stops_with_savepoint,
            refusal: None,
            is_taken: false,
        });
        Some(barrier)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.state.lock().in_flight.is_some()
    }

    /// What parts of the epoch under way may be changes of.
    pub(crate) fn base(&self) -> Option<u64> {
        self.state.lock().in_flight.as_ref()?.base
    }

    /// A task has handed over what it holds. The barrier, when it was the last one.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when nobody waits for it.
    pub(crate) fn acknowledged(
        &self,
        task: TaskId,
        epoch: u64,
        parts: HandedParts,
        alignment_nanos: u64,
    ) -> Result<Option<Barrier>> {
        let mut state = self.state.lock();
        let in_flight = state
            .in_flight
            .as_mut()
            .filter(|in_flight| in_flight.barrier.epoch == epoch);
        let Some(in_flight) = in_flight else {
            return Err(internal(format!(
                "task {task} acknowledges epoch {epoch}, which is not under way"
            )));
        };
        let slot = in_flight
            .handed
            .get_mut(task.index())
            .filter(|slot| slot.is_none());
        let Some(slot) = slot else {
            return Err(internal(format!("task {task} acknowledges epoch {epoch} twice")));
        };
        *slot = Some(Handed {
            parts: Some(Arc::new(parts)),
            finished: false,
        });
        in_flight.alignment_nanos = in_flight.alignment_nanos.max(alignment_nanos);
        Ok(self.one_less(in_flight))
    }

    /// A task cannot hand over what it holds, for a reason (JSON): the epoch under way is not written. It is to acknowledge all the same.
    pub(crate) fn refuse(&self, epoch: u64, error: Arc<str>) {
        let mut state = self.state.lock();
        if let Some(in_flight) = state.in_flight.as_mut().filter(|own| own.barrier.epoch == epoch) {
            in_flight.refusal.get_or_insert(error);
        }
    }

    /// Whether an epoch is under way, or one is to begin for a savepoint.
    pub(crate) fn is_awaited(&self) -> bool {
        let state = self.state.lock();
        state.in_flight.is_some() || !state.next_savepoints.is_empty()
    }

    /// What stays of a task that finishes next.
    pub(crate) fn leaves(&self, task: TaskId, parts: HandedParts) {
        if let Some(end) = self.state.lock().ends.get_mut(task.index())
            && !PlantedBug::PositionForgottenAtEnd.is_planted()
        {
            *end = End::Leaves(Arc::new(parts));
        }
    }

    /// A task has finished. The barrier, when it was the last one that the epoch under way waited for.
    pub(crate) fn finished(&self, task: TaskId) -> Option<Barrier> {
        let mut state = self.state.lock();
        let State { ends, in_flight, .. } = &mut *state;
        let end = ends.get_mut(task.index())?;
        let parts = match std::mem::take(end) {
            End::Leaves(parts) | End::Finished(Some(parts)) => Some(parts),
            End::Runs | End::Finished(None) => None,
        };
        *end = End::Finished(parts);
        let in_flight = in_flight.as_mut()?;
        let slot = in_flight
            .handed
            .get_mut(task.index())
            .filter(|slot| slot.is_none() || PlantedBug::EndCountedAsBarrier.is_planted())?;
        *slot = end.handed();
        self.one_less(in_flight)
    }

    /// All tasks have finished.
    pub(crate) fn all_finished(&self) {
        self.state.lock().all_finished = true;
        self.changed.notify_all();
    }

    /// Somebody is to look again.
    pub(crate) fn wake(&self) {
        // Taken once, so that whoever has looked at something else waits by now.
        drop(self.state.lock());
        self.changed.notify_all();
    }

    /// Whether an epoch may be there that an earlier or later process goes on from.
    pub(crate) fn may_be_gone_on_from(&self) -> bool {
        let state = self.state.lock();
        state.counts.completed > 0 || state.in_flight.as_ref().is_some_and(|epoch| epoch.is_taken)
    }

    pub(crate) fn counts(&self) -> (EpochCounts, Option<u64>) {
        let state = self.state.lock();
        let in_flight = state.in_flight.as_ref().map(|in_flight| in_flight.barrier.epoch);
        (state.counts, in_flight)
    }

    /// What there is to do for the writer.
    pub(crate) fn next_work(&self, pace: Pace, now_nanos: u64, may_begin: bool) -> Work {
        let mut state = self.state.lock();
        if let Some(in_flight) = &mut state.in_flight {
            if in_flight.waiting > 0 || in_flight.is_taken {
                return Work::Wait(LONG);
            }
            in_flight.is_taken = true;
            return Work::Write(Box::new(GatheredEpoch {
                barrier: in_flight.barrier,
                base: in_flight.base,
                handed: in_flight.handed.iter().flatten().cloned().collect(),
                begun_nanos: in_flight.begun_nanos,
                alignment_nanos: in_flight.alignment_nanos,
                savepoints: std::mem::take(&mut in_flight.savepoints),
                stops_with_savepoint: in_flight.stops_with_savepoint,
                refusal: in_flight.refusal.take(),
            }));
        }
        if state.all_finished {
            return if state.sealed || !pace.ends_with_epoch {
                Work::Commit
            } else {
                state.begin_last(now_nanos)
            };
        }
        if state.sealed || !may_begin {
            return Work::Wait(LONG);
        }
        if state.stop_wanted {
            return Work::Begin { last: true };
        }
        if !state.next_savepoints.is_empty() {
            return Work::Begin { last: false };
        }
        let Some(interval) = pace.interval_nanos else {
            return Work::Wait(LONG);
        };
        let due = (state.last_begun_nanos.saturating_add(interval))
            .max(state.last_ended_nanos.saturating_add(pace.min_pause_nanos));
        match due.checked_sub(now_nanos) {
            None | Some(0) => Work::Begin { last: false },
            Some(left) => Work::Wait(Duration::from_nanos(left).min(LOOK)),
        }
    }

    /// Waits until something may have changed; not at all when `is_over`.
    pub(crate) fn wait(&self, timeout: Duration, is_over: impl Fn() -> bool) {
        let state = self.state.lock();
        let is_ready = state
            .in_flight
            .as_ref()
            .map_or(state.all_finished || state.stop_wanted, |epoch| {
                epoch.waiting == 0
            });
        if is_over() || is_ready {
            return;
        }
        drop(self.changed.wait_timeout(state, timeout));
    }

    /// An epoch is durable (so many bytes), or has failed.
    pub(crate) fn written(&self, epoch: &GatheredEpoch, bytes: Option<u64>, now_nanos: u64) -> u64 {
        let mut state = self.state.lock();
        state.in_flight = None;
        state.last_ended_nanos = now_nanos;
        let duration_nanos = now_nanos.saturating_sub(epoch.begun_nanos);
        if let Some(bytes) = bytes {
            state.sealed |= epoch.barrier.last;
            let counts = &mut state.counts;
            counts.completed += 1;
            counts.last_epoch = epoch.barrier.epoch;
            counts.last_bytes = bytes;
            counts.last_duration_nanos = duration_nanos;
            counts.last_alignment_nanos = epoch.alignment_nanos;
        } else {
            state.counts.failed += 1;
        }
        duration_nanos
    }

    fn one_less(&self, in_flight: &mut InFlight) -> Option<Barrier> {
        in_flight.waiting -= 1;
        if in_flight.waiting > 0 {
            return None;
        }
        self.changed.notify_all();
        Some(in_flight.barrier)
    }
}

impl State {
    /// The epoch of a job whose tasks have all finished: nobody is asked.
    fn begin_last(&mut self, now_nanos: u64) -> Work {
        let barrier = Barrier {
            epoch: self.next,
            last: true,
        };
        self.next += 1;
        let mut savepoints = std::mem::take(&mut self.next_savepoints);
        let last_savepoint = self.last_savepoint.take();
        let stops_with_savepoint = last_savepoint.is_some();
        savepoints.extend(last_savepoint);
        let handed: Vec<Option<Handed>> = self.ends.iter().map(End::handed).collect();
        self.in_flight = Some(InFlight {
            barrier,
            base: None,
            begun_nanos: now_nanos,
            alignment_nanos: 0,
            handed: handed.clone(),
            waiting: 0,
            savepoints: Vec::new(),
            stops_with_savepoint,
            refusal: None,
            is_taken: true,
        });
        Work::WriteLast(Box::new(GatheredEpoch {
            barrier,
            base: None,
            handed: handed.into_iter().flatten().collect(),
            begun_nanos: now_nanos,
            alignment_nanos: 0,
            savepoints,
            stops_with_savepoint,
            refusal: None,
        }))
    }
}

impl End {
    fn handed(&self) -> Option<Handed> {
        match self {
            Self::Finished(parts) => Some(Handed {
                parts: parts.clone(),
                finished: true,
            }),
            Self::Runs | Self::Leaves(_) => None,
        }
    }
}
