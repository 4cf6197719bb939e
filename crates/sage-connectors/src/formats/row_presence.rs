//! Which rows of a column have a value.

use sage_frame::presence;

/// Presence of the rows of a column to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPresence<'a>(Option<&'a [u8]>);

impl<'a> RowPresence<'a> {
    /// As a [`sage_frame::Column`] has it: all rows have a value without one.
    pub(crate) fn new(presence: Option<&'a [u8]>) -> Self {
        Self(presence)
    }

    /// One value of [`presence`].
    #[inline]
    pub(crate) fn of(&self, row: usize) -> u8 {
        match self.0 {
            None => presence::VALUE,
            Some(presence) => presence.get(row).copied().unwrap_or(presence::MISSING),
        }
    }
}
