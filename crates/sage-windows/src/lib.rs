//! Windows of a keyed stream: which rows belong together, and when their result is given.
//!
//! A [`WindowTable`] does the bookkeeping: keys, windows, panes, sessions, lateness, triggers. What is kept for a window it
//! leaves to a [`PaneAccumulators`]: [`NativeAccumulators`] keeps built-in aggregates as columns, [`ProgramRecorder`] writes
//! down what JavaScript has to do with accumulators of its own. So both always agree on what happens when.
//!
//! Everything is given row by row in the order of the rows, so that results and their order never depend on how rows are cut
//! into batches. `docs/internals/windows.md` explains the parts.

#![forbid(unsafe_code)]
#![expect(
    clippy::float_cmp,
    reason = "edges of a window are the same numbers wherever they are computed"
)]

mod accumulator_ids;
mod assigner;
mod count_panes;
mod dense_pane;
mod dense_panes;
mod key_panes;
mod key_windows;
mod native_accumulators;
mod native_windows;
mod pane_accumulators;
mod pane_grid;
mod pane_places;
mod pane_stacks;
mod pane_state;
mod program_recorder;
mod program_word;
mod progress;
mod recorded_windows;
mod result_rows;
mod row_report;
mod saved_key;
mod saved_windows;
mod schedule;
mod slot_list;
mod time_panes;
mod trigger_rule;
mod triggered_windows;
mod window_book;
mod window_due;
mod window_spec;
mod window_table;
mod zone_table;

pub use accumulator_ids::AccumulatorIds;
pub use native_accumulators::NativeAccumulators;
pub use native_windows::NativeWindows;
pub use pane_accumulators::PaneAccumulators;
pub use program_recorder::{Program, ProgramRecorder};
pub use program_word::word;
pub use recorded_windows::RecordedWindows;
pub use window_spec::{Accumulation, AssignerSpec, EarlySpec, TimeKind, TriggerSpec, WindowSpec, ZoneOffset};
pub use window_table::{WindowCounts, WindowTable};

/// Times of rows are at most so many milliseconds before or after 1970: the range of a JavaScript `Date`.
pub const MAX_TIME_MS: f64 = 8.64e15;
