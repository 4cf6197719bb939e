//! Numbers of JSON, with the value that `JSON.parse` gives them.

/// What is at a position where a number begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// The nearest double (infinite when beyond, -0 for `-0`), and the position behind.
    Value {
        value: f64,
        end: usize,
    },
    Malformed {
        at: usize,
        what: &'static str,
    },
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

const DIGIT_EXPECTED: &str = "a digit is expected in a number";

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u64> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

/// Reads the number that begins at `start`.
#[inline]
pub(crate) fn parse(text: &[u8], start: usize) -> Number {
    let negative = text.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let mut at = first;
    let mut mantissa = 0_u64;
    match digit(text, at) {
        Some(0) => {
            at += 1;
            if digit(text, at).is_some() {
                return Number::Malformed {
                    at,
                    what: "a number does not begin with a zero",
                };
            }
        }
        Some(_) => {
            while let Some(digit) = digit(text, at) {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
                at += 1;
            }
        }
        None => {
            return Number::Malformed {
                at,
                what: DIGIT_EXPECTED,
            };
        }
    }
    let mut digits = at - first;
    let mut exponent = 0_i32;
    if text.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = fraction;
        while let Some(digit) = digit(text, at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        if at == fraction {
            return Number::Malformed {
                at,
                what: DIGIT_EXPECTED,
            };
        }
        digits += at - fraction;
        exponent = i32::try_from(at - fraction).map_or(i32::MIN, |places| -places);
    }
    if let Some(b'e' | b'E') = text.get(at) {
        return with_exponent(text, start, at);
    }
    // 19 digits fit in 64 bits; the product or quotient of two exact doubles is rounded once, so it is the nearest one.
    if digits <= 19 {
        let magnitude = if exponent == 0 {
            Some(mantissa as f64)
        } else if mantissa <= 1 << 53 && exponent >= -22 {
            Some(mantissa as f64 / POWERS[exponent.unsigned_abs() as usize])
        } else {
            None
        };
        if let Some(magnitude) = magnitude {
            return Number::Value {
                value: if negative { -magnitude } else { magnitude },
                end: at,
            };
        }
    }
    correctly_rounded(text, start, at)
}

/// A number whose exponent begins at `at`.
#[cold]
fn with_exponent(text: &[u8], start: usize, at: usize) -> Number {
    let mut at = at + 1;
    if let Some(b'+' | b'-') = text.get(at) {
        at += 1;
    }
    let digits = at;
    while digit(text, at).is_some() {
        at += 1;
    }
    if at == digits {
        return Number::Malformed {
            at,
            what: DIGIT_EXPECTED,
        };
    }
    correctly_rounded(text, start, at)
}

/// The general case, by the standard library: nearest double, infinite when beyond, whatever the number of digits.
fn correctly_rounded(text: &[u8], start: usize, end: usize) -> Number {
    let value = text
        .get(start..end)
        .and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
    match value {
        Some(value) => Number::Value { value, end },
        None => Number::Malformed {
            at: start,
            what: DIGIT_EXPECTED,
        },
    }
}

/// Position behind the number that begins at `start`, or where and why it is malformed.
pub(crate) fn check(text: &[u8], start: usize) -> Result<usize, (usize, &'static str)> {
    match parse(text, start) {
        Number::Value { end, .. } => Ok(end),
        Number::Malformed { at, what } => Err((at, what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_nearest_double_and_end_where_they_end() {
        for text in [
            "0",
            "-0",
            "7",
            "-12",
            "9007199254740993",
            "18446744073709551615",
            "123456789012345678901234567890",
            "0.1",
            "3.14159",
            "-273.15",
            "0.000001",
            "1.7976931348623157e308",
            "5e-324",
            "1e23",
            "1E+2",
            "12.5e-3",
            "0.30000000000000004",
            "9007199254740993.5",
            "0.00000000000000000000000001",
            "179769313486231570.0000000000000001",
        ] {
            let line = format!("{text},");
            let Number::Value { value, end } = parse(line.as_bytes(), 0) else {
                panic!("{text}")
            };
            let expected: f64 = text.parse().unwrap();
            assert_eq!((value.to_bits(), end), (expected.to_bits(), text.len()), "{text}");
        }
    }

    #[test]
    fn beyond_the_range_is_infinite_as_in_json_parse() {
        assert_eq!(
            parse(b"1e999\n", 0),
            Number::Value {
                value: f64::INFINITY,
                end: 5
            }
        );
        assert_eq!(
            parse(b"-1e999\n", 0),
            Number::Value {
                value: f64::NEG_INFINITY,
                end: 6
            }
        );
        assert_eq!(parse(b"1e-999\n", 0), Number::Value { value: 0.0, end: 6 });
    }

    #[test]
    fn what_javascript_calls_a_syntax_error_is_malformed() {
        for (text, at) in [
            ("01", 1),
            ("-", 1),
            ("-a", 1),
            ("1.", 2),
            ("1.e3", 2),
            ("1e", 2),
            ("1e+", 3),
            (".5", 0),
            ("-01", 2),
        ] {
            let Number::Malformed { at: found, .. } = parse(format!("{text}\n").as_bytes(), 0) else {
                panic!("{text}")
            };
            assert_eq!(found, at, "{text}");
        }
    }
}
