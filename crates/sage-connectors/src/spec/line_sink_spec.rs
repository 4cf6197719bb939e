//! What a writer of lines is asked to do.

use serde::Deserialize;

use crate::output::Compression;
use crate::spec::InvalidStrings;

/// `{"type":"textLines","path":…}`: each record, a string, number or boolean, a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TextLinesSinkSpec {
    #[serde(default)]
    pub(crate) invalid_strings: InvalidStrings,
    #[serde(default)]
    pub(crate) append: bool,
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
}

/// `{"type":"jsonLines","path":…}`: each record a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonLinesSinkSpec {
    #[serde(default)]
    pub(crate) append: bool,
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
}

/// `{"type":"json","path":…}`: all records one array.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsonSinkSpec {
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
}

/// How a file of text is compressed. TypeScript has looked at the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LineCompression {
    #[default]
    None,
    Gzip,
    Zstd,
}

impl LineCompression {
    pub(super) fn with_level(self, level: Option<u8>) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip => Compression::Gzip {
                level: level.unwrap_or(6).min(9).into(),
            },
            Self::Zstd => Compression::Zstd {
                level: level.unwrap_or(3).clamp(1, 22).into(),
            },
        }
    }
}
