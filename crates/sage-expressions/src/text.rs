//! Texts as JavaScript has them: UTF-16, of which most are UTF-8 without loss.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A text. Well-formed ones are UTF-8; only those with an unpaired surrogate are UTF-16.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text<'a> {
    /// Without unpaired surrogates.
    Utf8(Cow<'a, str>),
    /// With at least one.
    Utf16(Vec<u16>),
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Utf8(Cow::Borrowed(text))
    }
}

impl<'a> Text<'a> {
    /// The text of these units.
    #[must_use]
    pub fn from_units(units: Vec<u16>) -> Self {
        match String::from_utf16(&units) {
            Ok(text) => Self::Utf8(Cow::Owned(text)),
            Err(_) => Self::Utf16(units),
        }
    }

    /// The text of WTF-8 bytes, as [`sage_frame::Wtf8Column`] has them.
    #[must_use]
    pub fn from_wtf8(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from(text),
            Err(_) => Self::from_units(units_of_wtf8(bytes)),
        }
    }

    /// The UTF-16 code units.
    #[must_use]
    pub fn units(&self) -> Cow<'_, [u16]> {
        match self {
            Self::Utf8(text) => Cow::Owned(text.encode_utf16().collect()),
            Self::Utf16(units) => Cow::Borrowed(units),
        }
    }

    /// The same text with memory of its own.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        match self {
            Self::Utf8(text) => Text::Utf8(Cow::Owned(text.into_owned())),
            Self::Utf16(units) => Text::Utf16(units),
        }
    }

    /// The text with U+FFFD in place of unpaired surrogates, for messages.
    #[must_use]
    pub fn to_message(&self) -> Cow<'_, str> {
        match self {
            Self::Utf8(text) => Cow::Borrowed(text),
            Self::Utf16(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }

    /// Number of UTF-16 code units.
    #[must_use]
    pub fn len_units(&self) -> usize {
        match self {
            Self::Utf8(text) => len_units(text),
            Self::Utf16(units) => units.len(),
        }
    }

    /// By code units, as `<` of JavaScript.
    #[must_use]
    pub fn compare(&self, other: &Text<'_>) -> Ordering {
        match (self, other) {
            (Self::Utf8(left), Text::Utf8(right)) => compare(left, right),
            _ => self.units().cmp(&other.units()),
        }
    }

    /// As `toLowerCase`.
    #[must_use]
    pub fn lower(&self) -> Text<'static> {
        self.map_parts(str::to_lowercase)
    }

    /// As `toUpperCase`.
    #[must_use]
    pub fn upper(&self) -> Text<'static> {
        self.map_parts(str::to_uppercase)
    }

    /// Maps what lies between unpaired surrogates, which have no case and are no part of a word.
    fn map_parts(&self, map: impl Fn(&str) -> String) -> Text<'static> {
        let units = match self {
            Self::Utf8(text) => return Text::Utf8(Cow::Owned(map(text))),
            Self::Utf16(units) => units,
        };
        let mut mapped = Vec::with_capacity(units.len());
        let mut part = String::new();
        for decoded in char::decode_utf16(units.iter().copied()) {
            match decoded {
                Ok(character) => part.push(character),
                Err(unpaired) => {
                    mapped.extend(map(&part).encode_utf16());
                    part.clear();
                    mapped.push(unpaired.unpaired_surrogate());
                }
            }
        }
        mapped.extend(map(&part).encode_utf16());
        Text::from_units(mapped)
    }

    /// As `trim`.
    #[must_use]
    pub fn trim(&self) -> Text<'_> {
        match self {
            Self::Utf8(text) => Text::from(trim(text)),
            Self::Utf16(units) => {
                let is_space = |unit: &u16| char::from_u32(u32::from(*unit)).is_some_and(is_white_space);
                let start = units.iter().take_while(|unit| is_space(unit)).count();
                let end = units.iter().rev().take_while(|unit| is_space(unit)).count();
                Text::from_units(units[start..(units.len() - end).max(start)].to_vec())
            }
        }
    }

    /// As `slice(start, end)`; numbers as JavaScript takes them.
    #[must_use]
    pub fn slice(&self, start: f64, end: Option<f64>) -> Text<'_> {
        match self {
            Self::Utf8(text) => slice(text, start, end),
            Self::Utf16(units) => {
                let (start, end) = slice_range(units.len(), start, end);
                Text::from_units(units[start..end].to_vec())
            }
        }
    }

    /// Whether the other one is a part of it.
    #[must_use]
    pub fn contains(&self, part: &Text<'_>) -> bool {
        if let (Self::Utf8(text), Text::Utf8(part)) = (self, part) {
            return memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some();
        }
        find_units(&self.units(), &part.units(), 0).is_some()
    }

    /// Whether it begins with the other one.
    #[must_use]
    pub fn starts_with(&self, start: &Text<'_>) -> bool {
        match (self, start) {
            (Self::Utf8(text), Text::Utf8(start)) => text.starts_with(&**start),
            _ => self.units().starts_with(&start.units()),
        }
    }

    /// Whether it ends with the other one.
    #[must_use]
    pub fn ends_with(&self, end: &Text<'_>) -> bool {
        match (self, end) {
            (Self::Utf8(text), Text::Utf8(end)) => text.ends_with(&**end),
            _ => self.units().ends_with(&end.units()),
        }
    }

    /// With every occurrence of `search`, which is not empty, replaced.
    #[must_use]
    pub fn replace(&self, search: &Text<'_>, replacement: &Text<'_>) -> Text<'static> {
        if let (Self::Utf8(text), Text::Utf8(search), Text::Utf8(replacement)) = (self, search, replacement) {
            return Text::Utf8(Cow::Owned(text.replace(&**search, replacement)));
        }
        let (units, search, replacement) = (self.units(), search.units(), replacement.units());
        let mut replaced = Vec::with_capacity(units.len());
        let mut from = 0;
        while let Some(found) = find_units(&units, &search, from).filter(|_| !search.is_empty()) {
            replaced.extend_from_slice(&units[from..found]);
            replaced.extend_from_slice(&replacement);
            from = found + search.len();
        }
        replaced.extend_from_slice(&units[from..]);
        Text::from_units(replaced)
    }

    /// All of them, one behind the other: two halves of a surrogate pair may meet.
    #[must_use]
    pub fn concat(texts: &[Text<'a>]) -> Text<'static> {
        let mut joined = String::new();
        for text in texts {
            let Self::Utf8(text) = text else {
                let units = texts.iter().flat_map(|text| text.units().into_owned());
                return Text::from_units(units.collect());
            };
            joined.push_str(text);
        }
        Text::Utf8(Cow::Owned(joined))
    }
}

/// UTF-16 code units of a text.
pub(crate) fn len_units(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(char::len_utf16).sum()
}

/// By UTF-16 code units.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    // Below the surrogates UTF-8 has the same order. 0xee begins what is above them, 0xf0 what is written with them.
    let is_high = |text: &str| text.bytes().any(|byte| byte >= 0xee);
    if is_high(left) && is_high(right) {
        left.encode_utf16().cmp(right.encode_utf16())
    } else {
        left.cmp(right)
    }
}

/// What JavaScript takes for white space and ends of lines.
pub(crate) const fn is_white_space(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r'
            | ' '
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '\u{feff}'
    )
}

/// As `trim`.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_white_space)
}

/// A part of a text by UTF-16 code units.
pub(crate) fn slice(text: &str, start: f64, end: Option<f64>) -> Text<'_> {
    if text.is_ascii() {
        let (start, end) = slice_range(text.len(), start, end);
        return Text::from(&text[start..end]);
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let (start, end) = slice_range(units.len(), start, end);
    Text::from_units(units[start..end].to_vec())
}

/// Where `slice` begins and ends: negative numbers count from the end, and there is no part backwards.
fn slice_range(length: usize, start: f64, end: Option<f64>) -> (usize, usize) {
    let start = place(length, start);
    let end = end.map_or(length, |end| place(length, end));
    (start, end.max(start))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the length before, and not negative"
)]
fn place(length: usize, number: f64) -> usize {
    let whole = if number.is_nan() { 0.0 } else { number.trunc() };
    let length = length as f64;
    let from_start = if whole < 0.0 {
        (length + whole).max(0.0)
    } else {
        whole
    };
    from_start.min(length) as usize
}

fn find_units(units: &[u16], part: &[u16], from: usize) -> Option<usize> {
    if part.is_empty() {
        return Some(from);
    }
    units
        .get(from..)?
        .windows(part.len())
        .position(|window| window == part)
        .map(|found| from + found)
}

/// UTF-8 in which surrogates may stand as sequences of three bytes.
fn units_of_wtf8(bytes: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                units.extend(text.encode_utf16());
                break;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                units.extend(String::from_utf8_lossy(good).encode_utf16());
                let Some((&[_, second, third], behind)) = bad.split_first_chunk::<3>() else {
                    break;
                };
                units.push(0xd000 | (u16::from(second & 0x3f) << 6) | u16::from(third & 0x3f));
                rest = behind;
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_by_code_units() {
        // The pair begins with 0xd83d, below 0xff5e, though the code point is above.
        assert_eq!(Text::from("😀").compare(&Text::from("～")), Ordering::Less);
        assert_eq!(Text::from("a").compare(&Text::from("～")), Ordering::Less);
        assert_eq!(
            Text::from("😀").compare(&Text::Utf16(vec![0xd83d])),
            Ordering::Greater
        );
    }

    #[test]
    fn halves_of_a_pair_part_and_meet() {
        let (text, half) = (Text::from("a😀b"), Text::Utf16(vec![0xd83d]));
        assert_eq!(text.slice(1.0, Some(2.0)), half);
        assert_eq!(
            Text::concat(&[half.clone(), Text::Utf16(vec![0xde00])]),
            Text::from("😀")
        );
        assert!(text.contains(&half));
        assert!(!text.starts_with(&half));
        assert_eq!(
            text.replace(&half, &Text::from("x")),
            Text::Utf16(vec![97, 120, 0xde00, 98])
        );
        assert_eq!(Text::from_wtf8(b"a\xed\xa0\xbd"), Text::Utf16(vec![97, 0xd83d]));
    }

    #[test]
    fn case_and_white_space_are_those_of_javascript() {
        assert_eq!(Text::from("ΑΣ").lower(), Text::from("ας"));
        assert_eq!(Text::from("straße").upper(), Text::from("STRASSE"));
        assert_eq!(
            Text::Utf16(vec![0x41, 0xd83d, 0x42]).lower(),
            Text::Utf16(vec![0x61, 0xd83d, 0x62])
        );
        assert_eq!(Text::from("\u{feff} a\u{85}\u{a0}").trim(), Text::from("a\u{85}"));
    }

    #[test]
    fn a_slice_takes_any_numbers() {
        let slice = |start, end| Text::from("abcdef").slice(start, end).into_owned();
        assert_eq!(slice(-2.9, None), Text::from("ef"));
        assert_eq!(slice(f64::NAN, Some(1.9)), Text::from("a"));
        assert_eq!(slice(4.0, Some(2.0)), Text::from(""));
        assert_eq!(
            slice(f64::NEG_INFINITY, Some(f64::INFINITY)),
            Text::from("abcdef")
        );
    }
}
