//! Every interleaving (within a preemption bound) of events and an isolate: no lost wake-up, never handed out twice, and
//! the hook called once per empty to non-empty edge.
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p sage-queue --release --test 'loom_*'`.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use sage_queue::{Next, Parker, ReadySlot, RunQueue, Waker};
use sage_types::TaskId;

const ONE_DAY: Duration = Duration::from_secs(86_400);

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A task with work that other threads bring.
struct Job {
    slot: ReadySlot,
    work: AtomicUsize,
}

impl Job {
    fn new(task: u32, queue: &Arc<RunQueue>) -> Arc<Self> {
        Arc::new(Self {
            slot: ReadySlot::new(TaskId(task), Arc::clone(queue)),
            work: AtomicUsize::new(0),
        })
    }

    fn bring(&self) {
        self.work.fetch_add(1, Ordering::SeqCst);
        self.slot.wake();
    }

    /// What an isolate does with a task that it was handed: claims, looks, works, gives back.
    fn run(&self) -> usize {
        assert!(self.slot.claim(), "the task was in the queue twice");
        let done = self.work.swap(0, Ordering::SeqCst);
        self.slot.rest();
        done
    }
}

#[test]
fn a_sleeping_isolate_gets_all_work_of_two_threads() {
    explore(|| {
        let queue = Arc::new(RunQueue::new());
        let job = Job::new(0, &queue);
        let bringers: Vec<_> = (0..2)
            .map(|_| {
                let job = Arc::clone(&job);
                thread::spawn(move || job.bring())
            })
            .collect();
        let mut done = 0;
        while done < 2 {
            // A lost wake-up would sleep here for ever, which loom reports as a deadlock.
            assert_eq!(queue.pop(ONE_DAY), Next::Task(TaskId(0)));
            done += job.run();
        }
        for bringer in bringers {
            bringer.join().unwrap();
        }
        assert_eq!(done, 2);
    });
}

#[test]
fn an_isolate_that_lives_on_its_hook_gets_all_work_and_one_call_per_edge() {
    explore(|| {
        let queue = Arc::new(RunQueue::new());
        let event_loop = Arc::new(Parker::new());
        let calls = Arc::new(AtomicUsize::new(0));
        let (counted, woken) = (Arc::clone(&calls), Arc::clone(&event_loop));
        queue.set_hook(Some(Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            woken.wake();
        })));
        let jobs = [Job::new(0, &queue), Job::new(1, &queue)];
        let bringers: Vec<_> = jobs
            .iter()
            .map(|job| {
                let job = Arc::clone(job);
                thread::spawn(move || job.bring())
            })
            .collect();
        let (mut done, mut idles) = (0, 0);
        while done < 2 {
            match queue.pop(Duration::ZERO) {
                Next::Task(task) => done += jobs[task.index()].run(),
                Next::Idle => {
                    idles += 1;
                    event_loop.park(ONE_DAY);
                }
                Next::Over => unreachable!("nobody closes the queue"),
            }
        }
        for bringer in bringers {
            bringer.join().unwrap();
        }
        assert!(
            calls.load(Ordering::SeqCst) <= idles,
            "the hook was called without an idle poll before it"
        );
        queue.set_hook(None);
    });
}

#[test]
fn work_that_comes_while_the_task_is_held_back_is_not_lost() {
    explore(|| {
        let queue = Arc::new(RunQueue::new());
        let job = Job::new(0, &queue);
        queue.hold();
        let bringing = Arc::clone(&job);
        let bringer = thread::spawn(move || bringing.bring());
        let releasing = Arc::clone(&queue);
        let releaser = thread::spawn(move || releasing.release_hold());
        assert_eq!(queue.pop(ONE_DAY), Next::Task(TaskId(0)));
        assert_eq!(job.run(), 1);
        bringer.join().unwrap();
        releaser.join().unwrap();
    });
}

#[test]
fn a_close_wakes_a_sleeping_isolate_and_calls_the_hook() {
    explore(|| {
        let queue = Arc::new(RunQueue::new());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        queue.set_hook(Some(Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        })));
        let closing = Arc::clone(&queue);
        let closer = thread::spawn(move || closing.close());
        assert_eq!(queue.pop(ONE_DAY), Next::Over);
        closer.join().unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        queue.set_hook(None);
    });
}
