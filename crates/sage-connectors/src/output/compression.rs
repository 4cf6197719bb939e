//! How a file of lines is compressed.

/// The method and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Compression {
    #[default]
    None,
    /// Level 0 to 9.
    Gzip { level: u32 },
    /// Level 1 to 22.
    Zstd { level: i32 },
}

/// The first bytes of a gzip member.
const GZIP_MAGIC: &[u8] = &[0x1F, 0x8B];
/// The first bytes of a zstd frame.
const ZSTD_MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

impl Compression {
    /// What a file name ends with behind the extension of its format.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip { .. } => ".gz",
            Self::Zstd { .. } => ".zst",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "not compressed",
            Self::Gzip { .. } => "gzip",
            Self::Zstd { .. } => "zstd",
        }
    }

    /// Whether a file that begins with these bytes may go on in this form.
    pub(crate) fn fits(self, head: &[u8]) -> bool {
        match self {
            Self::None => !head.starts_with(GZIP_MAGIC) && !head.starts_with(ZSTD_MAGIC),
            Self::Gzip { .. } => head.starts_with(GZIP_MAGIC),
            Self::Zstd { .. } => head.starts_with(ZSTD_MAGIC),
        }
    }
}
