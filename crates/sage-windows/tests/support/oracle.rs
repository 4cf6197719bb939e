//! Windows by their definition: a list of all windows with lists of their rows, searched from end to end.

use sage_windows::{Accumulation, AssignerSpec, EarlySpec, TimeKind, TriggerSpec, WindowSpec};

/// A row of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub id: usize,
    pub key: u32,
    pub time: f64,
    pub value: Option<f64>,
}

/// A result: the rows of a window, in the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub key: u32,
    pub start: f64,
    pub end: f64,
    pub rows: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Window {
    key: u32,
    /// How many keys had begun before its key.
    order: usize,
    start: f64,
    end: f64,
    rows: Vec<usize>,
    /// Rows that a result has shown.
    shown: Vec<usize>,
    timer: Option<f64>,
    has_fired: bool,
}

/// Windows by their definition.
pub struct Oracle<'s> {
    spec: &'s WindowSpec,
    windows: Vec<Window>,
    /// All rows of each key, for windows of elements.
    elements: Vec<(u32, Vec<usize>)>,
    begun: usize,
    watermark: f64,
    now: f64,
    pub results: Vec<Shown>,
    pub late: Vec<usize>,
    pub gaps: u64,
}

impl<'s> Oracle<'s> {
    pub fn new(spec: &'s WindowSpec) -> Self {
        Self {
            spec,
            windows: Vec::new(),
            elements: Vec::new(),
            begun: 0,
            watermark: f64::NEG_INFINITY,
            now: f64::NEG_INFINITY,
            results: Vec::new(),
            late: Vec::new(),
            gaps: 0,
        }
    }

    fn is_over(&self, end: f64) -> bool {
        self.watermark >= end
    }

    fn is_closed(&self, end: f64) -> bool {
        self.watermark >= end + self.spec.allowed_lateness_ms
    }

    fn fires_at_end(&self) -> bool {
        matches!(self.spec.trigger, TriggerSpec::Time | TriggerSpec::Early { .. })
    }

    fn every(&self) -> Option<usize> {
        match self.spec.trigger {
            TriggerSpec::Count { every }
            | TriggerSpec::Early {
                early: EarlySpec::Count { every },
            } => Some(every as usize),
            _ => None,
        }
    }

    fn every_ms(&self) -> Option<f64> {
        match self.spec.trigger {
            TriggerSpec::ProcessingTime { every_ms }
            | TriggerSpec::Early {
                early: EarlySpec::ProcessingTime { every_ms },
            } => Some(every_ms),
            _ => None,
        }
    }

    /// Start and end of all windows of fixed edges that contain a time.
    fn edges(size: f64, slide: f64, offset: f64, time: f64) -> Vec<(f64, f64)> {
        let mut edges = Vec::new();
        let mut window = ((time - offset - size) / slide).floor() - 2.0;
        while window * slide + offset <= time {
            let start = window * slide + offset;
            if time < start + size {
                edges.push((start, start + size));
            }
            window += 1.0;
        }
        edges
    }

    pub fn add(&mut self, row: Row, now: f64) {
        self.now = self.now.max(now);
        let time = if self.spec.time == TimeKind::Processing {
            self.now
        } else {
            row.time
        };
        let edges = match &self.spec.assigner {
            AssignerSpec::Count { size, slide } => {
                return self.add_element(row, *size as usize, *slide as usize);
            }
            AssignerSpec::Tumbling {
                size_ms, offset_ms, ..
            } => Self::edges(*size_ms, *size_ms, *offset_ms, time),
            AssignerSpec::Sliding {
                size_ms,
                slide_ms,
                offset_ms,
                ..
            } => Self::edges(*size_ms, *slide_ms, *offset_ms, time),
            AssignerSpec::Session { gap_ms } => vec![self.merge_sessions(row.key, time, time + gap_ms)],
            AssignerSpec::Global => vec![(f64::NEG_INFINITY, f64::INFINITY)],
        };
        if edges.is_empty() {
            self.gaps += 1;
            return;
        }
        let open: Vec<_> = edges
            .into_iter()
            .filter(|&(_, end)| !self.is_closed(end))
            .collect();
        if open.is_empty() {
            self.late.push(row.id);
        }
        for (start, end) in open {
            self.add_to_window(row, start, end);
        }
    }

    /// The session of which a row at this time is part, after merging all that it connects.
    fn merge_sessions(&mut self, key: u32, start: f64, end: f64) -> (f64, f64) {
        let (mut connected, others): (Vec<_>, Vec<_>) = self
            .windows
            .drain(..)
            .partition(|window| window.key == key && window.start < end && start < window.end);
        self.windows = others;
        if connected.is_empty() {
            return (start, end);
        }
        let mut merged = connected.remove(0);
        for other in connected {
            merged.start = merged.start.min(other.start);
            merged.end = merged.end.max(other.end);
            merged.rows.extend(other.rows);
            merged.shown.extend(other.shown);
            merged.timer = match (merged.timer, other.timer) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        merged.start = merged.start.min(start);
        merged.end = merged.end.max(end);
        merged.rows.sort_unstable();
        merged.has_fired = self.is_over(merged.end);
        let edges = (merged.start, merged.end);
        self.windows.push(merged);
        edges
    }

    fn add_to_window(&mut self, row: Row, start: f64, end: f64) {
        let same_key = self.windows.iter().find(|window| window.key == row.key);
        let order = same_key.map_or(self.begun, |window| window.order);
        if same_key.is_none() {
            self.begun += 1;
        }
        let is_over = self.is_over(end);
        let found = |window: &Window| (window.key, window.start, window.end) == (row.key, start, end);
        let at = self.windows.iter().position(found).unwrap_or_else(|| {
            self.windows.push(Window {
                key: row.key,
                order,
                start,
                end,
                rows: Vec::new(),
                shown: Vec::new(),
                timer: None,
                has_fired: is_over,
            });
            self.windows.len() - 1
        });
        self.windows[at].rows.push(row.id);
        let unshown = self.windows[at].rows.len() - self.windows[at].shown.len();
        let has_enough = self.every().is_some_and(|every| unshown >= every);
        if has_enough || (self.fires_at_end() && is_over) {
            self.show(at);
        } else if let Some(every_ms) = self.every_ms() {
            let now = self.now;
            self.windows[at].timer.get_or_insert(now + every_ms);
        }
    }

    fn show(&mut self, at: usize) {
        let window = &mut self.windows[at];
        let unshown = window.rows.iter().filter(|row| !window.shown.contains(row));
        let rows: Vec<usize> = if self.spec.accumulation == Accumulation::Discarding {
            unshown.copied().collect()
        } else {
            window.rows.clone()
        };
        window.shown.clone_from(&window.rows);
        window.timer = None;
        if !rows.is_empty() {
            self.results.push(Shown {
                key: window.key,
                start: window.start,
                end: window.end,
                rows,
            });
        }
    }

    fn add_element(&mut self, row: Row, size: usize, slide: usize) {
        let at = self.elements.iter().position(|(key, _)| *key == row.key);
        let at = at.unwrap_or_else(|| {
            self.elements.push((row.key, Vec::new()));
            self.elements.len() - 1
        });
        let rows = &mut self.elements[at].1;
        rows.push(row.id);
        let count = rows.len();
        let next_end = count.div_ceil(slide) * slide;
        if count - 1 < next_end.saturating_sub(size) {
            self.gaps += 1;
        }
        if count.is_multiple_of(slide) {
            let start = count.saturating_sub(size);
            self.results.push(Shown {
                key: row.key,
                start: start as f64,
                end: count as f64,
                rows: rows[start..].to_vec(),
            });
        }
    }

    pub fn advance(&mut self, watermark: f64, now: f64) {
        self.now = self.now.max(now);
        let reached = if self.spec.time == TimeKind::Processing {
            self.now
        } else {
            watermark
        };
        self.watermark = self.watermark.max(reached);
        self.fire();
    }

    pub fn finish(&mut self) {
        self.watermark = f64::INFINITY;
        self.fire();
        let mut partial = Vec::new();
        if let AssignerSpec::Count { size, slide } = &self.spec.assigner {
            let (size, slide) = (*size as usize, *slide as usize);
            for (order, (key, rows)) in self.elements.iter().enumerate() {
                let count = rows.len();
                let start = (count.div_ceil(slide) * slide).saturating_sub(size);
                if !count.is_multiple_of(slide) && start < count {
                    partial.push((count, start, order, *key, rows[start..].to_vec()));
                }
            }
        }
        partial.sort();
        for (end, start, _, key, rows) in partial {
            self.results.push(Shown {
                key,
                start: start as f64,
                end: end as f64,
                rows,
            });
        }
    }

    /// Shows windows for which `time` says that something was due at that time: by this time, by end, start and key.
    fn show_all(&mut self, time: impl Fn(&Self, &Window) -> Option<f64>) {
        let mut due: Vec<(f64, usize)> = (0..self.windows.len())
            .filter_map(|at| time(self, &self.windows[at]).map(|time| (time, at)))
            .collect();
        due.sort_by(|&(time_a, a), &(time_b, b)| {
            let (a, b) = (&self.windows[a], &self.windows[b]);
            let places = [(time_a, time_b), (a.end, b.end), (a.start, b.start)];
            let by_place = places.map(|(a, b)| a.partial_cmp(&b).unwrap());
            by_place
                .into_iter()
                .find(|order| order.is_ne())
                .unwrap_or(a.order.cmp(&b.order))
        });
        for (_, at) in due {
            self.show(at);
            self.windows[at].has_fired = self.is_over(self.windows[at].end);
        }
    }

    fn fire(&mut self) {
        self.show_all(|oracle, window| {
            let ends_now = oracle.fires_at_end() && oracle.is_over(window.end);
            window.timer.filter(|&timer| timer <= oracle.now && !ends_now)
        });
        self.show_all(|oracle, window| {
            let is_due = oracle.fires_at_end() && !window.has_fired && oracle.is_over(window.end);
            is_due.then_some(0.0)
        });
        self.show_all(|oracle, window| {
            let is_due = window.shown.len() < window.rows.len() && oracle.is_closed(window.end);
            is_due.then_some(0.0)
        });
        let closed: Vec<bool> = self
            .windows
            .iter()
            .map(|window| self.is_closed(window.end))
            .collect();
        let mut closed = closed.into_iter();
        self.windows.retain(|_| closed.next() == Some(false));
    }
}
