//! A file system for tests, which fails and crashes when it is told to.

mod simulated_disk;
mod simulated_files;

pub use simulated_files::SimulatedFiles;
