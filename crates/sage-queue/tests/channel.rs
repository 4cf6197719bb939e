//! What one physical edge promises.
#![cfg(not(loom))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sage_queue::{Channel, Credited, EndKind, Limits, NoWaker, Peek, Pop, PushError, Waker};

#[derive(Debug, PartialEq, Eq)]
struct Item {
    rows: u64,
    bytes: u64,
    /// Says how far event time is, and nothing else.
    time: Option<u64>,
}

impl Credited for Item {
    fn credit_rows(&self) -> u64 {
        self.rows
    }

    fn credit_bytes(&self) -> u64 {
        self.bytes
    }

    fn supersedes(&self, older: &Self) -> bool {
        self.time.is_some() && older.time.is_some()
    }
}

fn item(rows: u64) -> Item {
    Item {
        rows,
        bytes: rows * 10,
        time: None,
    }
}

fn time(time: u64) -> Item {
    Item {
        rows: 0,
        bytes: 4,
        time: Some(time),
    }
}

/// Divides an item behind so many rows.
#[expect(clippy::unnecessary_wraps, reason = "the form that channels want")]
fn divide(whole: &Item, rows: u64) -> Option<(Item, Item)> {
    Some((item(rows), item(whole.rows - rows)))
}

#[derive(Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn rings(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Waker for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn channel(max_rows: u64, max_bytes: u64) -> (Channel<Item>, Arc<Bell>, Arc<Bell>) {
    let (consumer, producer) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
    let limits = Limits { max_rows, max_bytes };
    (
        Channel::new(limits, Arc::clone(&consumer) as _, Arc::clone(&producer) as _),
        consumer,
        producer,
    )
}

#[test]
fn items_come_out_in_the_order_in_which_they_went_in() {
    let (channel, ..) = channel(100, 1000);
    for rows in 1..=3 {
        channel.try_push(item(rows)).unwrap();
    }
    channel.end(EndKind::Stopped);
    assert_eq!(channel.try_pop(), Pop::Item(item(1)));
    assert_eq!(channel.peek(), Peek::Item);
    assert_eq!(channel.try_pop(), Pop::Item(item(2)));
    assert_eq!(channel.try_pop(), Pop::Item(item(3)));
    assert_eq!(channel.try_pop(), Pop::Ended(EndKind::Stopped));
    assert_eq!(channel.peek(), Peek::Ended(EndKind::Stopped));
}

#[test]
fn rows_and_bytes_both_limit_a_channel() {
    let (by_rows, ..) = channel(3, 1_000_000);
    by_rows.try_push(item(3)).unwrap();
    assert_eq!(by_rows.try_push(item(1)), Err(PushError::Full(item(1))));

    let (by_bytes, ..) = channel(1_000_000, 30);
    by_bytes.try_push(item(3)).unwrap();
    assert_eq!(by_bytes.try_push(item(1)), Err(PushError::Full(item(1))));
}

#[test]
fn an_over_large_item_passes_when_there_was_credit() {
    let (channel, ..) = channel(10, 1000);
    channel.try_push(item(9)).unwrap();
    assert!(channel.has_credit());
    channel.try_push(item(5000)).unwrap();
    assert!(!channel.has_credit());
    assert_eq!(channel.len_rows(), 5009);
    assert_eq!(channel.len_bytes(), 50_090);
}

#[test]
fn what_was_computed_before_the_credit_ran_out_still_goes_in() {
    let (channel, ..) = channel(10, 1000);
    assert_eq!(channel.push_over(item(4)), Ok(true));
    assert_eq!(channel.push_over(item(6)), Ok(false));
    assert_eq!(channel.push_over(item(7)), Ok(false));
    assert_eq!(channel.len_rows(), 17);
}

#[test]
fn the_consumer_is_woken_on_the_first_item_and_on_the_end_only() {
    let (channel, consumer, producer) = channel(100, 1000);
    channel.try_push(item(1)).unwrap();
    channel.try_push(item(1)).unwrap();
    assert_eq!(consumer.rings(), 1);
    channel.try_pop();
    channel.try_pop();
    channel.try_push(item(1)).unwrap();
    assert_eq!(consumer.rings(), 2);
    channel.end(EndKind::Drained);
    channel.end(EndKind::Drained);
    assert_eq!(consumer.rings(), 3);
    assert_eq!(producer.rings(), 0);
}

#[test]
fn the_producer_is_woken_once_when_a_full_channel_falls_to_half() {
    let (channel, _, producer) = channel(10, 1000);
    for _ in 0..10 {
        channel.try_push(item(1)).unwrap();
    }
    for _ in 0..4 {
        channel.try_pop();
    }
    assert_eq!(producer.rings(), 0, "six of ten rows: more than half");
    channel.try_pop();
    assert_eq!(producer.rings(), 1);
    while channel.try_pop() != Pop::Empty {}
    assert_eq!(producer.rings(), 1);
}

#[test]
fn a_channel_that_was_never_full_does_not_wake_its_producer() {
    let (channel, _, producer) = channel(10, 1000);
    for _ in 0..100 {
        channel.try_push(item(9)).unwrap();
        channel.try_pop();
    }
    assert_eq!(producer.rings(), 0);
}

#[test]
fn a_close_drops_what_is_queued_and_wakes_both_sides() {
    let (channel, consumer, producer) = channel(10, 1000);
    channel.try_push(item(10)).unwrap();
    let before = consumer.rings();
    assert!(!channel.is_closed());
    channel.close();
    channel.close();
    assert!(channel.is_closed());
    assert_eq!((consumer.rings() - before, producer.rings()), (1, 1));
    assert_eq!(channel.try_pop(), Pop::Closed);
    assert_eq!(channel.try_push(item(1)), Err(PushError::Closed(item(1))));
    assert_eq!((channel.len_rows(), channel.len_bytes()), (0, 0));
    assert!(!channel.has_credit());
    channel.end(EndKind::Drained);
    assert_eq!(
        channel.try_pop(),
        Pop::Closed,
        "an end after the close says nothing"
    );
}

#[test]
fn nothing_goes_in_after_the_end() {
    let (channel, ..) = channel(10, 1000);
    channel.end(EndKind::Drained);
    assert_eq!(channel.try_push(item(1)), Err(PushError::Closed(item(1))));
    assert_eq!(channel.push_over(item(1)), Err(PushError::Closed(item(1))));
}

#[test]
fn only_as_many_rows_as_are_wanted_are_taken_of_an_item_and_the_rest_stays_the_oldest() {
    let (channel, ..) = channel(100, 10_000);
    channel.try_push(item(5)).unwrap();
    channel.try_push(item(1)).unwrap();

    let taken: Vec<_> = (0..4).map(|_| channel.try_pop_part(2, divide)).collect();

    assert_eq!(taken, [2, 2, 1, 1].map(|rows| Pop::Item(item(rows))));
    let counts = channel.counts();
    assert_eq!((counts.sent_rows, counts.received_rows), (6, 6));
    assert_eq!((counts.sent_bytes, counts.received_bytes), (60, 60));
    assert_eq!((counts.sent_batches, counts.received_batches), (4, 4));
    assert_eq!((channel.len_rows(), channel.len_bytes()), (0, 0));
}

#[test]
fn an_item_that_cannot_be_divided_is_taken_whole_and_is_not_taken_back() {
    let (channel, ..) = channel(100, 10_000);
    channel.try_push(item(5)).unwrap();
    assert_eq!(channel.take_back(2, |_, _| None), []);
    assert_eq!(channel.try_pop_part(2, |_, _| None), Pop::Item(item(5)));
}

#[test]
fn the_youngest_rows_are_taken_back_oldest_first_as_if_they_had_never_been_sent() {
    let (from, _, producer) = channel(10, 1000);
    for rows in [3, 4, 3] {
        from.try_push(item(rows)).unwrap();
    }

    assert_eq!(from.take_back(5, divide), [item(2), item(3)]);

    let counts = from.counts();
    assert_eq!(
        (counts.sent_rows, counts.sent_bytes, counts.sent_batches),
        (5, 50, 2)
    );
    assert_eq!((from.len_rows(), from.len_bytes()), (5, 50));
    assert_eq!(producer.rings(), 1, "five of ten rows: there is credit again");
    assert_eq!(
        [from.try_pop(), from.try_pop(), from.try_pop()],
        [Pop::Item(item(3)), Pop::Item(item(2)), Pop::Empty]
    );
}

#[test]
fn what_was_taken_back_can_be_given_to_a_channel_that_has_ended_but_not_to_a_closed_one() {
    let (channel, consumer, _) = channel(10, 1000);
    channel.end(EndKind::Drained);
    let before = consumer.rings();
    channel.adopt(item(2)).unwrap();
    assert_eq!(consumer.rings() - before, 1);
    assert_eq!(channel.try_pop(), Pop::Item(item(2)));
    assert_eq!(channel.try_pop(), Pop::Ended(EndKind::Drained));
    channel.close();
    assert_eq!(channel.adopt(item(2)), Err(PushError::Closed(item(2))));
}

#[test]
fn a_producer_is_not_forgotten_when_the_parts_of_an_item_have_more_bytes_than_the_whole_had() {
    let (channel, _, producer) = channel(100, 100);
    channel.try_push(Item { bytes: 90, ..item(4) }).unwrap();
    assert!(channel.has_credit());

    let grown = |_: &Item, _| {
        Some((
            Item { bytes: 60, ..item(1) },
            Item {
                bytes: 110,
                ..item(3)
            },
        ))
    };
    channel.try_pop_part(1, grown);

    assert_eq!((channel.has_credit(), producer.rings()), (false, 0));
    channel.try_pop();
    assert_eq!((channel.has_credit(), producer.rings()), (true, 1));
}

#[test]
fn both_sides_are_counted() {
    let (channel, ..) = channel(100, 10_000);
    channel.try_push(item(3)).unwrap();
    channel.try_push(item(4)).unwrap();
    channel.try_pop();
    let counts = channel.counts();
    assert_eq!(
        (counts.sent_rows, counts.sent_batches, counts.sent_bytes),
        (7, 2, 70)
    );
    assert_eq!(
        (
            counts.received_rows,
            counts.received_batches,
            counts.received_bytes
        ),
        (3, 1, 30)
    );
}

#[test]
fn limits_below_one_still_let_one_item_through_at_a_time() {
    let limits = Limits {
        max_rows: 0,
        max_bytes: 0,
    };
    let channel = Channel::new(limits, Arc::new(NoWaker), Arc::new(NoWaker));
    channel.try_push(item(1)).unwrap();
    assert_eq!(channel.try_push(item(1)), Err(PushError::Full(item(1))));
}

#[test]
fn of_the_watermarks_between_two_batches_only_the_last_one_is_kept() {
    let (channel, consumer, _) = channel(100, 1000);
    for n in 0..1000 {
        channel.push_over(time(n)).unwrap();
    }
    channel.push_over(item(1)).unwrap();
    for n in 1000..2000 {
        channel.push_over(time(n)).unwrap();
    }
    assert_eq!(channel.len_bytes(), 4 + 10 + 4);
    assert_eq!(consumer.rings(), 1);
    assert_eq!(channel.try_pop(), Pop::Item(time(999)));
    assert_eq!(channel.try_pop(), Pop::Item(item(1)));
    assert_eq!(channel.try_pop(), Pop::Item(time(1999)));
    assert_eq!(channel.try_pop(), Pop::Empty);
    let counts = channel.counts();
    assert_eq!((counts.sent_batches, counts.received_batches), (3, 3));
    assert_eq!((counts.sent_bytes, counts.received_bytes), (18, 18));
}

#[test]
fn what_is_superseded_gives_its_room_back_and_is_not_counted() {
    let (channel, _, _) = channel(10, 1000);
    for (rows, bytes) in [(3, 40), (2, 30)] {
        let time = Some(rows);
        channel.try_push(Item { rows, bytes, time }).unwrap();
    }
    assert_eq!((channel.len_rows(), channel.len_bytes()), (2, 30));
    let counts = channel.counts();
    assert_eq!(
        (counts.sent_rows, counts.sent_bytes, counts.sent_batches),
        (2, 30, 1)
    );
}

#[test]
fn a_channel_says_its_limits() {
    let (channel, _, _) = channel(10, 1000);
    let expected = Limits {
        max_rows: 10,
        max_bytes: 1000,
    };
    assert_eq!(channel.limits(), expected);
}

#[test]
fn an_item_with_as_many_rows_as_are_wanted_is_not_divided() {
    let (channel, ..) = channel(10, 1000);
    channel.try_push(item(3)).unwrap();
    let never = |_: &Item, _| panic!("it was divided");
    assert_eq!(channel.try_pop_part(3, never), Pop::Item(item(3)));
}

#[test]
fn items_that_say_nothing_of_it_all_stay() {
    #[derive(Debug, PartialEq)]
    struct Plain(u64);
    impl Credited for Plain {
        fn credit_rows(&self) -> u64 {
            0
        }
        fn credit_bytes(&self) -> u64 {
            self.0
        }
    }
    let limits = Limits {
        max_rows: 10,
        max_bytes: 10,
    };
    let channel = Channel::new(limits, Arc::new(NoWaker), Arc::new(NoWaker));
    channel.try_push(Plain(1)).unwrap();
    channel.try_push(Plain(2)).unwrap();
    assert_eq!(
        (channel.try_pop(), channel.try_pop()),
        (Pop::Item(Plain(1)), Pop::Item(Plain(2)))
    );
}
