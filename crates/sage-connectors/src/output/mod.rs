//! Files that appear when they are complete.

mod output_file;
mod part_path;

pub(crate) use output_file::OutputFile;
pub(crate) use part_path::part_path;
