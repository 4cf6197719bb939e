//! Native readers and writers: text lines, JSON lines, CSV, JSON, Parquet, Arrow.
//!
//! A source goes through these folders from top to bottom: `files` says what there is to read, `input` has its bytes, `lines`
//! cuts them where the format is one of lines, `formats` finds values in them and puts them into `columns`, and `sources` has
//! a reader for each format. A sink has a writer for each in `sinks`, with the same `formats`, and writes to `output`. What
//! TypeScript asks for is in `spec`.

mod batch_sink;
mod batch_source;
mod cancellation;
mod columns;
mod files;
mod formats;
mod input;
mod io_error;
mod lines;
mod open_sink;
mod open_source;
mod output;
mod sinks;
mod source_split;
mod sources;
mod spec;
mod split_plan;
mod wtf8;

pub use batch_sink::{BatchSink, Guarantee, Restored, SinkReport};
pub use batch_source::{BatchSource, NextBatch, SavedPosition, SourceStatistics};
pub use cancellation::Cancellation;
pub use open_sink::{open_sink, resume_sink};
pub use open_source::{check_resumable, open_source, resume_source};
pub use output::file_syncs;
pub use source_split::SourceSplit;
pub use split_plan::{SplitPlan, pin_source, plan_splits, probe};
