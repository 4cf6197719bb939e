//! What names a part of an epoch.

use std::fmt;

/// Which instance of which operator handed a part over, and which of its parts it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartKey {
    /// The `uid` that the user gave, else `name:<unique name of the operator>`.
    pub operator: String,
    /// The instance, from 0.
    pub instance: u32,
    /// How many instances there were.
    pub parallelism: u32,
    /// Which part of the operator: `position`, `state`, `timers` ...
    pub name: String,
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operator,
            instance,
            parallelism,
            name,
        } = self;
        write!(
            f,
            "part '{name}' of '{operator}', instance {instance} of {parallelism}"
        )
    }
}

/// How a part is shared out among instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// Bytes that only the instance understands.
    Own,
    /// Entries by key group, see [`crate::EntryReader`].
    Keyed,
}

impl PartKind {
    /// The byte for it in task images, epoch files and read results.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Own => 1,
            Self::Keyed => 2,
        }
    }

    /// The kind of a byte; none of a byte that is no kind.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Own),
            2 => Some(Self::Keyed),
            _ => None,
        }
    }

    /// The word for it in listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Keyed => "keyed",
        }
    }
}
