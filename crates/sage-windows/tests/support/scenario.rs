//! Random windows and streams.

use proptest::prelude::*;
use sage_windows::WindowSpec;

use super::oracle::Row;
use super::run::{AGGREGATES, Step};

/// The JSON of an assigner. Sizes have halves, so that no edge is rounded.
fn arb_assigner() -> impl Strategy<Value = String> {
    let half = |range: std::ops::Range<i32>| range.prop_map(|half| f64::from(half) / 2.0);
    prop_oneof![
        (half(2..40), half(-30..30)).prop_map(|(size, offset)| format!(
            r#"{{"kind":"tumbling","sizeMs":{size},"offsetMs":{offset}}}"#
        )),
        (half(2..40), half(2..40), half(-30..30)).prop_map(|(size, slide, offset)| format!(
            r#"{{"kind":"sliding","sizeMs":{size},"slideMs":{slide},"offsetMs":{offset}}}"#
        )),
        // So many panes that they are merged in advance, by JavaScript and in the core.
        (20_i32..160, half(2..5))
            .prop_map(|(size, slide)| format!(r#"{{"kind":"sliding","sizeMs":{size},"slideMs":{slide}}}"#)),
        half(2..30).prop_map(|gap| format!(r#"{{"kind":"session","gapMs":{gap}}}"#)),
        Just(r#"{"kind":"global"}"#.to_owned()),
    ]
}

fn arb_trigger() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(r#"{"kind":"time"}"#.to_owned()),
        1 => (1_u32..5).prop_map(|every| format!(r#"{{"kind":"count","every":{every}}}"#)),
        1 => (1_u32..30).prop_map(|ms| format!(r#"{{"kind":"processingTime","everyMs":{ms}}}"#)),
        1 => (1_u32..5).prop_map(|every| format!(
            r#"{{"kind":"early","early":{{"kind":"count","every":{every}}}}}"#
        )),
        1 => (1_u32..30).prop_map(|ms| format!(
            r#"{{"kind":"early","early":{{"kind":"processingTime","everyMs":{ms}}}}}"#
        )),
    ]
}

/// All assigners with all triggers, and windows of elements, which have none.
pub fn arb_spec() -> impl Strategy<Value = WindowSpec> {
    let accumulation = prop::sample::select(vec!["accumulating", "discarding"]);
    let lateness = prop::sample::select(vec![0.0, 0.0, 2.5, 15.0, 60.0]);
    let time = prop::sample::select(vec!["event", "event", "event", "processing"]);
    let timed = (arb_assigner(), arb_trigger(), accumulation, lateness, time).prop_map(
        |(assigner, trigger, accumulation, lateness, time)| {
            format!(
                r#""assigner":{assigner},"trigger":{trigger},"accumulation":"{accumulation}","allowedLatenessMs":{lateness},"time":"{time}""#
            )
        },
    );
    let counted = (1_u32..90, 1_u32..6).prop_map(|(size, slide)| {
        format!(r#""assigner":{{"kind":"count","size":{size},"slide":{slide}}},"time":"event""#)
    });
    let tumbling = (1_u32..8).prop_map(|size| {
        format!(r#""assigner":{{"kind":"count","size":{size},"slide":{size}}},"time":"event""#)
    });
    let parts = prop_oneof![8 => timed, 1 => counted, 1 => tumbling];
    (parts, prop::bool::weighted(0.9)).prop_map(|(parts, keyed)| {
        let json = format!(r#"{{"keyed":{keyed},"aggregates":{AGGREGATES},{parts}}}"#);
        WindowSpec::from_json(&json).unwrap()
    })
}

/// Rows whose times go up with much disorder, and watermarks that do not wait for them; now and then a jump.
pub fn arb_steps(keyed: bool) -> impl Strategy<Value = Vec<Step>> {
    let row = (0_u32..4, -40_i32..10, prop::option::weighted(0.9, -20_i32..20));
    let step = (
        prop::collection::vec(row, 0..12),
        0_i32..24,
        -10_i32..40,
        0_i32..12,
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(step, 1..14).prop_map(move |steps| {
        let (mut time, mut watermark, mut now, mut id) = (-30.0, f64::NEG_INFINITY, 1000.0, 0);
        let mut made = Vec::new();
        for (rows, by, behind, wait, jumps) in steps {
            time += f64::from(by) / 2.0 + if jumps { 500.0 } else { 0.0 };
            let rows: Vec<Row> = rows
                .into_iter()
                .map(|(key, quarters, value)| {
                    id += 1;
                    Row {
                        id: id - 1,
                        key: if keyed { key } else { 0 },
                        time: time + f64::from(quarters) / 4.0,
                        value: value.map(f64::from),
                    }
                })
                .collect();
            made.push(Step::Rows { rows, now });
            now += f64::from(wait);
            watermark = f64::max(watermark, time - f64::from(behind) / 4.0);
            made.push(Step::Advance { watermark, now });
        }
        made
    })
}
