//! Every interleaving (within a preemption bound) of two isolates whose tasks are joined by a channel: the wakers of the channel
//! are the tasks' slots, as in a job, so that credit, hand-over and rest are explored together.
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p sage-queue --release --test 'loom_*'`.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread;
use sage_queue::{Channel, Credited, EndKind, Limits, Next, Peek, Pop, ReadySlot, RunQueue};
use sage_types::TaskId;

const ONE_DAY: Duration = Duration::from_secs(86_400);

struct Item;

impl Credited for Item {
    fn credit_rows(&self) -> u64 {
        1
    }

    fn credit_bytes(&self) -> u64 {
        8
    }
}

/// One task in an isolate of its own.
struct Side {
    queue: Arc<RunQueue>,
    slot: Arc<ReadySlot>,
}

impl Side {
    fn new(task: u32) -> Self {
        let queue = Arc::new(RunQueue::new());
        let slot = Arc::new(ReadySlot::new(TaskId(task), Arc::clone(&queue)));
        Self { queue, slot }
    }

    /// What an isolate does until its task has ended: claims it when it is ready, works once, gives it back, or lets it
    /// rest when it is not ready.
    fn run(&self, is_ready: impl Fn() -> bool, mut works: impl FnMut() -> bool) {
        loop {
            // A lost wake-up would sleep here for ever, which loom reports as a deadlock.
            let Next::Task(_) = self.queue.pop(ONE_DAY) else {
                return;
            };
            assert!(self.slot.claim(), "the task was in the queue twice");
            if !is_ready() {
                self.slot.rest();
                continue;
            }
            if !works() {
                self.slot.retire();
                return;
            }
            if is_ready() {
                self.slot.requeue();
            } else {
                self.slot.rest();
            }
        }
    }
}

/// Sends `rows` records from a source in one isolate to a task in another, over a channel that holds `max_rows`.
fn transfer(rows: u64, max_rows: u64) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let (source, sink) = (Side::new(0), Side::new(1));
        let limits = Limits {
            max_rows,
            max_bytes: 1 << 20,
        };
        let channel = Arc::new(Channel::new(
            limits,
            Arc::clone(&sink.slot) as _,
            Arc::clone(&source.slot) as _,
        ));
        let sending = Arc::clone(&channel);
        // The job rings its sources when it starts.
        sage_queue::Waker::wake(&*source.slot);
        let sender = thread::spawn(move || {
            let mut left = rows;
            source.run(
                || sending.has_credit(),
                || {
                    if left == 0 {
                        sending.end(EndKind::Drained);
                        return false;
                    }
                    left -= 1;
                    sending.push_over(Item).is_ok()
                },
            );
        });
        let (mut received, mut ended) = (0, None);
        sink.run(
            || channel.peek() != Peek::Empty,
            || match channel.try_pop() {
                Pop::Item(_) => {
                    received += 1;
                    true
                }
                Pop::Ended(kind) => {
                    ended = Some(kind);
                    false
                }
                Pop::Empty | Pop::Closed => true,
            },
        );
        sender.join().unwrap();
        assert_eq!((received, ended), (rows, Some(EndKind::Drained)));
    });
}

#[test]
fn a_task_without_credit_rests_and_is_handed_out_again() {
    transfer(2, 1);
}

#[test]
fn credit_that_comes_back_at_half_wakes_the_task_above() {
    transfer(3, 2);
}
