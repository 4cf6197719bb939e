//! Files of lines.

mod excerpt;
mod file_lines;
mod line_blocks;
mod line_error;
mod line_number;
mod utf8_lines;

pub(crate) use excerpt::excerpt;
pub(crate) use file_lines::FileLines;
pub(crate) use line_blocks::{LineBlocks, NextBlock};
pub(crate) use line_error::line_error;
use line_number::line_number_at;
pub(crate) use utf8_lines::{NextLines, Utf8Lines};
