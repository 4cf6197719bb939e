//! Tasks that sleep until their isolate comes, if it ever does.
//!
//! A dormant task gets no records and is in nobody's way: its isolate need not be attached for the job to start, and it
//! ends by itself when its input has and nothing waits for the other instances. It sleeps until then, or until its isolate
//! polls for the first time, whichever comes first; both are decided under the job's status lock. When it wakes it takes
//! over half of what waits for another instance: all of the input may be there.

use std::sync::atomic::Ordering;

use sage_types::TaskId;

use crate::edge::SplitFrame;
use crate::job_core::{JobCore, internal};
use crate::status::{Status, Wakefulness};
use crate::task::{Task, split_frame};

impl JobCore {
    /// Wakes the dormant tasks of an isolate that is ready to run them, once.
    pub(crate) fn wake_tasks_of(&self, place: usize) {
        let isolate = &self.isolates[place];
        // Looked at with every poll: a load is all that it costs.
        if !isolate.wakes_tasks.load(Ordering::Acquire) || !isolate.wakes_tasks.swap(false, Ordering::AcqRel)
        {
            return;
        }
        let mut woken = Vec::new();
        let mut status = self.status.lock();
        for task in &self.tasks {
            let id = task.plan.id.index();
            if status.wakefulness[id] == Wakefulness::Dormant && task.isolate_place() == Some(place) {
                status.wakefulness[id] = Wakefulness::Awake;
                // Before anything is dealt to it: what it takes over is older.
                self.share_queue_with(task, &status);
                self.deal_to(task.plan.id);
                woken.push(task);
            }
        }
        drop(status);
        for task in woken {
            // Some of its input may have ended while it slept; and who waited for credit has some now.
            task.doorbell.ring();
            for edge in self
                .graph
                .edges
                .iter()
                .filter(|edge| edge.to_task == task.plan.id)
            {
                self.tasks[edge.from_task.index()].doorbell.ring();
            }
        }
    }

    /// Ends the tasks behind and beside `task`, whose end markers have just been sent, that still sleep and get nothing any
    /// more.
    pub(crate) fn end_dormant_around(&self, task: &Task) {
        for id in self
            .dormant_behind(task)
            .into_iter()
            .chain(self.dormant_beside(task))
        {
            if self.input_ended_asleep(id)
                && let Ok(task) = self.task(id)
            {
                self.finish_task(task);
            }
        }
    }

    /// With the status lock held: half of what each upstream task has sent to the instance with the most in its queue.
    fn share_queue_with(&self, task: &Task, status: &Status) {
        let split: SplitFrame<'_> = &|frame, rows| split_frame(frame, rows, &self.registry);
        let awake = |id: TaskId| status.wakefulness[id.index()] == Wakefulness::Awake;
        for own in self
            .graph
            .edges
            .iter()
            .filter(|edge| edge.to_task == task.plan.id)
        {
            let beside = self.graph.edges.iter().filter(|edge| {
                edge.from_task == own.from_task
                    && edge.from_output == own.from_output
                    && task.siblings.contains(&edge.to_task)
                    && awake(edge.to_task)
            });
            let fullest = beside
                .map(|edge| &self.edges[edge.id.index()])
                .max_by_key(|edge| edge.len_rows());
            let Some(fullest) = fullest else { continue };
            for frame in fullest.take_back(fullest.len_rows() / 2, split) {
                self.edges[own.id.index()].adopt(frame);
            }
        }
    }

    /// With the status lock held: the outputs that lead to a task reckon with it.
    fn deal_to(&self, id: TaskId) {
        let target = self.graph.tasks[id.index()].instance as usize;
        for edge in self.graph.edges.iter().filter(|edge| edge.to_task == id) {
            self.tasks[edge.from_task.index()].outputs[edge.from_output as usize].wake(target);
        }
    }

    fn dormant_behind(&self, task: &Task) -> Vec<TaskId> {
        let behind = self
            .graph
            .edges
            .iter()
            .filter(|edge| edge.from_task == task.plan.id)
            .map(|edge| edge.to_task);
        behind.filter(|id| self.graph.tasks[id.index()].dormant).collect()
    }

    fn dormant_beside(&self, task: &Task) -> Vec<TaskId> {
        let beside = task.siblings.iter().copied();
        beside.filter(|id| self.graph.tasks[id.index()].dormant).collect()
    }

    /// Whether a task still sleeps and all of its stage's input has ended and is taken. The caller, and nobody else, finishes it then.
    fn input_ended_asleep(&self, id: TaskId) -> bool {
        let mut status = self.status.lock();
        if status.wakefulness[id.index()] != Wakefulness::Dormant {
            return false;
        }
        let task = &self.tasks[id.index()];
        if task.inputs.has_frames() {
            drop(status);
            self.fail(&internal(format!("task {id} was sent records while it slept")));
            return false;
        }
        let is_taken = |id: &TaskId| !self.tasks[id.index()].inputs.has_frames();
        let Some(kind) = task.inputs.ended().filter(|_| task.siblings.iter().all(is_taken)) else {
            return false;
        };
        task.deliver_end(kind);
        status.wakefulness[id.index()] = Wakefulness::EndedAsleep;
        true
    }
}
