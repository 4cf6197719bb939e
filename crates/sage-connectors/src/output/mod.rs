//! Where files go, how they are compressed, and when they appear.

mod appended_file;
mod compression;
mod durable;
mod encoder;
mod file_state;
mod file_version;
mod line_output;
mod live_output;
mod output_file;
mod part_path;
mod raw_output;
mod saved_bytes;
mod temporary_file;

pub(crate) use compression::Compression;
pub use durable::file_syncs;
pub(crate) use durable::sync_directories_of;
pub(crate) use file_state::FileState;
pub(crate) use line_output::{LineCounts, LineOutput};
pub(crate) use output_file::{FileOptions, OutputFile};
pub(crate) use part_path::{is_directory, part_path};
pub(crate) use saved_bytes::{SavedReader, SavedWriter, malformed};

/// The path that stands for standard output.
pub(crate) const STANDARD_OUTPUT: &str = "-";
