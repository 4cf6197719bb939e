//! Which files a source reads, and which parts of them each instance.

mod compression;
mod file_part;
mod file_parts;
mod file_pattern;
mod file_set;
mod file_stamp;
mod file_watcher;
mod glob_pattern;
mod input_file;
mod open_file;
mod parts_left;
mod share_files;
mod share_left;

pub(crate) use compression::{Compression, CompressionSetting, HEAD_BYTES};
pub(crate) use file_part::{FilePart, OPEN_END, PartStart};
pub(crate) use file_parts::{FileParts, NextPart};
pub(crate) use file_set::FileSet;
pub(crate) use file_stamp::FileStamp;
pub(crate) use file_watcher::WatchedFile;
pub(crate) use input_file::{InputFile, STANDARD_INPUT};
pub(crate) use open_file::{open_file, open_seekable};
pub(crate) use parts_left::PartsLeft;
pub(crate) use share_left::share_left;
