//! Bytes of files, pipes and the standard input, unpacked where they are compressed.

mod byte_input;
mod byte_window;
mod counted_reader;
mod filled;
#[cfg(test)]
mod pieces;
mod polled_file;
mod standard_input;
mod unpacker;

pub(crate) use byte_input::ByteInput;
pub(crate) use byte_window::{ByteWindow, Interrupt};
pub(crate) use filled::Filled;
#[cfg(test)]
pub(crate) use pieces::Pieces;
