//! Tasks that sleep until their isolate comes, if it ever does.
//!
//! A dormant task gets no records and is in nobody's way: its isolate need not be attached for the job to start, and it
//! ends by itself when its input has. It sleeps until its isolate polls for the first time, or its input has ended,
//! whichever comes first; both are decided under the job's status lock.

use std::sync::atomic::Ordering;

use sage_types::TaskId;

use crate::inputs::Found;
use crate::job_core::{JobCore, internal};
use crate::status::Wakefulness;
use crate::task::Task;

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

    /// Ends the tasks behind `task`, whose end markers have just been sent, that still sleep and get nothing any more.
    pub(crate) fn end_dormant_behind(&self, task: &Task) {
        for id in self.dormant_behind(task) {
            if self.input_ended_asleep(id)
                && let Ok(task) = self.task(id)
            {
                self.finish_task(task);
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

    /// Whether a task still sleeps and all of its input has ended. The caller, and nobody else, finishes it then.
    fn input_ended_asleep(&self, id: TaskId) -> bool {
        let mut status = self.status.lock();
        if status.wakefulness[id.index()] != Wakefulness::Dormant {
            return false;
        }
        let task = &self.tasks[id.index()];
        match task.inputs.next() {
            Found::AllEnded(kind) => {
                task.deliver_end(kind);
                status.wakefulness[id.index()] = Wakefulness::EndedAsleep;
                true
            }
            Found::Nothing => false,
            Found::Frame(arrival) => {
                task.inputs.put_back(arrival);
                drop(status);
                self.fail(&internal(format!("task {id} was sent records while it slept")));
                false
            }
        }
    }
}
