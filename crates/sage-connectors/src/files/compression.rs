//! How a file is compressed.

use serde::{Deserialize, Serialize};

/// A compression that is unpacked while reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// The option `compression` of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "CompressionName")]
pub(crate) enum CompressionSetting {
    /// Each file says it by its first bytes.
    #[default]
    Auto,
    Known(Compression),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum CompressionName {
    Auto,
    None,
    Gzip,
    Zstd,
}

impl From<CompressionName> for CompressionSetting {
    fn from(name: CompressionName) -> Self {
        match name {
            CompressionName::Auto => Self::Auto,
            CompressionName::None => Self::Known(Compression::None),
            CompressionName::Gzip => Self::Known(Compression::Gzip),
            CompressionName::Zstd => Self::Known(Compression::Zstd),
        }
    }
}

/// First bytes that are enough to tell.
pub(crate) const HEAD_BYTES: usize = 4;

const GZIP: [u8; 2] = [0x1F, 0x8B];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// A frame without data, with which parallel compressors begin; the first byte is one of sixteen.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];

impl Compression {
    /// The compression by the first bytes of a file. No text begins with those of gzip or zstd: they are not UTF-8, or
    /// hold a control character.
    pub(crate) fn detect(head: &[u8]) -> Self {
        if head.starts_with(&GZIP) {
            Self::Gzip
        } else if head.starts_with(&ZSTD) || is_skippable(head) {
            Self::Zstd
        } else {
            Self::None
        }
    }

    /// Whether these may be the first bytes of such data.
    pub(crate) fn may_begin(self, head: &[u8]) -> bool {
        self == Self::None || Self::needs_more(head) || Self::detect(head) == self
    }

    /// Whether more bytes may change what [`Compression::detect`] says.
    pub(crate) fn needs_more(head: &[u8]) -> bool {
        let begins = |magic: &[u8]| magic.starts_with(head) && head.len() < magic.len();
        let skippable = match head {
            [] => true,
            [first, rest @ ..] => {
                first & 0xF0 == 0x50 && ZSTD_SKIPPABLE.starts_with(rest) && rest.len() < ZSTD_SKIPPABLE.len()
            }
        };
        begins(&GZIP) || begins(&ZSTD) || skippable
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

fn is_skippable(head: &[u8]) -> bool {
    head.first().is_some_and(|first| first & 0xF0 == 0x50) && head[1..].starts_with(&ZSTD_SKIPPABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_and_no_more_are_waited_for_than_needed() {
        for (head, compression) in [
            (&b""[..], Compression::None),
            (b"{", Compression::None),
            (b"(\"", Compression::None),
            (b"P*M", Compression::None),
            (b"\x1F\x8B", Compression::Gzip),
            (b"\x1F\x8B\x08\0", Compression::Gzip),
            (b"\x28\xB5\x2F\xFD", Compression::Zstd),
            (b"\x5A\x2A\x4D\x18", Compression::Zstd),
        ] {
            assert_eq!(Compression::detect(head), compression, "{head:?}");
        }
        for head in [&b""[..], b"\x1F", b"(", b"\x28\xB5\x2F", b"P", b"\x5A\x2A\x4D"] {
            assert!(Compression::needs_more(head), "{head:?}");
        }
        for head in [
            &b"{"[..],
            b"\x1F\x8B",
            b"\x1Fx",
            b"(x",
            b"PO",
            b"\x28\xB5\x2F\xFD",
            b"\x5A\x2A\x4D\x18",
        ] {
            assert!(!Compression::needs_more(head), "{head:?}");
        }
    }
}
