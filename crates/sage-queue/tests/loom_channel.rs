//! Every interleaving (within a preemption bound) of a producer, a consumer and a closer on one channel.
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p sage-queue --release --test 'loom_*'`.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread;
use sage_queue::{Channel, Credited, EndKind, Limits, Parker, Pop, PushError};

#[derive(Debug, PartialEq, Eq)]
struct Item(u64);

impl Credited for Item {
    fn credit_rows(&self) -> u64 {
        1
    }

    fn credit_bytes(&self) -> u64 {
        8
    }
}

struct Setup {
    channel: Arc<Channel<Item>>,
    producer: Arc<Parker>,
    consumer: Arc<Parker>,
}

fn channel(max_rows: u64) -> Setup {
    let producer = Arc::new(Parker::new());
    let consumer = Arc::new(Parker::new());
    let limits = Limits {
        max_rows,
        max_bytes: 1024,
    };
    let channel = Arc::new(Channel::new(
        limits,
        Arc::clone(&consumer) as _,
        Arc::clone(&producer) as _,
    ));
    Setup {
        channel,
        producer,
        consumer,
    }
}

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Pushes 0..count, waiting for credit; `false` when the channel was closed.
fn produce(setup_channel: &Channel<Item>, parker: &Parker, count: u64) -> bool {
    for n in 0..count {
        let mut item = Item(n);
        loop {
            match setup_channel.try_push(item) {
                Ok(()) => break,
                Err(PushError::Full(back)) => {
                    item = back;
                    parker.park(Duration::MAX);
                }
                Err(PushError::Closed(_)) => return false,
            }
        }
    }
    setup_channel.end(EndKind::Drained);
    true
}

/// Pops until the end; `None` when the channel was closed.
fn consume(channel: &Channel<Item>, parker: &Parker) -> Option<Vec<u64>> {
    let mut seen = Vec::new();
    loop {
        match channel.try_pop() {
            Pop::Item(Item(n)) => seen.push(n),
            Pop::Empty => {
                parker.park(Duration::MAX);
            }
            Pop::Ended(kind) => {
                assert_eq!(kind, EndKind::Drained);
                return Some(seen);
            }
            Pop::Closed => return None,
        }
    }
}

#[test]
fn a_full_channel_loses_no_item_and_no_wake_up() {
    explore(|| {
        let Setup {
            channel,
            producer,
            consumer,
        } = channel(1);
        let pushing = Arc::clone(&channel);
        let handle = thread::spawn(move || produce(&pushing, &producer, 2));
        let seen = consume(&channel, &consumer);
        assert!(handle.join().unwrap());
        assert_eq!(seen, Some(vec![0, 1]));
        let counts = channel.counts();
        assert_eq!((counts.sent_rows, counts.received_rows), (2, 2));
    });
}

#[test]
fn the_producer_wakes_up_below_half_of_a_larger_channel() {
    explore(|| {
        let Setup {
            channel,
            producer,
            consumer,
        } = channel(2);
        let pushing = Arc::clone(&channel);
        let handle = thread::spawn(move || produce(&pushing, &producer, 3));
        let seen = consume(&channel, &consumer);
        assert!(handle.join().unwrap());
        assert_eq!(seen, Some(vec![0, 1, 2]));
    });
}

#[test]
fn a_close_from_a_third_thread_lets_both_sides_go() {
    explore(|| {
        let Setup {
            channel,
            producer,
            consumer,
        } = channel(1);
        let pushing = Arc::clone(&channel);
        let producing = thread::spawn(move || produce(&pushing, &producer, 2));
        let closing = Arc::clone(&channel);
        let closer = thread::spawn(move || closing.close());
        let seen = consume(&channel, &consumer);
        let all_pushed = producing.join().unwrap();
        closer.join().unwrap();
        // Whoever saw the end before the close saw everything.
        if let Some(seen) = seen {
            assert!(all_pushed);
            assert_eq!(seen, vec![0, 1]);
        }
        assert_eq!(channel.try_pop(), Pop::Closed);
        assert_eq!((channel.len_rows(), channel.len_bytes()), (0, 0));
    });
}

/// Items of these models have one row: none is divided.
fn whole(_: &Item, _: u64) -> Option<(Item, Item)> {
    None
}

/// One that has woken takes over what waits for another consumer, while that one takes and the producer sends and ends:
/// each item comes out once, in one of the two, in order, and nobody waits for ever.
#[test]
fn what_is_taken_back_goes_to_another_consumer_once() {
    explore(|| {
        let first = channel(2);
        let second = channel(2);
        let pushing = [Arc::clone(&first.channel), Arc::clone(&second.channel)];
        let producer = Arc::clone(&first.producer);
        let producing = thread::spawn(move || {
            let all = produce(&pushing[0], &producer, 3);
            pushing[1].end(EndKind::Drained);
            all
        });
        let from = Arc::clone(&first.channel);
        let waking = thread::spawn(move || {
            for item in from.take_back(1, whole) {
                second.channel.adopt(item).unwrap();
            }
            consume(&second.channel, &second.consumer)
        });

        let stayed = consume(&first.channel, &first.consumer).unwrap();

        assert!(producing.join().unwrap());
        let moved = waking.join().unwrap().unwrap();
        assert!(moved.len() <= 1);
        assert!(stayed.is_sorted());
        let mut all = [stayed, moved].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
        let counts = first.channel.counts();
        assert_eq!(counts.sent_rows, counts.received_rows);
    });
}
