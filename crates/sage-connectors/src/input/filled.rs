//! What a read of an input gives.

/// What reading gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing yet: see [`crate::input::ByteInput::wait`].
    NotYet,
    End,
}
