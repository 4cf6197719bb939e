//! Sinks that write many files into a directory.

mod created_directories;
mod directory_sink;
mod field_values;
mod hive_name;
mod part_files;
mod partition_fields;
mod without_fields;

pub(crate) use directory_sink::{DirectorySink, OpenFile};
pub(crate) use part_files::PartFiles;
