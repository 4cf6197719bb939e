//! The windows of one operator, whoever keeps their accumulators.

use sage_frame::{BatchView, Frame, LayoutRegistry};
use sage_types::Result;
use sage_windows::{NativeWindows, Program, RecordedWindows, WindowCounts, WindowSpec};

use crate::guard::internal;

/// The windows of one operator.
pub(crate) enum WindowOperator {
    /// The core has the accumulators.
    Native {
        windows: Box<NativeWindows>,
        /// Results for which there was no room.
        held: Option<Frame>,
    },
    /// JavaScript has them.
    Recorded(Box<RecordedWindows>),
}

/// Calls `$call` with the bookkeeping of either.
macro_rules! with_table {
    ($self:expr, $accessor:ident, |$table:ident| $call:expr) => {
        match $self {
            WindowOperator::Native { windows, .. } => {
                let $table = windows.$accessor();
                $call
            }
            WindowOperator::Recorded(windows) => {
                let $table = windows.$accessor();
                $call
            }
        }
    };
}

impl WindowOperator {
    /// Windows without rows.
    pub(crate) fn new(spec_json: &str) -> Result<Self> {
        let spec = WindowSpec::from_json(spec_json)?;
        if spec.aggregates.is_none() {
            return Ok(Self::Recorded(Box::new(RecordedWindows::new(&spec)?)));
        }
        Ok(Self::Native {
            windows: Box::new(NativeWindows::new(&spec)?),
            held: None,
        })
    }

    /// Adds rows from `from` on, and writes how many were late and which. Where to go on.
    pub(crate) fn add(
        &mut self,
        view: &BatchView<'_>,
        times: &[f64],
        from: usize,
        now_ms: f64,
        late: &mut [i32],
    ) -> Result<usize> {
        let Some((count, places)) = late
            .split_first_mut()
            .filter(|(_, places)| places.len() >= view.rows())
        else {
            return Err(internal("there is no room for the late rows of a batch"));
        };
        with_table!(self, table_mut, |table| {
            let next = table.add(view, times, from, now_ms)?;
            *count = 0;
            for (place, row) in places.iter_mut().zip(table.late()) {
                *place = row.cast_signed();
                *count += 1;
            }
            Ok(next)
        })
    }

    pub(crate) fn advance(&mut self, watermark: f64, now_ms: f64) -> Result<()> {
        with_table!(self, table_mut, |table| table.advance(watermark, now_ms))
    }

    pub(crate) fn finish(&mut self) {
        with_table!(self, table_mut, |table| table.finish());
    }

    pub(crate) fn has_more(&self) -> bool {
        let is_held = matches!(self, Self::Native { held: Some(_), .. });
        is_held || with_table!(self, table, |table| table.has_more())
    }

    pub(crate) fn counts(&self) -> WindowCounts {
        with_table!(self, table, |table| table.counts())
    }

    pub(crate) fn bytes_used(&self) -> usize {
        with_table!(self, table, |table| table.bytes_used())
    }

    /// Gives the next results to `take`, which takes them if it returns true; false when there are none.
    pub(crate) fn fire(
        &mut self,
        max_results: usize,
        registry: &LayoutRegistry,
        take: impl FnOnce(&Frame) -> Result<bool>,
    ) -> Result<bool> {
        let Self::Native { windows, held } = self else {
            return Err(internal("JavaScript has the accumulators of these windows"));
        };
        if held.is_none() {
            *held = windows.fire(max_results, registry)?;
        }
        let Some(frame) = held else {
            return Ok(false);
        };
        if take(frame)? {
            *held = None;
        }
        Ok(true)
    }

    /// Gives the next program to `take`, which takes it if it returns true; false when there is nothing to do.
    pub(crate) fn program(
        &mut self,
        max_results: usize,
        take: impl FnOnce(&Program) -> Result<bool>,
    ) -> Result<bool> {
        let Self::Recorded(windows) = self else {
            return Err(internal("the core has the accumulators of these windows"));
        };
        let program = windows.program(max_results);
        if program.words.is_empty() {
            return Ok(false);
        }
        if take(program)? {
            windows.take_program();
        }
        Ok(true)
    }
}
