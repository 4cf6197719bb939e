//! Strings of JavaScript as UTF-8.

use std::borrow::Cow;

use crate::spec::InvalidStrings;
use crate::wtf8;

/// What is wrong with a record when [`well_formed`] gives nothing.
pub(crate) const UNPAIRED_SURROGATE: &str = "has an unpaired surrogate, which UTF-8 cannot hold; \
     the option invalidStrings: 'replace' writes U+FFFD instead";

/// The string in UTF-8; `None` when it is not and nothing is to be replaced.
pub(crate) fn well_formed(string: &[u8], invalid_strings: InvalidStrings) -> Option<Cow<'_, [u8]>> {
    if wtf8::find_surrogate(string).is_none() {
        return Some(Cow::Borrowed(string));
    }
    if invalid_strings == InvalidStrings::Error {
        return None;
    }
    // Three bytes for three: U+FFFD has as many as a surrogate.
    let mut text = string.to_vec();
    while let Some(at) = wtf8::find_surrogate(&text) {
        text[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
    }
    Some(Cow::Owned(text))
}
