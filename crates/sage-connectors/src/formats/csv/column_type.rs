//! What the cells of a column become.

use std::borrow::Cow;

use crate::formats::csv::parse_date;
use crate::formats::json::{JsonCursor, Number, parse_number};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CsvType {
    Text,
    Number,
    Bool,
    Date,
    Json,
}

/// Who said what the type of a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeOrigin {
    /// The user: what does not fit is an error of the row.
    Given,
    /// The first rows: what does not fit stays a string.
    Inferred,
}

/// The value of a cell that is neither text nor null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CellValue<'a> {
    Number(f64),
    Bool(bool),
    /// Milliseconds since 1970.
    Date(f64),
    /// JSON on one line.
    Json(Cow<'a, [u8]>),
}

/// The largest whole number that has no neighbour with the same double.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

impl CsvType {
    /// What a cell must be, for messages.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number such as 12.5",
            Self::Bool => "true or false",
            Self::Date => "a date such as 2024-02-29 or 2024-02-29T12:34:56Z",
            Self::Json => "JSON",
        }
    }

    /// The value of a cell; `None` when it is none of this type. Not for text.
    pub(crate) fn value(self, origin: TypeOrigin, text: &[u8]) -> Option<CellValue<'_>> {
        match (self, origin) {
            (Self::Text, _) => None,
            (Self::Number, TypeOrigin::Inferred) => canonical_number(text).map(CellValue::Number),
            (Self::Number, TypeOrigin::Given) => any_number(text).map(CellValue::Number),
            (Self::Bool, TypeOrigin::Inferred) => word_of_truth(text).map(CellValue::Bool),
            (Self::Bool, TypeOrigin::Given) => match text.trim_ascii() {
                b"1" => Some(CellValue::Bool(true)),
                b"0" => Some(CellValue::Bool(false)),
                word => word_of_truth(word).map(CellValue::Bool),
            },
            (Self::Date, _) => parse_date(text.trim_ascii()).map(CellValue::Date),
            (Self::Json, _) => json_on_one_line(text).map(CellValue::Json),
        }
    }
}

/// A number that is written as JSON writes it, so that nothing is lost by making it one: no leading zeros, no whole number
/// that a double does not hold.
pub(crate) fn canonical_number(text: &[u8]) -> Option<f64> {
    match parse_number(text, 0) {
        Number::Value { value, end } if end == text.len() && is_faithful(value, text) => Some(value),
        _ => None,
    }
}

/// Whether the digits of a number are kept by its double, as far as we promise: whole numbers are exact, others are finite.
#[inline]
pub(crate) fn is_faithful(value: f64, text: &[u8]) -> bool {
    value.abs() <= MAX_SAFE
        || (value.is_finite() && text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')))
}

/// Whatever can be understood as a number: leading zeros and signs, `.5`, `5.`, `NaN`, `Infinity`, white space around it.
fn any_number(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    // The standard library also reads words that JavaScript does not write.
    let is_word = matches!(unsigned, b"Infinity" | b"NaN");
    if !is_word
        && !unsigned
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn word_of_truth(text: &[u8]) -> Option<bool> {
    if text.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

/// JSON without line ends between its tokens.
fn json_on_one_line(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut line = text.to_vec();
    let has_lines = memchr::memchr2(b'\n', b'\r', text).is_some();
    if has_lines {
        // A line end inside a string is an error: a character that no string may hold stands for it.
        let (mut in_string, mut escaped) = (false, false);
        for byte in &mut line {
            match *byte {
                b'\n' | b'\r' if !in_string => *byte = b' ',
                b'"' if !escaped => in_string = !in_string,
                _ => {}
            }
            escaped = in_string && *byte == b'\\' && !escaped;
        }
    }
    line.push(b'\n');
    let mut cursor = JsonCursor::new(&line, 0);
    cursor.skip_white_space();
    cursor.skip_value(&mut Vec::new()).ok()?;
    cursor.skip_white_space();
    if cursor.at != line.len() - 1 {
        return None;
    }
    line.pop();
    Some(if has_lines {
        Cow::Owned(line)
    } else {
        Cow::Borrowed(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str, origin: TypeOrigin) -> Option<f64> {
        match CsvType::Number.value(origin, text.as_bytes()) {
            Some(CellValue::Number(value)) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn an_inferred_number_loses_nothing() {
        for (text, value) in [
            ("0", 0.0),
            ("-12.50", -12.5),
            ("1e3", 1000.0),
            ("6.02E+23", 6.02e23),
            ("9007199254740991", 9_007_199_254_740_991.0),
        ] {
            assert_eq!(number(text, TypeOrigin::Inferred), Some(value), "{text}");
        }
        for text in [
            "",
            "007",
            "+5",
            ".5",
            "5.",
            " 5",
            "5 ",
            "9007199254740993",
            "1e999",
            "NaN",
            "Infinity",
            "0x10",
            "1,5",
            "--1",
        ] {
            assert_eq!(number(text, TypeOrigin::Inferred), None, "{text}");
        }
    }

    #[test]
    fn a_given_number_is_whatever_can_be_understood_as_one() {
        for (text, value) in [
            ("007", 7.0),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            (" 5 ", 5.0),
            ("1e999", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("9007199254740993", 9_007_199_254_740_992.0),
        ] {
            assert_eq!(number(text, TypeOrigin::Given), Some(value), "{text}");
        }
        assert!(number("NaN", TypeOrigin::Given).is_some_and(f64::is_nan));
        for text in [
            "", "abc", "inf", "nan", "infinity", "0x10", "1,5", "1_000", "--1", "5 5", ".",
        ] {
            assert_eq!(number(text, TypeOrigin::Given), None, "{text}");
        }
    }

    #[test]
    fn truth_has_few_words() {
        let truth = |text: &str, origin| match CsvType::Bool.value(origin, text.as_bytes()) {
            Some(CellValue::Bool(bool)) => Some(bool),
            _ => None,
        };
        assert_eq!(truth("TRUE", TypeOrigin::Inferred), Some(true));
        assert_eq!(truth("0", TypeOrigin::Inferred), None);
        assert_eq!(truth("0", TypeOrigin::Given), Some(false));
        assert_eq!(truth("yes", TypeOrigin::Given), None);
    }

    #[test]
    fn json_may_span_lines_but_its_strings_may_not() {
        let json = |text: &str| match CsvType::Json.value(TypeOrigin::Given, text.as_bytes()) {
            Some(CellValue::Json(json)) => Some(String::from_utf8(json.into_owned()).unwrap()),
            _ => None,
        };
        assert_eq!(json(" {\"a\":\n[1,\r\n2]}").as_deref(), Some(" {\"a\": [1,  2]}"));
        assert_eq!(json("\"a\\\"\nb\""), None);
        assert_eq!(json("{\"a\":1} x"), None);
        assert_eq!(json(""), None);
    }
}
