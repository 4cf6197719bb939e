//! Windows with a helper give what windows alone give, in the same order, whoever works on what.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::{BatchView, LayoutRegistry};
use sage_runtime::{HelpedWindows, WindowOutcome};
use sage_types::{ErrorCode, LayoutId};
use sage_windows::{NativeWindows, RecordedWindows, WindowCounts, WindowSpec};

const LAYOUT: &str = r#"{"key":"f64","time":"f64","row":{"tup":["f64"]}}"#;
const NATIVE: &str = r#"{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":10},"allowedLatenessMs":3,"aggregates":[{"kind":"count"},{"kind":"sum","input":0}]}"#;
const RECORDED: &str =
    r#"{"keyed":true,"time":"event","assigner":{"kind":"session","gapMs":5},"allowedLatenessMs":3}"#;

/// A key, a time and an input.
type Row = (u32, u32, i16);

/// The image of a batch, as JavaScript writes it.
fn image(layout: LayoutId, rows: &[Row]) -> Vec<u64> {
    let bytes = u32::try_from(rows.len() * 8).unwrap();
    // rows, layout, buffers, encodings; offset and length of each buffer.
    let header = [
        u32::try_from(rows.len()).unwrap(),
        layout.0,
        3,
        0,
        40,
        bytes,
        40 + bytes,
        bytes,
        40 + 2 * bytes,
        bytes,
    ];
    let mut image: Vec<u64> = header
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32)
        .collect();
    image.extend(rows.iter().map(|(key, ..)| f64::from(*key).to_bits()));
    image.extend(rows.iter().map(|(_, time, _)| f64::from(*time).to_bits()));
    image.extend(rows.iter().map(|(.., input)| f64::from(*input).to_bits()));
    image
}

/// What is given: batches, each with how far event time is behind it.
#[derive(Debug, Clone)]
struct Given {
    rows: Vec<Row>,
    watermark: u32,
    /// Whether outcomes that are there are taken now, or all that there will be.
    takes: bool,
    waits: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Taken {
    Results(Vec<u8>),
    Program(Vec<u8>),
    Late(Vec<i32>),
    Done(WindowCounts),
}

/// What windows alone give for the same.
fn alone(json: &str, given: &[Given], registry: &LayoutRegistry, layout: LayoutId) -> Vec<Taken> {
    let spec = WindowSpec::from_json(json).unwrap();
    let mut taken = Vec::new();
    macro_rules! run {
        ($windows:ident, $fire:expr) => {{
            for Given { rows, watermark, .. } in given {
                let words = image(layout, rows);
                let view = BatchView::from_image(bytemuck::cast_slice(&words), registry).unwrap();
                let mut next = 0;
                while next < rows.len() {
                    next = $windows
                        .table_mut()
                        .add(&view, view.times().unwrap(), next, 0.0)
                        .unwrap();
                    let late: Vec<i32> = $windows
                        .table()
                        .late()
                        .iter()
                        .map(|row| row.cast_signed())
                        .collect();
                    if !late.is_empty() {
                        taken.push(Taken::Late(late));
                    }
                    while $windows.table().has_more() {
                        taken.extend($fire(&mut $windows));
                    }
                }
                taken.push(Taken::Done($windows.table().counts()));
                $windows.table_mut().advance(f64::from(*watermark), 0.0).unwrap();
                while $windows.table().has_more() {
                    taken.extend($fire(&mut $windows));
                }
                taken.push(Taken::Done($windows.table().counts()));
            }
            $windows.table_mut().finish();
            while $windows.table().has_more() {
                taken.extend($fire(&mut $windows));
            }
            taken.push(Taken::Done($windows.table().counts()));
        }};
    }
    if spec.aggregates.is_some() {
        let mut windows = NativeWindows::new(&spec).unwrap();
        run!(windows, |windows: &mut NativeWindows| {
            let frame = windows.fire(1024, registry).unwrap()?;
            let mut words = vec![0_u64; frame.image_len().div_ceil(8)];
            let bytes = frame.write_image(bytemuck::cast_slice_mut(&mut words)).unwrap();
            Some(Taken::Results(
                bytemuck::cast_slice::<_, u8>(&words)[..bytes].to_vec(),
            ))
        });
    } else {
        let mut windows = RecordedWindows::new(&spec).unwrap();
        run!(windows, |windows: &mut RecordedWindows| {
            let program = windows.program(1024).clone();
            windows.take_program();
            let mut bytes = bytemuck::cast_slice::<_, u8>(&program.words).to_vec();
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes.extend_from_slice(bytemuck::cast_slice(&program.windows));
            (!program.words.is_empty()).then_some(Taken::Program(bytes))
        });
    }
    taken
}

/// Takes the next outcome; false when there was none.
fn take(windows: &HelpedWindows, waits: bool, taken: &mut Vec<Taken>) -> bool {
    let outcome = windows
        .take(waits, |outcome| {
            Ok((
                outcome.map(|outcome| match outcome {
                    WindowOutcome::Results(bytes) => Taken::Results(bytes.to_vec()),
                    WindowOutcome::Program { bytes, words } => {
                        let mut bytes = bytes.to_vec();
                        // What lies between words and numbers is whatever was in that memory.
                        bytes[words * 4..(words * 4).next_multiple_of(8)].fill(0);
                        Taken::Program(bytes)
                    }
                    WindowOutcome::Late(rows) => Taken::Late(rows.to_vec()),
                    WindowOutcome::Done(counts) => Taken::Done(counts),
                }),
                true,
            ))
        })
        .unwrap();
    let was_there = outcome.is_some();
    taken.extend(outcome);
    was_there
}

fn helped(json: &str, given: &[Given], registry: &Arc<LayoutRegistry>, layout: LayoutId) -> Vec<Taken> {
    let spec = WindowSpec::from_json(json).unwrap();
    let windows = HelpedWindows::new(&spec, Arc::clone(registry), true).unwrap();
    let mut taken = Vec::new();
    for one in given {
        let words = image(layout, &one.rows);
        let ready = windows.give_batch(bytemuck::cast_slice(&words), 0.0).unwrap();
        if one.takes {
            for _ in 0..ready {
                assert!(
                    take(&windows, false, &mut taken),
                    "an outcome that was there has gone"
                );
            }
        }
        windows.give_time(f64::from(one.watermark), 0.0).unwrap();
        while one.waits && take(&windows, true, &mut taken) {}
    }
    windows.give_end().unwrap();
    while take(&windows, true, &mut taken) {}
    taken
}

fn any_given() -> impl Strategy<Value = Vec<Given>> {
    let rows = prop::collection::vec((0_u32..20, 0_u32..30, any::<i16>()), 1..40);
    let one = (rows, 0_u32..8, any::<bool>(), prop::bool::weighted(0.1));
    prop::collection::vec(one, 0..120).prop_map(|all| {
        let mut now = 0;
        let mut given = Vec::new();
        for (mut rows, step, takes, waits) in all {
            for row in &mut rows {
                row.1 += now;
            }
            now += step;
            given.push(Given {
                rows,
                watermark: now + 10,
                takes,
                waits,
            });
        }
        given
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn given_any_batches_then_the_outcomes_are_those_of_the_windows_alone(given in any_given(), native in any::<bool>()) {
        let json = if native { NATIVE } else { RECORDED };
        let registry = Arc::new(LayoutRegistry::new());
        let layout = registry.intern(LAYOUT).unwrap();
        prop_assert_eq!(helped(json, &given, &registry, layout), alone(json, &given, &registry, layout));
    }
}

#[test]
fn given_outcomes_that_nobody_takes_then_the_work_waits_for_them() {
    // given
    let registry = Arc::new(LayoutRegistry::new());
    let layout = registry.intern(LAYOUT).unwrap();
    let windows = HelpedWindows::new(
        &WindowSpec::from_json(NATIVE).unwrap(),
        Arc::clone(&registry),
        true,
    )
    .unwrap();
    // when
    let mut most = 0;
    for n in 0..200_u32 {
        let words = image(layout, &[(n, n * 10, 1)]);
        let given = windows.give_batch(bytemuck::cast_slice(&words), 0.0).unwrap();
        most = most.max(given);
    }
    // then
    assert!(most <= 8, "{most} outcomes have piled up");
    windows.give_end().unwrap();
    let mut taken = Vec::new();
    while take(&windows, true, &mut taken) {}
    let done = taken
        .iter()
        .filter(|taken| matches!(taken, Taken::Done(_)))
        .count();
    assert_eq!(done, 201);
}

#[test]
fn given_a_batch_that_is_wrong_then_one_of_the_next_calls_says_so() {
    let registry = Arc::new(LayoutRegistry::new());
    let layout = registry.intern(LAYOUT).unwrap();
    let windows = HelpedWindows::new(&WindowSpec::from_json(NATIVE).unwrap(), registry, true).unwrap();
    let mut taken = Vec::new();
    for n in 0..100 {
        let words = image(layout, &[(1, n, 1)]);
        windows.give_batch(bytemuck::cast_slice(&words), 0.0).unwrap();
        while take(&windows, true, &mut taken) {}
    }
    let wrong = image(LayoutId(7), &[(1, 1, 1)]);
    let outcome = windows
        .give_batch(bytemuck::cast_slice(&wrong), 0.0)
        .and_then(|_| windows.take(true, |outcome| Ok((outcome.is_none(), false))));
    assert_eq!(outcome.unwrap_err().code, ErrorCode::FormatBatch);
}
