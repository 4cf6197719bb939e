//! A deterministic simulation of dispatcher, queues and checkpoints: one thread, a schedule and faults by seed, virtual time. What runs
//! are the crates themselves. `docs/internals/simulation.md`.
//!
//! `SAGE_SIM_PLANT` names a bug that is planted while the seeds are run. `SAGE_SIM_SEEDS` is how many seeds are run, `SAGE_SIM_SEED` the first one:
//! `SAGE_SIM_SEED=17 SAGE_SIM_SEEDS=1 cargo test -p sage-runtime --test simulation` runs seed 17 alone.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod disk_of_sinks;
mod disk_work;
mod draws;
mod expected;
mod faults;
mod files;
mod native_connectors;
mod process;
mod saved_task;
mod scenario;
mod sim_task;
mod simulation;
#[path = "../support/mod.rs"]
mod support;
mod table_task;
mod task_results;
mod timed_task;

use simulation::{Outcome, simulate};

const SEEDS: u64 = 1000;

fn number_in(text: Result<String, std::env::VarError>) -> Option<u64> {
    let text = text.ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{text} is no number")))
}

fn seeds() -> std::ops::Range<u64> {
    let first = number_in(std::env::var("SAGE_SIM_SEED")).unwrap_or(0);
    let count = number_in(std::env::var("SAGE_SIM_SEEDS")).unwrap_or(SEEDS);
    first..first + count
}

#[cfg(debug_assertions)]
fn planted(name: &str) -> sage_types::PlantedBug {
    let mut bugs = sage_types::PlantedBug::ALL.into_iter();
    bugs.find(|bug| format!("{bug:?}") == name)
        .unwrap_or_else(|| panic!("there is no bug {name} to plant"))
}

fn command(seed: u64) -> String {
    format!("SAGE_SIM_SEED={seed} SAGE_SIM_SEEDS=1 cargo test --workspace --test simulation given_a_seed")
}

#[test]
fn given_a_seed_when_processes_crash_and_go_on_then_nothing_is_lost_or_doubled() {
    #[cfg(debug_assertions)]
    let _planted = std::env::var("SAGE_SIM_PLANT")
        .ok()
        .map(|name| planted(&name).plant());
    let mut total = Outcome::default();
    let mut failures = Vec::new();
    for seed in seeds() {
        match simulate(seed) {
            Ok(outcome) => {
                total.processes += outcome.processes;
                total.restored += outcome.restored;
                total.rescaled += outcome.rescaled;
                total.epochs += outcome.epochs;
                total.merges += outcome.merges;
                total.crashes_in_merges += outcome.crashes_in_merges;
            }
            Err(error) => failures.push(format!("seed {seed}: {error}\n  again: {}", command(seed))),
        }
        if failures.len() == 5 {
            break;
        }
    }
    println!("{total:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    if seeds().count() >= 100 {
        assert!(
            total.restored * 3 > total.processes,
            "too few processes went on from an epoch: {total:?}"
        );
        assert!(
            total.rescaled * 4 > total.restored,
            "too few with other instances: {total:?}"
        );
        assert!(
            total.merges * 12 > total.processes && total.crashes_in_merges * 150 > total.processes,
            "too few merges: {total:?}"
        );
    }
}

#[test]
fn given_the_same_seed_twice_then_the_same_happens() {
    for seed in 0..20 {
        assert_eq!(simulate(seed).unwrap(), simulate(seed).unwrap(), "seed {seed}");
    }
}

#[cfg(debug_assertions)]
#[test]
fn given_a_planted_bug_then_a_seed_finds_it() {
    // A panic of the engine is how some are found, and no news.
    let mut missed = Vec::new();
    for bug in sage_types::PlantedBug::ALL {
        let _planted = bug.plant();
        match (0..SEEDS).find_map(|seed| simulate(seed).err().map(|error| (seed, error))) {
            Some((seed, error)) => println!(
                "{bug:?}: seed {seed}: {}",
                error.chars().take(200).collect::<String>()
            ),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "no seed has found {missed:?}");
}
