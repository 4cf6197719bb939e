//! Bytes of files, pipes and the standard input, unpacked where they are compressed.

mod byte_input;
mod byte_position;
mod byte_window;
mod counted_reader;
mod filled;
mod interrupt;
#[cfg(test)]
mod pieces;
mod polled_file;
mod standard_input;
mod unpacker;

pub(crate) use byte_input::ByteInput;
pub(crate) use byte_position::byte_position;
pub(crate) use byte_window::ByteWindow;
pub(crate) use filled::Filled;
pub(crate) use interrupt::Interrupt;
#[cfg(test)]
pub(crate) use pieces::Pieces;
