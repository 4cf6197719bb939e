use std::collections::BTreeMap;
use std::io::{self, Write};

use hashbrown::HashMap;
use serde::Serialize;

/// A count as a line of the output.
#[derive(Serialize)]
struct Counted<'a> {
    key: &'a str,
    window: Window,
    n: u64,
}

#[derive(Clone, Copy, Serialize)]
struct Window {
    start: i64,
    end: i64,
}

/// Tumbling windows that count each key: a map of keys for each window that is open. A window is written when the watermark, the greatest
/// time so far less the disorder that is allowed, has reached its end; an event that comes later is counted as late and changes nothing.
pub struct Windows<W> {
    out: W,
    size_ms: i64,
    disorder_ms: i64,
    open: BTreeMap<i64, HashMap<String, u64>>,
    watermark: i64,
    /// Of the first window that is open.
    next_end: i64,
    late: u64,
}

impl<W: Write> Windows<W> {
    pub fn new(out: W, size_ms: i64, disorder_ms: i64) -> Self {
        Self {
            out,
            size_ms,
            disorder_ms,
            open: BTreeMap::new(),
            watermark: i64::MIN,
            next_end: i64::MAX,
            late: 0,
        }
    }

    pub fn add(&mut self, key: &str, at: i64) -> io::Result<()> {
        let start = at - at.rem_euclid(self.size_ms);
        let end = start + self.size_ms;
        if end <= self.watermark {
            self.late += 1;
            return Ok(());
        }
        let counts = self.open.entry(start).or_default();
        *counts.entry_ref(key).or_insert(0) += 1;
        self.next_end = self.next_end.min(end);
        self.watermark = self.watermark.max(at - self.disorder_ms);
        if self.watermark >= self.next_end {
            self.write_up_to(self.watermark)?;
        }
        Ok(())
    }

    /// Writes what is still open; how many events were late.
    pub fn finish(mut self) -> io::Result<u64> {
        self.write_up_to(i64::MAX)?;
        self.out.flush()?;
        Ok(self.late)
    }

    fn write_up_to(&mut self, watermark: i64) -> io::Result<()> {
        self.next_end = i64::MAX;
        while let Some(first) = self.open.first_entry() {
            let start = *first.key();
            let end = start + self.size_ms;
            if end > watermark {
                self.next_end = end;
                break;
            }
            let window = Window { start, end };
            for (key, n) in first.remove() {
                serde_json::to_writer(&mut self.out, &Counted { key: &key, window, n })?;
                self.out.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}
