//! What an isolate's queue and its parking promise; the interleavings are in `loom_run_queue.rs`.
#![cfg(not(loom))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sage_queue::{Next, Parked, Parker, ReadySlot, Rest, RunQueue, Waker};
use sage_types::TaskId;

fn slots(count: u32) -> (Arc<RunQueue>, Vec<ReadySlot>) {
    let queue = Arc::new(RunQueue::new());
    let slots = (0..count)
        .map(|task| ReadySlot::new(TaskId(task), Arc::clone(&queue)))
        .collect();
    (queue, slots)
}

fn pop(queue: &RunQueue) -> Next {
    queue.pop(Duration::ZERO)
}

#[test]
fn tasks_come_in_the_order_of_their_events_and_each_once() {
    let (queue, slots) = slots(3);
    for index in [2, 0, 2, 1, 0] {
        slots[index].wake();
    }
    assert_eq!(pop(&queue), Next::Task(TaskId(2)));
    assert_eq!(pop(&queue), Next::Task(TaskId(0)));
    assert_eq!(pop(&queue), Next::Task(TaskId(1)));
    assert_eq!(pop(&queue), Next::Idle);
}

#[test]
fn an_event_while_a_task_is_in_hand_brings_it_back_afterwards() {
    let (queue, slots) = slots(1);
    slots[0].wake();
    pop(&queue);
    assert!(slots[0].claim());
    slots[0].wake();
    assert_eq!(pop(&queue), Next::Idle, "not handed out twice");
    assert_eq!(slots[0].rest(), Rest::Queued);
    assert_eq!(pop(&queue), Next::Task(TaskId(0)));
    assert!(slots[0].claim());
    assert_eq!(slots[0].rest(), Rest::Idle);
}

#[test]
fn a_task_with_more_to_do_goes_behind_the_others() {
    let (queue, slots) = slots(2);
    slots[0].wake();
    pop(&queue);
    slots[0].claim();
    slots[1].wake();
    slots[0].requeue();
    assert_eq!(pop(&queue), Next::Task(TaskId(1)));
    assert_eq!(pop(&queue), Next::Task(TaskId(0)));
}

#[test]
fn a_retired_task_is_never_queued_again() {
    let (queue, slots) = slots(1);
    slots[0].wake();
    pop(&queue);
    slots[0].claim();
    slots[0].retire();
    slots[0].wake();
    slots[0].requeue();
    slots[0].rest();
    assert_eq!(pop(&queue), Next::Idle);
}

#[test]
fn the_hook_is_called_once_per_edge_and_only_after_an_idle_poll() {
    let (queue, slots) = slots(2);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    queue.set_hook(Some(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    })));
    slots[0].wake();
    assert_eq!(
        calls.load(Ordering::SeqCst),
        0,
        "nobody was told that there is nothing"
    );
    pop(&queue);
    slots[0].claim();
    slots[0].rest();
    assert_eq!(pop(&queue), Next::Idle);
    slots[0].wake();
    slots[1].wake();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_held_queue_keeps_its_tasks_and_tells_when_it_lets_go() {
    let (queue, slots) = slots(1);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    queue.set_hook(Some(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    })));
    queue.hold();
    slots[0].wake();
    assert_eq!(pop(&queue), Next::Idle);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    queue.release_hold();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(pop(&queue), Next::Task(TaskId(0)));
}

#[test]
fn a_closed_queue_is_over_for_good() {
    let (queue, slots) = slots(1);
    slots[0].wake();
    queue.close();
    assert_eq!(pop(&queue), Next::Over);
    assert_eq!(queue.pop(Duration::from_secs(60)), Next::Over);
}

#[test]
fn a_waiting_isolate_is_woken_by_an_event_of_another_thread() {
    let (queue, slots) = slots(1);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| queue.pop(Duration::from_secs(60)));
        slots[0].wake();
        assert_eq!(waiting.join().unwrap(), Next::Task(TaskId(0)));
    });
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let (queue, _) = slots(1);
    let (started, wait) = (std::time::Instant::now(), Duration::from_millis(3));
    assert_eq!(queue.pop(wait), Next::Idle);
    assert!(started.elapsed() >= wait, "and not before");
}

#[test]
fn a_wake_up_before_the_wait_is_kept() {
    let parker = Parker::new();
    parker.wake();
    parker.wake();
    assert_eq!(parker.park(Duration::from_secs(60)), Parked::Woken);
    assert_eq!(parker.park(Duration::ZERO), Parked::TimedOut);
    assert_eq!(parker.park(Duration::from_millis(1)), Parked::TimedOut);
}

#[test]
fn a_closed_parker_never_waits() {
    let parker = Parker::new();
    parker.close();
    assert_eq!(parker.park(Duration::from_secs(60)), Parked::Closed);
    assert_eq!(parker.park(Duration::from_secs(60)), Parked::Closed);
}

#[test]
fn a_parker_that_is_closed_while_somebody_waits_lets_go() {
    let parker = Parker::new();
    assert!(!parker.is_closed());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            // Slices that are over say nothing.
            std::iter::repeat_with(|| parker.park(Duration::from_secs(60)))
                .find(|parked| *parked != Parked::TimedOut)
        });
        parker.close();
        assert_eq!(waiting.join().unwrap(), Some(Parked::Closed));
    });
    assert!(parker.is_closed());
}

#[test]
fn a_task_is_in_hand_from_its_claim_until_it_is_given_back() {
    let (queue, slots) = slots(2);
    let slot = &slots[1];
    assert!(!slot.is_running() && !slot.claim(), "nobody has queued it");
    slot.wake();
    assert!(!slot.is_running());
    assert_eq!(pop(&queue), Next::Task(TaskId(1)));
    assert!(slot.claim() && slot.is_running());
    slot.wake();
    assert!(slot.is_running(), "an event does not take it out of the hands");
    assert_eq!(slot.rest(), Rest::Queued);
    assert!(!slot.is_running());
    assert_eq!(slot.task(), TaskId(1));
}

#[test]
fn a_nudge_calls_the_hook_of_an_owner_that_was_told_that_there_is_nothing() {
    let (queue, _) = slots(1);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    queue.set_hook(Some(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    })));
    queue.nudge();
    assert_eq!(calls.load(Ordering::SeqCst), 0, "it looks by itself");
    assert_eq!(pop(&queue), Next::Idle);
    queue.nudge();
    queue.nudge();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
