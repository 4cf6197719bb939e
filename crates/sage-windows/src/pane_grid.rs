//! Windows with fixed edges, and the panes that these edges cut time into.

use std::ops::Range;

use crate::zone_table::ZoneTable;

/// Beyond all edges of windows that can have rows.
const MAX_EDGE_MS: f64 = 4.0e16;

/// Windows of one size at equal distances, and the *panes* between neighbouring edges of any of them: no edge of a window is
/// inside a pane, so a row belongs to one pane, and a window is a row of whole panes.
///
/// Window `k` starts at `k * slide + offset`. Where the size is a multiple of the slide, pane `k` lies between the starts
/// of the windows `k` and `k + 1`. Else the ends of windows cut each of these in two: `2 * k` and `2 * k + 1`.
/// Both count below zero.
#[derive(Debug, Clone)]
pub(crate) struct PaneGrid {
    slide: f64,
    offset: f64,
    /// Whole slides in a window.
    slides: i64,
    /// What is left of the size.
    rest: f64,
    /// In local time, if any; the panes are then of local time.
    zone: Option<ZoneTable>,
}

impl PaneGrid {
    /// Windows of `size` every `slide`, of which one starts at `offset`.
    pub(crate) fn new(size: f64, slide: f64, offset: f64, zone: Option<ZoneTable>) -> Self {
        let rest = size % slide;
        Self {
            slide,
            offset: offset.rem_euclid(slide),
            slides: whole((size - rest) / slide),
            rest,
            zone,
        }
    }

    /// Start of a window.
    #[inline]
    pub(crate) fn window_start(&self, window: i64) -> f64 {
        self.to_utc(self.edge(window))
    }

    /// End of a window: the first time behind it.
    #[inline]
    pub(crate) fn window_end(&self, window: i64) -> f64 {
        self.to_utc(self.edge(window + self.slides) + self.rest)
    }

    /// The panes of a window.
    #[inline]
    pub(crate) fn panes_of(&self, window: i64) -> Range<i64> {
        let end = window + self.slides;
        if self.is_halved() {
            2 * window..2 * end + 1
        } else {
            window..end
        }
    }

    /// Number of panes of a window.
    pub(crate) fn panes_per_window(&self) -> i64 {
        let panes = self.panes_of(0);
        panes.end - panes.start
    }

    /// The first window that a pane is part of; after [`PaneGrid::last_window`] when there is none.
    #[inline]
    pub(crate) fn first_window(&self, pane: i64) -> i64 {
        if self.is_halved() {
            // The first half is also part of the window that ends with it.
            pane.div_euclid(2) - self.slides + (pane & 1)
        } else {
            pane - self.slides + 1
        }
    }

    /// The last window that a pane is part of.
    #[inline]
    pub(crate) fn last_window(&self, pane: i64) -> i64 {
        if self.is_halved() {
            pane.div_euclid(2)
        } else {
            pane
        }
    }

    /// The pane of a time, and the times between which it lies: the second is the first that is not in it.
    #[inline]
    pub(crate) fn pane_at(&self, time: f64) -> (i64, f64, f64) {
        let local = match &self.zone {
            None => time,
            Some(zone) => zone.to_local(time),
        };
        let mut slide = floor((local - self.offset) / self.slide);
        let (mut start, mut end) = (self.window_start(slide), self.window_start(slide + 1));
        // The quotient is rounded, and clocks are set back; the edges decide.
        while start > time {
            slide -= 1;
            (start, end) = (self.window_start(slide), start);
        }
        while end <= time {
            slide += 1;
            (start, end) = (end, self.window_start(slide + 1));
        }
        if !self.is_halved() {
            return (slide, start, end);
        }
        let middle = self.to_utc(self.edge(slide) + self.rest);
        if time < middle {
            (2 * slide, start, middle)
        } else {
            (2 * slide + 1, middle, end)
        }
    }

    /// The pane of a time.
    #[inline]
    pub(crate) fn number_at(&self, time: f64) -> i64 {
        if self.zone.is_none() && !self.is_halved() {
            let pane = floor((time - self.offset) / self.slide);
            if self.edge(pane) <= time && time < self.edge(pane + 1) {
                return pane;
            }
        }
        self.pane_at(time).0
    }

    /// The first window for whose end `is_over` does not hold, if it holds for the ends of all windows before one.
    /// `around` is a time near there.
    pub(crate) fn first_not_over(&self, around: f64, is_over: impl Fn(f64) -> bool) -> i64 {
        if around < -MAX_EDGE_MS {
            return i64::MIN;
        }
        if around > MAX_EDGE_MS {
            return i64::MAX;
        }
        let mut window = floor((around - self.offset - self.rest) / self.slide) - self.slides;
        while is_over(self.window_end(window)) {
            window += 1;
        }
        while !is_over(self.window_end(window - 1)) {
            window -= 1;
        }
        window
    }

    #[inline]
    const fn is_halved(&self) -> bool {
        self.rest > 0.0
    }

    #[inline]
    fn edge(&self, slide: i64) -> f64 {
        slide as f64 * self.slide + self.offset
    }

    #[inline]
    fn to_utc(&self, local: f64) -> f64 {
        match &self.zone {
            None => local,
            Some(zone) => zone.to_utc(local),
        }
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "times are below 2^56 ms, and slides are 1 ms or more"
)]
const fn whole(number: f64) -> i64 {
    number as i64
}

/// Without a call of the library, which there is on processors that have no instruction for it.
#[inline]
fn floor(number: f64) -> i64 {
    let truncated = whole(number);
    truncated - i64::from(truncated as f64 > number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the definition: all windows that contain a time.
    fn windows_at(size: f64, slide: f64, offset: f64, time: f64) -> Vec<f64> {
        let mut start = time - (time - offset).rem_euclid(slide);
        let mut starts = Vec::new();
        while start + size > time {
            starts.push(start);
            start -= slide;
        }
        starts.reverse();
        starts
    }

    proptest! {
        #[test]
        fn a_row_is_in_the_windows_of_its_pane(
            size in 1_i32..40,
            slide in 1_i32..40,
            offset in -50_i32..50,
            quarter in -2000_i32..2000,
        ) {
            let [size, slide, offset] = [size, slide, offset].map(|half| f64::from(half) / 2.0);
            let time = f64::from(quarter) / 4.0;
            let grid = PaneGrid::new(size, slide, offset, None);
            let (pane, start, end) = grid.pane_at(time);
            prop_assert!(start <= time && time < end);
            prop_assert_eq!(grid.number_at(time), pane);
            prop_assert_eq!(grid.pane_at(start).0, pane);
            prop_assert_eq!(grid.pane_at(end).0, pane + 1);
            let windows = grid.first_window(pane)..=grid.last_window(pane);
            let starts: Vec<f64> = windows.clone().map(|window| grid.window_start(window)).collect();
            prop_assert_eq!(starts, windows_at(size, slide, offset, time));
            for window in windows {
                prop_assert_eq!(grid.window_end(window), grid.window_start(window) + size);
                prop_assert!(grid.panes_of(window).contains(&pane));
            }
        }

        #[test]
        fn the_first_window_that_is_not_over_is_found(
            size in 1_i32..40, slide in 1_i32..40, offset in -50_i32..50, watermark in -1000_i32..1000,
        ) {
            let grid = PaneGrid::new(f64::from(size), f64::from(slide), f64::from(offset), None);
            let watermark = f64::from(watermark);
            let window = grid.first_not_over(watermark, |end| watermark >= end);
            prop_assert!(grid.window_end(window) > watermark);
            prop_assert!(grid.window_end(window - 1) <= watermark);
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for (size, slide) in [
            (1.0, 1.0),
            (8.64e15, 1.0),
            (8.64e15, 8.64e15),
            (1.5, 1.1),
            (3.0, 7.0),
        ] {
            let grid = PaneGrid::new(size, slide, 0.5, None);
            for time in [-8.64e15, -8.64e15 + 1.0, -1.0, 0.0, 8.64e15 - 1.0, 8.64e15] {
                let (pane, start, end) = grid.pane_at(time);
                assert!(start <= time && time < end, "{size} {slide} {time}");
                assert_eq!(grid.number_at(time), pane);
                assert!(grid.first_window(pane) <= grid.last_window(pane) + 1);
                for watermark in [time, time + size, -1e300, 1e300] {
                    grid.first_not_over(watermark, |end| watermark >= end);
                }
            }
        }
        let grid = PaneGrid::new(10.0, 5.0, 0.0, None);
        assert_eq!(grid.first_not_over(f64::NEG_INFINITY, |_| false), i64::MIN);
        assert_eq!(grid.first_not_over(f64::INFINITY, |_| true), i64::MAX);
    }
}
