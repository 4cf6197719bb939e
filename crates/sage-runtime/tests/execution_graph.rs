//! What a graph must be before a job is built from it.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use sage_runtime::{ExecutionGraph, Partition, TaskKind};
use sage_types::{ErrorCode, TaskId};
use support::{Exchange, Stage, graph};

fn sample() -> ExecutionGraph {
    let stages = [
        Stage::native_source(r#"{"type":"textLines"}"#, 2),
        Stage::js(&[1, 2, 0]),
        Stage::native_sink(r#"{"type":"jsonLines"}"#, 1),
    ];
    graph(
        &stages,
        &[
            Exchange::new(0, 1, Partition::Hash),
            Exchange::new(1, 2, Partition::Broadcast),
        ],
    )
}

/// A change that makes a graph wrong, and what the error must say.
type Mistake = (fn(&mut ExecutionGraph), &'static str);

#[test]
fn a_graph_survives_its_encoding() {
    let graph = sample();
    assert_eq!(ExecutionGraph::decode(&graph.encode()).unwrap(), graph);
}

#[test]
fn bytes_that_are_no_graph_are_refused() {
    for bytes in [&[][..], &[1, 2, 3], &[0xff; 64]] {
        assert_eq!(
            ExecutionGraph::decode(bytes).unwrap_err().code,
            ErrorCode::FormatGraph
        );
    }
    let whole = sample().encode();
    for length in 0..whole.len() {
        // Any prefix is refused or read within its bounds; none of them may panic.
        let _ = ExecutionGraph::decode(&whole[..length]);
    }
}

#[test]
fn each_mistake_is_named() {
    let mistakes: [Mistake; 16] = [
        (|g| g.tasks.clear(), "no task"),
        (|g| g.key_groups = 0, "key groups"),
        (|g| g.key_groups = 2, "more targets than there are key groups"),
        (|g| g.tasks[1].id = TaskId(7), "task 1 says that its id is 7"),
        (|g| g.tasks[0].instance = 2, "instance 2"),
        (|g| g.tasks[0].is_source = false, "disagree"),
        (|g| g.tasks[2].is_source = true, "a source has no gate"),
        (|g| g.edges[0].to_task = TaskId(99), "not there"),
        (|g| g.edges[1].max_rows = 0, "no room"),
        (
            |g| g.edges[0].from_output = 1,
            "each instance of its target once, in order",
        ),
        (|g| g.edges.swap(0, 1), "wrong id"),
        (|g| g.edges[0].partition = Partition::Rebalance, "mixes"),
        (
            |g| g.edges.iter_mut().for_each(|edge| edge.to_gate += 1),
            "without gaps",
        ),
        (
            |g| {
                g.edges.truncate(5);
                for edge in &mut g.edges {
                    edge.partition = Partition::Forward;
                }
            },
            "is forward and must have one edge",
        ),
        (|g| g.tasks[0].dormant = true, "task 0 is dormant"),
        (|g| g.tasks[3].dormant = true, "must be a rebalance"),
    ];
    for (make, says) in mistakes {
        let mut graph = sample();
        make(&mut graph);
        let error = graph.validate().unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatGraph);
        assert!(
            error.message.contains(says),
            "expected '{says}', got '{}'",
            error.message
        );
    }
}

#[test]
fn a_cycle_is_refused() {
    let stages = [Stage::js_source(&[0]), Stage::js(&[0]), Stage::js(&[0])];
    let exchanges = [
        Exchange::new(0, 1, Partition::Forward),
        Exchange::new(1, 2, Partition::Forward),
        Exchange::new(2, 1, Partition::Forward),
    ];
    let error = graph(&stages, &exchanges).validate().unwrap_err();
    assert!(error.message.contains("cycle"), "{}", error.message);
}

#[test]
fn somebody_is_awake_for_each_record() {
    let elastic = |dormant| {
        let stages = [
            Stage::js_source(&[0]),
            Stage {
                dormant,
                ..Stage::js(&[0, 1])
            },
        ];
        graph(&stages, &[Exchange::new(0, 1, Partition::Rebalance)])
    };
    let decoded = ExecutionGraph::decode(&elastic(1).encode()).unwrap();
    let dormant: Vec<bool> = decoded.tasks.iter().map(|task| task.dormant).collect();
    assert_eq!(dormant, [false, false, true]);
    let error = elastic(2).validate().unwrap_err();
    assert!(
        error.message.contains("a target that is awake"),
        "{}",
        error.message
    );
}

#[test]
fn a_task_has_the_kind_that_it_was_given() {
    let graph = ExecutionGraph::decode(&sample().encode()).unwrap();
    assert_eq!(graph.tasks[3].kind, TaskKind::JsTask { isolate: 2 });
    assert!(matches!(&graph.tasks[5].kind, TaskKind::NativeSink { spec } if spec.contains("jsonLines")));
}
