//! A key as canonical bytes.

/// The two parts of canonical key bytes: the tag, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawKey<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
}
