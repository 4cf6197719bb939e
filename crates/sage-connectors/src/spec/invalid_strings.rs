//! Strings that UTF-8 cannot hold.

use serde::Deserialize;

/// What happens to a string with an unpaired surrogate, which UTF-8 cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum InvalidStrings {
    #[default]
    Error,
    /// The surrogate becomes U+FFFD, as Node's encoder does.
    Replace,
}
