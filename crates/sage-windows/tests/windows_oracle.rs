//! Random windows over random streams, against their definition.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_windows::WindowSpec;
use support::run::{cut, native, oracle, recorded};
use support::scenario::{arb_spec, arb_steps};

fn arb_case() -> impl Strategy<Value = (WindowSpec, Vec<support::run::Step>)> {
    arb_spec().prop_flat_map(|spec| {
        let steps = arb_steps(spec.keyed);
        (Just(spec), steps)
    })
}

/// The same windows with accumulators of JavaScript.
fn javascript(spec: &WindowSpec, elements: bool) -> WindowSpec {
    WindowSpec {
        aggregates: None,
        elements,
        ..spec.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases * 8, ..ProptestConfig::default() })]

    #[test]
    fn all_windows_are_those_of_the_definition(
        (spec, steps) in arb_case(),
        sizes in prop::collection::vec(1_usize..9, 1..5),
        max_results in 1_usize..6,
    ) {
        let (expected, _) = oracle(&spec, &steps);

        prop_assert_eq!(&native(&spec, &steps, 1000), &expected, "native");
        let batches = cut(&steps, &sizes);
        prop_assert_eq!(&native(&spec, &batches, max_results), &expected, "native, cut");
        let (merged, _) = recorded(&javascript(&spec, false), &batches, max_results);
        prop_assert_eq!(&merged, &expected, "merged by JavaScript");
        let (listed, _) = recorded(&javascript(&spec, true), &steps, max_results);
        prop_assert_eq!(&listed, &expected, "elements in JavaScript");
    }
}
