//! What windows hold goes when they close, whatever keys there were.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use sage_frame::LayoutRegistry;
use sage_windows::{NativeWindows, WindowSpec};
use support::batch::RowBatch;
use support::oracle::Row;

struct Stream {
    windows: NativeWindows,
    registry: LayoutRegistry,
    results: usize,
}

impl Stream {
    fn new(assigner: &str, more: &str) -> Self {
        let json = format!(
            r#"{{"keyed":true,"time":"event","assigner":{assigner},"aggregates":[{{"kind":"count"}}]{more}}}"#
        );
        Self {
            windows: NativeWindows::new(&WindowSpec::from_json(&json).unwrap()).unwrap(),
            registry: LayoutRegistry::new(),
            results: 0,
        }
    }

    /// Rows with these keys at one time, and a watermark.
    fn rows(&mut self, keys: std::ops::Range<u32>, time: f64, watermark: f64) {
        let row = |key| Row {
            id: 0,
            key,
            time,
            value: None,
        };
        let rows: Vec<Row> = keys.map(row).collect();
        for rows in rows.chunks(1024) {
            let batch = RowBatch::new(&self.registry, rows, true);
            let table = self.windows.table_mut();
            assert_eq!(
                table.add(&batch.view(), &batch.times, 0, 0.0).unwrap(),
                rows.len()
            );
        }
        self.windows.table_mut().advance(watermark, 0.0).unwrap();
        self.take();
    }

    fn take(&mut self) {
        while let Some(frame) = self.windows.fire(1024, &self.registry).unwrap() {
            self.results += frame.rows();
        }
    }

    fn keys(&self) -> usize {
        self.windows.table().counts().keys
    }

    fn bytes(&self) -> usize {
        self.windows.table().bytes_used()
    }
}

const ALL: [(&str, &str); 6] = [
    (r#"{"kind":"session","gapMs":1000}"#, ""),
    (
        r#"{"kind":"session","gapMs":1000}"#,
        r#","allowedLatenessMs":5000"#,
    ),
    (r#"{"kind":"tumbling","sizeMs":1000}"#, ""),
    (r#"{"kind":"sliding","sizeMs":1000,"slideMs":10}"#, ""),
    (
        r#"{"kind":"tumbling","sizeMs":1000}"#,
        r#","allowedLatenessMs":50000"#,
    ),
    (
        r#"{"kind":"tumbling","sizeMs":1000}"#,
        r#","trigger":{"kind":"early","early":{"kind":"processingTime","everyMs":1000000}}"#,
    ),
];

#[test]
fn after_a_week_of_windows_of_ever_new_keys_memory_is_what_it_was_after_the_first_hour() {
    for (assigner, more) in ALL {
        let mut stream = Stream::new(assigner, more);
        let mut first_hour = 0;
        // A window in each five minutes of a week, of keys that never come again.
        for step in 0..7 * 24 * 12_u32 {
            let time = f64::from(step) * 300_000.0;
            stream.rows(step * 20..step * 20 + 20, time, time);
            if step == 12 {
                first_hour = stream.bytes();
            }
        }
        let time = 8.0 * 24.0 * 3_600_000.0;
        stream.windows.table_mut().advance(time, 0.0).unwrap();
        stream.take();

        assert_eq!(stream.keys(), 0, "{assigner}");
        // Buffers are as large as the largest piece of work that there ever was.
        assert!(
            stream.bytes() <= first_hour + 1024,
            "{assigner} {more}: {} > {first_hour}",
            stream.bytes()
        );
        assert!(stream.results >= 7 * 24 * 12 * 20, "{assigner}");
    }
}

#[test]
fn a_million_open_windows_are_held_and_all_fire() {
    for (assigner, more) in [ALL[0], ALL[2], ALL[4]] {
        let mut stream = Stream::new(assigner, more);
        stream.rows(0..1_000_000, 5.0, f64::NEG_INFINITY);
        assert_eq!((stream.keys(), stream.results), (1_000_000, 0));
        let open = stream.bytes();
        assert!(open < 400_000_000, "{assigner}: {open}");

        stream.windows.table_mut().finish();
        stream.take();

        assert_eq!((stream.keys(), stream.results), (0, 1_000_000), "{assigner}");
    }
}

#[test]
fn keys_that_come_again_after_they_had_gone_begin_anew() {
    for (assigner, more) in ALL {
        let mut stream = Stream::new(assigner, more);
        for round in 0..20 {
            let start = f64::from(round) * 1_000_000.0;
            stream.rows(0..500, start, start);
            stream.rows(250..750, start + 1.0, start + 900_000.0);
            assert_eq!(stream.keys(), 0, "{assigner}");
        }
    }
}
