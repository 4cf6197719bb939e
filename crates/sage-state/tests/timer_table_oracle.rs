//! Timers against a list that is sorted whenever somebody asks.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use proptest::prelude::*;
use sage_state::TimerTable;
use sage_types::ErrorCode;

#[derive(Debug, Clone)]
enum Step {
    Register(f64, u32),
    Cancel(f64, u32),
    CancelAll(u32),
    Due(f64, usize),
}

fn arb_time() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-6_i32..6).prop_map(|half| f64::from(half) / 2.0),
        1 => prop::sample::select(vec![f64::NEG_INFINITY, f64::INFINITY, -0.0, 8.64e15, -8.64e15]),
    ]
}

fn arb_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (arb_time(), 0_u32..5).prop_map(|(time, id)| Step::Register(time, id)),
        2 => (arb_time(), 0_u32..5).prop_map(|(time, id)| Step::Cancel(time, id)),
        1 => (0_u32..5).prop_map(Step::CancelAll),
        2 => (arb_time(), 0_usize..6).prop_map(|(time, most)| Step::Due(time, most)),
    ]
}

proptest! {
    #[test]
    fn timers_are_those_of_a_sorted_list(steps in prop::collection::vec(arb_step(), 1..80)) {
        let mut table = TimerTable::new();
        let mut list: Vec<(f64, u32)> = Vec::new();
        for step in steps {
            match step {
                Step::Register(time, id) => {
                    let is_new = !list.contains(&(time, id));
                    if is_new {
                        list.push((time, id));
                    }
                    prop_assert_eq!(table.register(time, id).unwrap(), is_new);
                }
                Step::Cancel(time, id) => {
                    let before = list.len();
                    list.retain(|&timer| timer != (time, id));
                    prop_assert_eq!(table.cancel(time, id).unwrap(), list.len() < before);
                }
                Step::CancelAll(id) => {
                    let before = list.len();
                    list.retain(|timer| timer.1 != id);
                    prop_assert_eq!(table.cancel_all(id), before - list.len());
                }
                Step::Due(up_to, most) => {
                    // A stable sort keeps the order of registration.
                    let mut sorted = list.clone();
                    sorted.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap());
                    let expected: Vec<_> = sorted.into_iter().filter(|timer| timer.0 <= up_to).take(most).collect();
                    list.retain(|timer| !expected.contains(timer));
                    let due: Vec<_> = (0..most)
                        .map_while(|_| table.pop_due(up_to))
                        .map(|timer| (timer.time_ms, timer.id))
                        .collect();
                    prop_assert_eq!(due, expected);
                }
            }
            prop_assert_eq!(table.len(), list.len());
            let next = list.iter().map(|timer| timer.0).reduce(f64::min);
            prop_assert_eq!(table.next_ms(), next);
        }
    }
}

#[test]
fn a_timer_at_no_time_is_refused() {
    let mut table = TimerTable::new();
    assert_eq!(table.register(f64::NAN, 1).unwrap_err().code, ErrorCode::Internal);
    assert_eq!(table.cancel(f64::NAN, 1).unwrap_err().code, ErrorCode::Internal);
    table.register(f64::NEG_INFINITY, 1).unwrap();
    assert_eq!(table.pop_due(f64::NAN), None);
}

#[test]
fn what_has_fired_or_was_cancelled_holds_no_memory() {
    let mut table = TimerTable::new();
    for id in 0..10_000 {
        table.register(f64::from(id), id).unwrap();
        table.register(f64::from(id) + 0.5, id).unwrap();
    }
    for id in 0..5_000 {
        assert_eq!(table.cancel_all(id), 2);
    }
    while table.pop_due(f64::INFINITY).is_some() {}
    assert!(table.is_empty());
    assert_eq!(table.bytes_used(), 0);
}
